"""The model card: README.md with the front matter that the Hugging Face Hub reads, made from the evidence only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from stages.languages import name as language_name
from stages.metrics import METRICS
from stages.publish_release.facts import Facts
from stages.publish_release.parameters import Parameters
from stages.records import Comparison, Principle
from stages.scoring import slice_words

# The Hub's keys of the licences we expect; any other is told as "other" with its SPDX name.
HUB_LICENCES = {
    "Apache-2.0": "apache-2.0",
    "MIT": "mit",
    "CC0-1.0": "cc0-1.0",
    "CC-BY-4.0": "cc-by-4.0",
    "CC-BY-SA-4.0": "cc-by-sa-4.0",
    "EUPL-1.2": "eupl-1.2",
    "LLAMA3.1": "llama3.1",
}
MARKDOWN = re.compile(r"([\\`*_\[\]()#!|~])")


def plain(text: str) -> str:
    """People's text as Markdown that shows it and does nothing else: no link, image, HTML, table or heading."""
    escaped = MARKDOWN.sub(r"\\\1", " ".join(text.split()))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def render(facts: Facts, params: Parameters) -> str:
    """The whole card."""
    chapters = [
        f"---\n{front_matter(facts, params)}\n---",
        f"# {plain(params.title)}",
        _simulated(facts),
        _what_it_is(facts, params),
        _who_decided(facts),
        _how_it_was_taught(facts),
        _results(facts),
        _limits(facts),
        _licences(facts, params),
        _check(),
    ]
    return "\n\n".join(chapter for chapter in chapters if chapter)


def front_matter(facts: Facts, params: Parameters) -> str:
    """The YAML block, written by the Hub's own library."""
    from huggingface_hub import EvalResult, ModelCardData

    hub = HUB_LICENCES.get(params.license_model)
    results = [
        EvalResult(
            task_type="text-generation",
            dataset_type=row.benchmark,
            dataset_name=row.benchmark,
            metric_type=row.metric,
            metric_name=_metric(row),
            metric_value=row.tuned,
        )
        for row in facts.overall()
    ]
    data = ModelCardData(
        language=sorted({*facts.documents, *facts.pairs}),
        license=hub or "other",
        license_name=None if hub else params.license_model,
        base_model=facts.base.get("hub_id"),
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["democratic-commons", "constitution", *(["simulated"] if facts.simulated else [])],
        model_name=params.model_name,
        eval_results=results or None,
    )
    return str(data.to_yaml()).strip()


def _simulated(facts: Facts) -> str:
    if not facts.simulated:
        return ""
    return (
        "> **SIMULATED.** No real people took part: the participants, their votes and their opinion groups were made by a"
        " program, to show how the platform works. Nothing here says what any public wants."
    )


def _what_it_is(facts: Facts, params: Parameters) -> str:
    size = facts.base.get("parameters")
    parameters = f" with {size:,} parameters" if size else ""
    kind = "simulated" if facts.simulated else "people's"
    return (
        "## What it is\n\n"
        f"{plain(params.model_name)} is {plain(facts.base_name)}{parameters}, taught to follow a constitution"
        f" (version {facts.constitution.version}) that was drafted from {kind} votes and then decided on, principle by"
        " principle."
        f" Published by {plain(params.publisher)}."
        " The same release holds the votes, the constitution, the lessons and every measured answer;"
        " `index.html` tells it without technical words."
    )


def _who_decided(facts: Facts) -> str:
    counts = facts.deliberation["counts"]
    rows = [
        [item.id, plain(item.text), item.language, _decided(item), ", ".join(map(str, item.statement_ids))]
        for item in facts.constitution.principles
    ]
    declined = len(facts.constitution.declined)
    return (
        "## Who decided\n\n"
        f"{'Simulated participants' if facts.simulated else 'Participants'}: {counts['participants']:,}, with"
        f" {counts['votes']:,} votes on {counts['statements']:,} statements; {len(facts.groups)} opinion groups."
        f" {len(rows)} principles were ratified, {declined} drafts were declined, {len(facts.rejected)} statements were not"
        " drafted. The question was:"
        f" {plain(facts.constitution.question)}\n\n"
        + _table(["Principle", "Text", "Language", "Decision", "Statements"], rows)
        + _reliability(facts)
        + "\n\nVotes per opinion group: `constitution/ratified/constitution.json`. What was rejected, and why:"
        " `constitution/draft/constitution.json`, under `rejected`."
    )


def _reliability(facts: Facts) -> str:
    """Whether the opinion groups can be relied on, which checks were not met, and what is not published."""
    method = facts.drafted.method
    parts = []
    if method is not None:
        missed = [f"{gate.name} (wanted: {gate.wanted})" for gate in method.gates if not gate.passed]
        told = f"not met: {'; '.join(missed)}" if missed else "all met"
        parts.append(f"Opinion groups: {plain(method.verdict)}. Checks of quality ({len(method.gates)}): {told}.")
    parts += [f"Not published: `{file.path}` ({file.reason}); its hash is in `chain.json`." for file in facts.withheld]
    return "".join(f"\n\n{part}" for part in parts)


def _decided(principle: Principle) -> str:
    assert principle.decision is not None  # read_facts takes nothing else
    return principle.decision.decision


