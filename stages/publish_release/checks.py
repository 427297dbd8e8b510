"""The checks of `commons verify`: each asks one question of a release and answers it from the release alone."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stages.publish_release import layout
from stages.publish_release.chain import SCHEMA as CHAIN_SCHEMA
from stages.publish_release.chain import Chain, problems
from stages.publish_release.manifest import SCHEMA as MANIFEST_SCHEMA
from stages.publish_release.manifest import Manifest, release_id
from stages.publish_release.opening import Bundle, Unreadable, Unsafe, safe_name
from stages.publish_release.recomparison import Cell, Side, cell_of, recompare
from stages.publish_release.recomparison import Settings as ComparisonSettings
from stages.records import (
    Comparison,
    Constitution,
    Decision,
    ItemOutcome,
    PreferencePair,
    Principle,
    Revision,
    Score,
    VoteCount,
)

TOLERANCE = 1e-9
MOST_RESAMPLES = 1_000_000  # a bundle that asks for more would only keep the auditor's machine busy
REQUIRED = (
    layout.MODEL,
    layout.DELIBERATION,
    layout.DRAFT,
    layout.RATIFIED,
    layout.CORPUS,
    layout.PREFERENCES,
    layout.COMPARISON,
)
DTYPE_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "U16": 16, "I16": 16, "F16": 16, "BF16": 16,
    "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
MOST_HEADER_BYTES = 100_000_000  # the safetensors library's own limit
PICKLE_OR_ZIP = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")  # how files of torch.save begin


class Failed(Exception):
    """The answer is no; the message says what was found instead, in words."""


class Release:
    """A bundle with its manifest, chain and fingerprints, each read once and only when a check asks for it."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._digests: dict[str, tuple[int, str, str]] = {}
        self._items: dict[str, list[ItemOutcome]] = {}
        self._recomputed: dict[str, list[Score]] = {}

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest, once its paths are known to stay inside the bundle."""
        manifest = self.bundle.record(layout.MANIFEST, Manifest)
        for file in manifest.files:
            if not safe_name(file.path):
                raise Unsafe(f"The manifest names {file.path!r}, a path that leads out of the bundle; refused.")
        return manifest

    @cached_property
    def chain(self) -> Chain:
        """The chain from the vote to the weights."""
        return self.bundle.record(layout.CHAIN, Chain)

    @cached_property
    def constitution(self) -> Constitution:
        """The ratified constitution."""
        return self.bundle.record(f"{layout.RATIFIED}/constitution.json", Constitution)

    def digests(self, path: str) -> tuple[int, str, str]:
        """Size, sha256 and md5 of a file."""
        if path not in self._digests:
            self._digests[path] = self.bundle.digests(path)
        return self._digests[path]

    def items(self, folder: str) -> list[ItemOutcome]:
        """The outcomes in a folder of scores."""
        if folder not in self._items:
            self._items[folder] = list(self.bundle.records(f"{folder}/items.jsonl", ItemOutcome))
        return self._items[folder]

    def recomputed(self, folder: str) -> list[Score]:
        """The scores that follow from the outcomes, by the recorded settings."""
        from stages.scoring import scores_from_items

        if folder not in self._recomputed:
            self._recomputed[folder] = scores_from_items(self.items(folder), **_settings(self, folder))
        return self._recomputed[folder]

    def below(self, folder: str) -> list[str]:
        """The files of a folder, sorted."""
        return sorted(path for path in self.bundle.sizes if path.startswith(folder + "/"))

    def measured(self) -> list[tuple[str, str]]:
        """Model and benchmark of each folder of scores."""
        parts = [path.split("/") for path in self.below(layout.SCORES)]
        return sorted({(names[1], names[2]) for names in parts if len(names) > 3})


@dataclass(frozen=True)
class Check:
    """A question; `answer` returns the evidence in words, or raises Failed."""

    id: str
    title: str
    answer: Callable[[Release], str]


# --- the bundle as a whole --------------------------------------------------------------------------------------------


def manifest_holds(release: Release) -> str:
    """The manifest can be read, and the release's id follows from its list of files."""
    if layout.MANIFEST not in release.bundle.sizes:
        raise Failed(f"there is no {layout.MANIFEST}; is this the folder of a release?")
    try:
        manifest = release.manifest
    except Unreadable as error:
        raise Failed(str(error)) from None
    if manifest.schema_version != MANIFEST_SCHEMA:
        raise Failed(f"it is of the kind {manifest.schema_version!r}; this program knows {MANIFEST_SCHEMA!r}")
    paths = [file.path for file in manifest.files]
    twice = [path for path, count in Counter(path.casefold() for path in paths).items() if count > 1]
    if twice or paths != sorted(paths):
        raise Failed(f"its list is not sorted, or names {_some(twice) or 'a file'} twice")
    expected = release_id(manifest.constitution_version, manifest.files)
    if manifest.release != expected:
        raise Failed(f"it calls itself {manifest.release!r}, but its files make it {expected!r}")
    return f"release {manifest.release}, {len(paths):,} files"


