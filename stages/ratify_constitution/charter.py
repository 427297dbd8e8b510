"""Write the constitution as a charter that citizens can read, in Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

from stages.ratify_constitution.decisions import Quorum
from stages.records import Constitution, Decision, Principle, RatifiedPrinciple, VoteCount

VERBS = {"accept": "Accepted", "reword": "Reworded", "merge": "Merged", "reject": "Rejected"}


def escape(text: str) -> str:
    """Citizens' text as plain text inside Markdown: no markup, no HTML, no link comes alive."""
    one_line = html.escape(" ".join(text.split()), quote=False)
    one_line = re.sub(r"([\\`*_\[\]~|$^])", r"\\\1", one_line)
    one_line = re.sub(r"(?i)(https?|ftp|mailto|www)([:.])", r"\1\\\2", one_line)  # autolinks
    one_line = one_line.replace("@", "&#64;")  # e-mail addresses and mentions, which become links too
    return re.sub(r"^([#+\-=]|\d+(?=[.)]))", _escape_first, one_line)


def _escape_first(found: re.Match[str]) -> str:
    """What begins a heading, list or rule at the start of a line."""
    first = found.group(1)
    return f"&#{ord(first[0])};{first[1:]}" if first[0].isdigit() else f"\\{first}"


def charter(constitution: Constitution, draft: Sequence[Principle], simulated: bool, quorum: Quorum | None) -> str:
    """The whole document."""
    parts = [_head(constitution, simulated, quorum)]
    parts += [_article(number, principle) for number, principle in enumerate(constitution.principles, start=1)]
    if constitution.declined:
        parts.append(_declined(constitution.declined, {principle.id: principle.text for principle in draft}))
    return "\n\n".join(parts)


def _head(constitution: Constitution, simulated: bool, quorum: Quorum | None) -> str:
    lines = [
        f"# {escape(constitution.title)}",
        f"Version {constitution.version}, ratified. {len(constitution.principles)} principles,"
        f" in the languages in which citizens wrote them ({', '.join(constitution.languages)}).",
        f"They answer the question: *{escape(constitution.question)}*",
    ]
    if simulated:
        lines.append("**The participants, their votes and this assembly are simulated: nobody voted here.**")
    if quorum:
        lines.append(f"Present when it was decided: {quorum.present} (quorum: {quorum.wanted}).")
    lines.append(
        "Each principle began as a statement that a citizen wrote and others voted on. The letters are opinion groups:"
        " people who vote alike. A principle was drafted only if every group agreed with it, and people then decided on it."
    )
    return "\n\n".join(lines)


def _article(number: int, principle: RatifiedPrinciple) -> str:
    lines = [f"## {number}", f"> {escape(principle.text)}", _votes(principle.votes), _decision(principle.decision)]
    if principle.amended_from is not None:
        lines.append(f"Before: {escape(principle.amended_from)}")
    statements = ", ".join(map(str, principle.statement_ids))
    word = "statement" if len(principle.statement_ids) == 1 else "statements"
    lines.append(
        f"Principle `{principle.id}` ({principle.language}), from {word} {statements}; {escape(principle.selection)}."
    )
    return "\n\n".join(lines)


def _votes(votes: Mapping[str, VoteCount]) -> str:
    rows = [f"| {escape(group)} | {_share(c)} | {c.agree} | {c.disagree} | {c.passed} |" for group, c in votes.items()]
    header = ["| group | agree | agreed | disagreed | passed |", "|---|---:|---:|---:|---:|"]
    return "\n".join([*header, *rows])


def _share(count: VoteCount) -> str:
    total = count.agree + count.disagree + count.passed
    return f"{100 * count.agree / total:.0f} %" if total else "no votes"


def _decision(decision: Decision) -> str:
    return f"{VERBS[decision.decision]} by {escape(decision.by)}: {escape(decision.reason)}"


def _declined(declined: Sequence[Decision], texts: Mapping[str, str]) -> str:
    lines = ["## Drafted, but not adopted"]
    for decision in declined:
        into = f" into `{decision.into}`" if decision.into else ""
        lines.append(
            f"- `{decision.principle}` {escape(texts[decision.principle])}  \n"
            f"  {VERBS[decision.decision]}{into} by {escape(decision.by)}: {escape(decision.reason)}"
        )
    return "\n\n".join([lines[0], "\n".join(lines[1:])])