def _how_it_was_taught(facts: Facts) -> str:
    teachers = "\n".join(
        f"- `{teacher.replace('`', '')}`: {_in_words(teacher)}, {count:,} pairs"
        for teacher, count in facts.teachers.items()
    )
    dropped = ", ".join(f"{rule.replace('_', ' ')} {count:,}" for rule, count in facts.dropped.items()) or "none"
    return (
        "## How it was taught\n\n"
        "First by example (supervised fine-tuning), then by preference (direct preference optimisation). The better answers"
        f" come from:\n\n{teachers}\n\n"
        f"Pairs by language: {_by_language(facts.pairs)}. Against forgetting, it read again from"
        f" {sum(facts.documents.values()):,} openly licensed documents ({_by_language(facts.documents)});"
        f" {sum(facts.dropped.values()):,} were left out ({dropped}).\n\n"
        "Every step with its inputs, parameters and hashes: `chain.json`."
    )


def _in_words(teacher: str) -> str:
    words = {
        "written": "answers written in advance for this project",
        "rule": "a fixed rule",
        "endpoint": "another language model",
    }
    return words.get(teacher.split(":", 1)[0], "another source")


def _results(facts: Facts) -> str:
    worse = [row for row in facts.comparisons if row.verdict == "worse"]
    told = "\n".join(f"- {_cell_words(row)}: {row.base:.3f} → {row.tuned:.3f}" for row in worse)
    return (
        f"## Results, before and after\n\n"
        f"In brackets: {facts.confidence:.0%} intervals, from whole templates resampled. 'Within noise' means that the"
        " change may be chance.\n\n"
        + _measured(facts.overall(), "Benchmark", lambda row: row.benchmark)
        + "\n\n### Principle by principle\n\n"
        + (
            _measured(facts.by_principle(), "Principle", lambda row: row.principle_id)
            if facts.by_principle()
            else "Not measured."
        )
        + "\n\n### What got worse\n\n"
        + (told or "Nothing got worse beyond chance; small losses can hide in few items.")
        + "\n\nAll comparisons: `comparison/comparisons.json`; answers one by one: `scores/`."
    )


def _measured(rows: Iterable[Comparison], first: str, name: Any) -> str:
    cells = [
        [
            name(row),
            f"{_metric(row)} ({METRICS[row.metric].target_words})" if row.metric in METRICS else row.metric,
            f"{row.base:.3f} [{row.base_low:.3f}, {row.base_high:.3f}]",
            f"{row.tuned:.3f} [{row.tuned_low:.3f}, {row.tuned_high:.3f}]",
            f"{row.difference:+.3f} [{row.low:+.3f}, {row.high:+.3f}]",
            f"{row.items:,}",
            f"**{row.verdict}**" if row.verdict in ("better", "worse") else row.verdict,
        ]
        for row in rows
    ]
    return _table([first, "Measurement", "Before", "After", "Change", "Items", "Verdict"], cells)


def _metric(row: Comparison) -> str:
    return METRICS[row.metric].words if row.metric in METRICS else row.metric


def _cell_words(row: Comparison) -> str:
    parts = [row.benchmark, _metric(row), slice_words(row.language, row.category)]
    if row.principle_id != "all":
        parts.append(f"principle {row.principle_id}")
    return ", ".join(part for part in parts if part)


def _limits(facts: Facts) -> str:
    seen = [name for name in METRICS if any(row.metric == name for row in facts.comparisons)]
    cautions = "\n".join(f"- {METRICS[name].words}: {METRICS[name].caution}" for name in seen)
    simulated = "- The deliberation is simulated: it shows the method, not an opinion.\n" if facts.simulated else ""
    return (
        "## Limits\n\n"
        + simulated
        + "- The model was measured by which of several given answers it finds likelier, not by what it writes.\n"
        "- Benchmarks ask about some stereotypes, in some languages; a good score does not make a model fair.\n"
        + _population(facts)
        + "- Not for decisions about people without an assessment of your own.\n\n"
        f"What each measurement does not say:\n\n{cautions}"
    )


def _population(facts: Facts) -> str:
    found = facts.evidence.representation
    if found is None or found.effective_n is None:
        return "- Whether the participants stand for the whole population was not measured.\n"
    return f"- The participants beside the census: {plain(found.verdict)}.\n"


def _licences(facts: Facts, params: Parameters) -> str:
    obligations = "\n".join(f"- {plain(text)}" for text in facts.base.get("obligations", []))
    documents = ", ".join(f"{licence} ({count:,})" for licence, count in facts.document_licences.items())
    return (
        "## Licences\n\n"
        f"- Model weights: {params.license_model}\n"
        f"- Base model {plain(facts.base_name)}: {facts.base_licence}\n"
        f"- Votes, constitution, lessons and scores: {params.license_data}\n"
        f"- Documents keep their own licences: {documents}; attribution in `corpus/attribution.md`\n\n"
        + _of_documents(facts)
        + (
            f"The base model's licence asks:\n\n{obligations}"
            if obligations
            else "The base model's origin names no further obligation."
        )
    )


def _of_documents(facts: Facts) -> str:
    """What the documents' licences ask of whoever passes the corpus, or a model taught with it, on."""
    asked = [
        f"- {plain(entry['license'])} ({entry['documents']:,} documents): {plain('; '.join(entry['asks']) or 'nothing')}"
        for entry in facts.corpus_obligations["licenses"]
    ]
    shared = (
        "\n\nShare-alike: whether a model is an adaptation of its texts is not settled; whoever passes it on should know."
        if facts.corpus_obligations["share_alike"]
        else ""
    )
    return "The documents' licences ask:\n\n" + "\n".join(asked) + shared + "\n\n"


def _check() -> str:
    return (
        "## Check it\n\n"
        "```\ncommons verify .\n```\n\n"
        "hashes every file, follows the chain from the vote to the weights, counts the votes again and computes every score"
        " again. It cannot prove that the training used this data: for that, run the pipeline again."
    )


def _by_language(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{language_name(code)} {count:,}" for code, count in counts.items())


def _table(header: list[str], rows: Iterable[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