def files_are_whole(release: Release) -> str:
    """Every file of the manifest is there, with its size and its sha256."""
    wrong = []
    for file in release.manifest.files:
        if file.path not in release.bundle.sizes:
            wrong.append(f"{file.path} is missing")
        elif release.bundle.sizes[file.path] != file.bytes:
            wrong.append(f"{file.path} has {release.bundle.sizes[file.path]:,} bytes, not {file.bytes:,}")
        elif release.digests(file.path)[1] != file.sha256:
            wrong.append(f"{file.path} was changed (its sha256 differs)")
    _fail_on(wrong)
    return f"{sum(file.bytes for file in release.manifest.files):,} bytes hashed"


def nothing_was_added(release: Release) -> str:
    """No file, link or empty folder lies in the bundle that the manifest does not name."""
    known = {file.path for file in release.manifest.files} | {layout.MANIFEST}
    added = [f"{path} is not in the manifest" for path in sorted(release.bundle.sizes) if path not in known]
    _fail_on([*added, *release.bundle.oddities])
    return "no other file, link or empty folder"


# --- the chain --------------------------------------------------------------------------------------------------------


def chain_is_closed(release: Release) -> str:
    """Each node read what another node made, or what is declared external; the bundled copies are those very artifacts."""
    chain = release.chain
    if chain.schema_version != CHAIN_SCHEMA:
        raise Failed(f"the chain is of the kind {chain.schema_version!r}; this program knows {CHAIN_SCHEMA!r}")
    _fail_on(problems(chain))
    made = {link.path: link.md5 for node in chain.nodes for link in node.outputs}
    _fail_on(_copies_differ(release, chain, made))
    _fail_on(_not_bundled(release, chain))
    _fail_on(_no_way_back(chain))
    external = {link.path for node in chain.nodes for link in node.inputs if link.external}
    return f"{len(chain.nodes)} steps, {len(chain.bundled)} artifacts recomputed, {len(external)} external inputs"


def _copies_differ(release: Release, chain: Chain, made: Mapping[str, str]) -> Iterator[str]:
    for artifact, folder in sorted(chain.bundled.items()):
        if artifact not in made:
            yield f"{folder} is a copy of {artifact}, which no step made"
        elif not release.below(folder):
            yield f"{folder}, the copy of {artifact}, is missing"
        elif (found := folder_md5(release, folder)) != made[artifact]:
            yield f"{folder} is not the {artifact} that was made ({found}, recorded {made[artifact]})"


def folder_md5(release: Release, folder: str) -> str:
    """The hash DVC gives to a folder: md5 of the list of its files' md5, sorted by path."""
    listing = [{"md5": release.digests(path)[2], "relpath": path[len(folder) + 1 :]} for path in release.below(folder)]
    return hashlib.md5(json.dumps(listing, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"


def _not_bundled(release: Release, chain: Chain) -> Iterator[str]:
    """What must be a recomputable copy of an artifact, and is not."""
    folders = set(chain.bundled.values())
    wanted = {*REQUIRED, *(f"{layout.SCORES}/{model}/{benchmark}" for model, benchmark in release.measured())}
    yield from (f"{folder} is not bound to any step of the chain" for folder in sorted(wanted - folders))
    for path in sorted(release.bundle.sizes):
        inside = any(path.startswith(folder + "/") for folder in folders)
        if not inside and layout.role(path) in layout.ROLES.values():
            yield f"{path} belongs to no step of the chain"


def _no_way_back(chain: Chain) -> Iterator[str]:
    """The weights and the comparison must come from the constitution, and that from the deliberation."""
    artifacts = {folder: artifact for artifact, folder in chain.bundled.items()}
    parents = {link.path: {read.path for read in node.inputs} for node in chain.nodes for link in node.outputs}
    for start, goal in (
        (layout.MODEL, layout.PREFERENCES),
        (layout.PREFERENCES, layout.RATIFIED),
        (layout.RATIFIED, layout.DRAFT),
        (layout.DRAFT, layout.DELIBERATION),
        (layout.COMPARISON, layout.RATIFIED),
    ):
        if artifacts[goal] not in _ancestors(artifacts[start], parents):
            yield f"no step leads from {goal} to {start}"


def _ancestors(artifact: str, parents: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    todo = [artifact]
    while todo:
        for parent in parents.get(todo.pop(), set()) - found:
            found.add(parent)
            todo.append(parent)
    return found


# --- the people's decision --------------------------------------------------------------------------------------------


def principles_stand_on_votes(release: Release) -> str:
    """Each principle's statements exist, and its votes per opinion group are those in votes.csv."""
    counts = _recount(release)
    statements = {row["id"] for row in _json_lines(release, f"{layout.DELIBERATION}/statements.jsonl")}
    drafted = list(release.bundle.records(f"{layout.DRAFT}/principles.jsonl", Principle))
    ratified = release.constitution.principles
    if not ratified:
        raise Failed("the constitution has no principle")
    for principle in (*drafted, *ratified):
        missing = [str(id_) for id_ in principle.statement_ids if id_ not in statements]
        if missing or not principle.statement_ids:
            raise Failed(f"{principle.id} stands on no known statement ({_some(missing) or 'none named'})")
        _compare_votes(principle, counts)
    return f"{len(ratified)} principles, {sum(sum(group.values()) for group in counts.values()):,} votes recounted"


def _compare_votes(principle: Principle, counts: Mapping[tuple[str, int], Counter[int]]) -> None:
    """A principle's votes are those on its first statement, which it was drafted from; merging adds no votes."""
    statement = principle.statement_ids[0]
    recounted = {
        group: VoteCount(agree=votes[1], disagree=votes[-1], passed=votes[0])
        for (group, id_), votes in counts.items()
        if id_ == statement
    }
    stated = {
        group: votes for group, votes in principle.votes.items() if votes != VoteCount(agree=0, disagree=0, passed=0)
    }
    if stated != recounted:
        group = next(name for name in sorted({*stated, *recounted}) if stated.get(name) != recounted.get(name))
        raise Failed(
            f"{principle.id}, opinion group {group}: it states {_in_words(stated.get(group))},"
            f" the votes say {_in_words(recounted.get(group))}"
        )


def _recount(release: Release) -> dict[tuple[str, int], Counter[int]]:
    """Votes by opinion group and statement; participants without a group do not count, as in the draft."""
    group_of = {row["participant"]: row["group"] for row in _csv(release, f"{layout.DRAFT}/groups.csv")}
    counts: dict[tuple[str, int], Counter[int]] = {}
    for row in _csv(release, f"{layout.DELIBERATION}/votes.csv"):
        group = group_of.get(row["participant"], "")
        if group:
            counts.setdefault((group, int(row["statement_id"])), Counter())[int(row["vote"])] += 1
    return counts


def people_decided(release: Release) -> str:
    """Every drafted principle has a decision, every ratified one a draft, and the text is the decided one."""
    constitution = release.constitution
    if constitution.version != release.manifest.constitution_version:
        raise Failed(
            f"the manifest tells of version {release.manifest.constitution_version}, the constitution is {constitution.version}"
        )
    drafted = {item.id: item for item in release.bundle.records(f"{layout.DRAFT}/principles.jsonl", Principle)}
    for principle in constitution.principles:
        decision = principle.decision
        if principle.id not in drafted:
            raise Failed(f"{principle.id} is in the constitution but was never drafted")
        if decision.principle != principle.id or decision.decision not in ("accept", "reword"):
            raise Failed(
                f"{principle.id} is in the constitution, but the decision was {decision.decision} of {decision.principle}"
            )
        if principle.text != _decided_text(decision, drafted[principle.id].text):
            raise Failed(f"{principle.id} does not have the text that was decided")
        if set(principle.statement_ids) != _decided_statements(principle.id, constitution, drafted):
            raise Failed(f"{principle.id} names other statements than those it was drafted from or had merged into it")
    decided = [item.id for item in constitution.principles] + [item.principle for item in constitution.declined]
    without = [id_ for id_ in drafted if id_ not in decided]
    _fail_on(f"{id_} was drafted, but nobody decided on it" for id_ in without)
    return f"{len(constitution.principles)} ratified, {len(constitution.declined)} declined, none without a decision"


def _decided_text(decision: Decision, drafted: str) -> str:
    return " ".join((decision.text or "").split()) if decision.decision == "reword" else drafted


def _decided_statements(id_: str, constitution: Constitution, drafted: Mapping[str, Principle]) -> set[int]:
    merged = [item.principle for item in constitution.declined if item.decision == "merge" and item.into == id_]
    return {statement for part in (id_, *merged) if part in drafted for statement in drafted[part].statement_ids}


def lessons_name_principles(release: Release) -> str:
    """The training pairs name principles of the constitution, and no others."""
    known = {principle.id for principle in release.constitution.principles}
    pairs = list(release.bundle.records(f"{layout.PREFERENCES}/pairs.jsonl", PreferencePair))
    revisions = list(release.bundle.records(f"{layout.PREFERENCES}/revisions.jsonl", Revision))
    if not pairs:
        raise Failed("there is no training pair")
    rows: list[PreferencePair | Revision] = [*pairs, *revisions]
    for row in rows:
        unknown = [id_ for id_ in row.principle_ids if id_ not in known]
        if unknown:
            raise Failed(f"{row.id} teaches {_some(unknown)}, which the constitution does not have")
        if row.kind == "probe" and not row.principle_ids:
            raise Failed(f"{row.id} teaches a principle but names none")
    return f"{len(pairs):,} pairs, {len({id_ for row in pairs for id_ in row.principle_ids})} of {len(known)} principles taught"


# --- the measurement --------------------------------------------------------------------------------------------------


def scores_recompute(release: Release) -> str:
    """Every score and its interval follow from the outcomes item by item."""
    recomputed = 0
    for model, benchmark in release.measured():
        folder = f"{layout.SCORES}/{model}/{benchmark}"
        stated = _scores(release, folder)
        _fail_on(_scores_differ(folder, stated, release.recomputed(folder)))
        recomputed += len(stated)
    if not recomputed:
        raise Failed("the release holds no scores")
    return f"{recomputed} scores with intervals, from {len(release.measured())} lists of item outcomes"


def _scores_differ(folder: str, stated: Sequence[Score], expected: Sequence[Score]) -> Iterator[str]:
    ours = {_cell(score): score for score in expected}
    theirs = {_cell(score): score for score in stated}
    for cell in sorted({*ours, *theirs}):
        name = f"{folder}: {', '.join(cell)}"
        if cell not in theirs:
            yield f"{name} was left out (the items give {ours[cell].value:g})"
        elif cell not in ours:
            yield f"{name} has no items behind it"
        else:
            for field in ("value", "low", "high", "items", "clusters"):
                told, found = getattr(theirs[cell], field), getattr(ours[cell], field)
                if not math.isclose(told, found, rel_tol=0, abs_tol=TOLERANCE):
                    yield f"{name}: {field} is told as {told:g}, the items give {found:g}"


def same_questions(release: Release) -> str:
    """Base and tuned model answered the same items of the same benchmarks, and no benchmark was left out."""
    measured = release.measured()
    benchmarks = {model: {name for owner, name in measured if owner == model} for model in ("base", "tuned")}
    if benchmarks["base"] != benchmarks["tuned"] or not benchmarks["base"]:
        raise Failed(
            f"base was measured on {_some(sorted(benchmarks['base']))}, tuned on {_some(sorted(benchmarks['tuned']))}"
        )
    planned = _planned(release)
    if planned and planned != benchmarks["base"]:
        raise Failed(f"planned were {_some(sorted(planned))}, told are {_some(sorted(benchmarks['base']))}")
    total = 0
    for benchmark in sorted(benchmarks["base"]):
        _same_conditions(release, benchmark)
        base, tuned = (_questions(release, f"{layout.SCORES}/{model}/{benchmark}") for model in ("base", "tuned"))
        if base != tuned:
            apart = sorted(base.keys() ^ tuned.keys()) or [name for name in base if base[name] != tuned[name]]
            raise Failed(f"{benchmark}: base and tuned did not answer the same items ({_some(apart)})")
        total += len(base)
    return f"{total:,} items, the same before and after"


def _same_conditions(release: Release, benchmark: str) -> None:
    """Both models were asked from the same files and judged in the same way."""
    base, tuned = (
        release.bundle.json(f"{layout.SCORES}/{model}/{benchmark}/benchmark.json") for model in ("base", "tuned")
    )
    if base["files"] != tuned["files"]:
        raise Failed(f"{benchmark}: base and tuned were asked from different files")
    if base["settings"] != tuned["settings"]:
        raise Failed(f"{benchmark}: base and tuned were measured with different settings")


def comparison_recomputes(release: Release) -> str:
    """Every row of the comparison, its interval, its test and its verdict follow from the answers; none is left out."""
    rows = _comparisons(release)
    benchmarks = sorted({benchmark for _, benchmark in release.measured()})
    _fail_on(
        f"the comparison tells of {row.benchmark}, which was not measured"
        for row in rows
        if row.benchmark not in benchmarks
    )
    for benchmark in benchmarks:
        told = {cell_of(row): row for row in rows if row.benchmark == benchmark}
        base, tuned = (_side(release, f"{layout.SCORES}/{model}/{benchmark}") for model in ("base", "tuned"))
        settings = _comparison_settings(release, benchmark)
        if {item.item_id for item in base.items} != {item.item_id for item in tuned.items}:
            raise Unreadable(f"{benchmark}: base and tuned did not answer the same items")
        found = recompare(benchmark, base, tuned, release.constitution, settings)
        _fail_on(_comparisons_differ(benchmark, told, found))
    if len(rows) != len({(row.benchmark, cell_of(row)) for row in rows}):
        raise Failed("the comparison tells a result twice")
    return f"{len(rows)} comparisons with tests and verdicts, none left out"


def _comparisons_differ(
    benchmark: str, told: Mapping[Cell, Comparison], found: Mapping[Cell, Comparison]
) -> Iterator[str]:
    for cell in sorted({*told, *found}):
        name = f"{benchmark}, {', '.join(cell)}"
        if cell not in told:
            yield f"the comparison leaves out {name}, which is {found[cell].verdict}"
        elif cell not in found:
            yield f"{name} has no answers behind it"
        elif told[cell].verdict != found[cell].verdict:
            yield f"{name} is told as {told[cell].verdict}, the answers make it {found[cell].verdict}"
        else:
            ours, theirs = found[cell].model_dump(), told[cell].model_dump()
            for field in (field for field, value in ours.items() if isinstance(value, (int, float))):
                if not math.isclose(theirs[field], ours[field], rel_tol=0, abs_tol=TOLERANCE):
                    yield f"{name}: {field} is told as {theirs[field]:g}, the answers give {ours[field]:g}"


# --- the weights ------------------------------------------------------------------------------------------------------


def weights_are_harmless(release: Release) -> str:
    """The model is safetensors with sound headers; nothing in the release can run code when it is loaded."""
    forbidden = [
        f"{path} is of a kind that can run code" for path in sorted(release.bundle.sizes) if layout.is_forbidden(path)
    ]
    _fail_on(forbidden)
    weights = [path for path in sorted(release.bundle.sizes) if path.endswith(".safetensors")]
    inside = [path for path in weights if path.startswith(layout.MODEL + "/")]
    _fail_on(f"{path} lies outside {layout.MODEL}/" for path in weights if path not in inside)
    if not inside:
        raise Failed(f"there are no weights in {layout.MODEL}/")
    tensors = sum(_tensors(release, path) for path in inside)
    for path in release.below(layout.MODEL):
        _fail_on(_leads_to_code(release, path))
    return f"{tensors} tensors in {len(inside)} safetensors file{'s' if len(inside) > 1 else ''}, no pickle, no code"


def _tensors(release: Release, path: str) -> int:
    """How many tensors the header describes; raises Failed where they do not fill the file exactly."""
    size = release.bundle.sizes[path]
    length = int.from_bytes(release.bundle.head(path, 8), "little")
    if not 2 <= length <= min(size - 8, MOST_HEADER_BYTES):
        raise Failed(f"{path} is not safetensors: its header would have {length:,} bytes")
    try:
        header = json.loads(release.bundle.head(path, 8 + length)[8:])
        header.pop("__metadata__", None)
        spans = sorted(_span(tensor) for tensor in header.values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Failed(f"{path} is not safetensors: its header cannot be read") from None
    end = 0
    for start, stop in spans:
        if start != end:
            raise Failed(f"{path} has a hole or an overlap at byte {end:,}: data that no tensor explains")
        end = stop
    if 8 + length + end != size or not spans:
        raise Failed(f"{path} does not end where its last tensor ends")
    return len(spans)


def _span(tensor: Mapping[str, Any]) -> tuple[int, int]:
    start, stop = (int(offset) for offset in tensor["data_offsets"])
    bits = math.prod(int(length) for length in tensor["shape"]) * DTYPE_BITS[tensor["dtype"]]
    if not 0 <= start <= stop or min(tensor["shape"], default=0) < 0 or (stop - start) * 8 != bits:
        raise ValueError("a tensor's shape does not fit its bytes")
    return start, stop


def _leads_to_code(release: Release, path: str) -> Iterator[str]:
    if release.bundle.head(path, 4).startswith(PICKLE_OR_ZIP):
        yield f"{path} begins as a pickle or an archive does"
    if path.endswith(".json"):
        keys = set(_keys(release.bundle.json(path)))
        yield from (f"{path} has {key}, which leads to foreign code" for key in layout.CODE_KEYS if key in keys)


def _keys(content: Any) -> Iterator[str]:
    """All keys at any depth (a vocabulary's words are not keys that transformers follows, so they are skipped)."""
    todo = [content]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            yield from value
            todo.extend(value[key] for key in value if key != "vocab")
        elif isinstance(value, list):
            todo.extend(item for item in value if isinstance(item, (dict, list)))


def gates_passed(release: Release) -> str:
    """Every report of a quality gate in the release says that its expectations were met."""
    reports = [path for path in sorted(release.bundle.sizes) if path.rsplit("/", 1)[-1] == "gate.json"]
    if not reports:
        raise Failed("there is no report of a gate")
    met = 0
    for path in reports:
        for table, entries in release.bundle.json(path).items():
            missed = [entry["expectation"] for entry in entries if entry["success"] is not True]
            _fail_on(f"{path}: {table} did not meet {name}" for name in missed)
            met += len(entries)
    return f"{met} expectations met in {len(reports)} reports"


CHECKS = (
    Check("manifest", "the list of files can be read, and the release's number follows from it", manifest_holds),
    Check("files", "every file is there and unchanged", files_are_whole),
    Check("nothing-added", "nothing was added", nothing_was_added),
    Check("chain", "the chain from the vote to the weights is closed", chain_is_closed),
    Check("votes", "every principle stands on statements and votes, recounted", principles_stand_on_votes),
    Check("decisions", "people decided on every drafted principle", people_decided),
    Check("lessons", "what the model was taught names principles of the constitution", lessons_name_principles),
    Check("scores", "the published scores follow from the outcomes, item by item", scores_recompute),
    Check("same-questions", "the model was asked the same questions before and after", same_questions),
    Check(
        "comparison", "the comparison and its verdicts follow from the answers, none left out", comparison_recomputes
    ),
    Check("weights", "the weights are safe to load", weights_are_harmless),
    Check("gates", "the quality gates of every step were passed", gates_passed),
)


# --- reading ----------------------------------------------------------------------------------------------------------


def _csv(release: Release, path: str) -> Iterator[dict[str, str]]:
    try:
        yield from csv.DictReader(release.bundle.lines(path))
    except csv.Error as error:
        raise Unreadable(f"{path} is not a table ({error})") from None


def _json_lines(release: Release, path: str) -> Iterator[dict[str, Any]]:
    yield from (json.loads(line) for line in release.bundle.lines(path) if line.strip())


def _scores(release: Release, folder: str) -> list[Score]:
    return [Score.model_validate(row) for row in release.bundle.json(f"{folder}/scores.json")]


def _comparisons(release: Release) -> list[Comparison]:
    return [Comparison.model_validate(row) for row in release.bundle.json(f"{layout.COMPARISON}/comparisons.json")]


def _settings(release: Release, folder: str) -> dict[str, Any]:
    """How the scores were computed, as the evaluation recorded it."""
    recorded = release.bundle.json(f"{folder}/benchmark.json")
    settings = {name: recorded["settings"][name] for name in ("resamples", "seed", "confidence", "min_items")}
    settings["benchmark"] = folder.rsplit("/", 1)[-1]
    if not 0 < settings["resamples"] <= MOST_RESAMPLES:
        raise Unsafe(f"{folder} asks for {settings['resamples']:,} resamples; at most {MOST_RESAMPLES:,} are drawn.")
    return settings


def _side(release: Release, folder: str) -> Side:
    """From the answers alone, so that a false score is found by its own check and not by this one."""
    scores = {Cell(score.metric, score.language, score.category, "all"): score for score in release.recomputed(folder)}
    return Side(release.items(folder), scores)


def _comparison_settings(release: Release, benchmark: str) -> ComparisonSettings:
    """As the base model's measurement and the parameters in the chain tell them."""
    recorded = _settings(release, f"{layout.SCORES}/base/{benchmark}")
    params = next(
        (node.params["compare_models"] for node in release.chain.nodes if "compare_models" in node.params), None
    )
    if params is None:
        raise Unreadable("the chain does not tell the parameters of compare_models")
    if not 0 < params["permutations"] <= MOST_RESAMPLES:
        raise Unsafe(
            f"The comparison asks for {params['permutations']:,} permutations; at most {MOST_RESAMPLES:,} are drawn."
        )
    primary = params["primary"]["metric"] if params["primary"]["benchmark"] == benchmark else None
    shared = {name: recorded[name] for name in ("resamples", "seed", "confidence", "min_items")}
    return ComparisonSettings(**shared, permutations=params["permutations"], primary=primary)


def _questions(release: Release, folder: str) -> dict[str, tuple[str, str, str, tuple[str, ...]]]:
    items = release.items(folder)
    asked = {item.item_id: (item.language, item.category, item.cluster, item.principle_ids) for item in items}
    if len(asked) != len(items):
        raise Failed(f"{folder} counts an item twice")
    return asked


def _planned(release: Release) -> set[str]:
    """The benchmarks that the parameters named."""
    for node in release.chain.nodes:
        section = node.params.get("evaluate_model")
        if isinstance(section, dict) and isinstance(section.get("benchmarks"), list):
            return {str(name) for name in section["benchmarks"]}
    return set()


def _cell(score: Score) -> tuple[str, str, str, str]:
    return score.benchmark, score.metric, score.language, score.category


# --- words ------------------------------------------------------------------------------------------------------------


def _fail_on(problems: Iterable[str]) -> None:
    found = list(problems)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise Failed(f"{found[0]}{more}")


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _in_words(votes: VoteCount | None) -> str:
    return f"{votes.agree} agree, {votes.disagree} disagree, {votes.passed} pass" if votes else "no votes"
