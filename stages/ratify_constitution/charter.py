"""Write the constitution as a charter that citizens can read, in Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

from stages.records import Amendment, Ballots, Constitution, Decision, Principle, Ratification, VoteCount, Wording

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


def charter(constitution: Constitution) -> str:
    """The whole document."""
    parts = [_head(constitution)]
    parts += [_article(number, principle) for number, principle in enumerate(constitution.principles, start=1)]
    if constitution.declined:
        parts.append(_declined(constitution.declined))
    if constitution.parent:
        parts.append(_amendments(constitution))
    return "\n\n".join(parts)


def _head(constitution: Constitution) -> str:
    lines = [
        f"# {escape(constitution.title)}",
        f"Version {constitution.version}, {constitution.status}{_parent(constitution)}."
        f" {len(constitution.principles)} principles,"
        f" in the languages in which citizens wrote them ({', '.join(constitution.languages)}).",
        f"They answer the question: *{escape(constitution.question)}*",
    ]
    if constitution.process and constitution.process.simulated:
        lines.append("**The participants, their votes and this assembly are simulated: nobody voted here.**")
    if constitution.ratification:
        lines.append(_adoption(constitution.ratification))
    lines.append(
        "Each principle began as a statement that a citizen wrote and others voted on. The letters are opinion groups:"
        " people who vote alike. A principle was drafted by the rule that it names, and people then decided on it."
    )
    return "\n\n".join(lines)


def _parent(constitution: Constitution) -> str:
    parent = constitution.parent
    return f"; amends version {parent.version} (sha256 `{parent.sha256[:12]}…`)" if parent else ""


def _adoption(ratification: Ratification) -> str:
    facts = [f"Adopted by {escape(ratification.by)}" + (f" on {ratification.date}" if ratification.date else "") + "."]
    if quorum := ratification.quorum:
        facts.append(f"Present when it was decided: {quorum.present} (quorum: {quorum.wanted}).")
    if ratification.ballots:
        facts.append(f"Ballots on the whole: {in_words(ratification.ballots)}.")
    return " ".join(facts)


def in_words(ballots: Ballots) -> str:
    """Ballots as people read them out."""
    return f"{ballots.yes} yes, {ballots.no} no, {ballots.abstain} abstained"


def _article(number: int, principle: Principle) -> str:
    lines = [f"## {number}", f"> {escape(principle.text)}"]
    lines += [_translation(*pair) for pair in principle.texts.items() if pair[0] != principle.language]
    lines.append(votes_table(principle.votes or {"all": principle.votes_total}))
    if principle.decision:
        lines.append(_decision(principle.decision))
    if principle.amended_from is not None:
        lines.append(f"Before: {escape(principle.amended_from)}")
    statements = ", ".join(map(str, principle.statement_ids))
    word = "statement" if len(principle.statement_ids) == 1 else "statements"
    lines.append(
        f"Principle `{principle.id}` ({principle.language}), from {word} {statements};"
        f" {escape(principle.selection.reason)}."
    )
    return "\n\n".join(lines)


def _translation(language: str, wording: Wording) -> str:
    checked = f", checked by {escape(wording.reviewer)}" if wording.reviewer else ""
    who = {"machine": "machine translation", "human": "translation", "source": "as its author gave it"}[wording.origin]
    return f"{escape(language)} ({who}{checked}; the text above is the adopted one): {escape(wording.value)}"


def votes_table(votes: Mapping[str, VoteCount]) -> str:
    """Votes by group as a Markdown table."""
    rows = [f"| {escape(group)} | {_share(c)} | {c.agree} | {c.disagree} | {c.passed} |" for group, c in votes.items()]
    header = ["| group | agree | agreed | disagreed | passed |", "|---|---:|---:|---:|---:|"]
    return "\n".join([*header, *rows])


def _share(count: VoteCount) -> str:
    total = count.agree + count.disagree + count.passed
    return f"{100 * count.agree / total:.0f} %" if total else "no votes"


def _decision(decision: Decision) -> str:
    into = f" into `{decision.into}`" if decision.into else ""
    ballots = f" ({in_words(decision.ballots)})" if decision.ballots else ""
    return f"{VERBS[decision.decision]}{into} by {escape(decision.by)}{ballots}: {escape(decision.reason)}"


def _declined(declined: Sequence[Decision]) -> str:
    lines = [f"- `{d.principle}` {escape(d.drafted or '')}  \n  {_decision(d)}" for d in declined]
    return "\n\n".join(["## Drafted, but not adopted", "\n".join(lines)])


def _amendments(constitution: Constitution) -> str:
    assert constitution.parent
    lines = [f"- {_amendment(amendment)}" for amendment in constitution.amendments] or ["No principle was changed."]
    return "\n\n".join([f"## Changed since version {constitution.parent.version}", "\n".join(lines)])


def _amendment(amendment: Amendment) -> str:
    before, after = escape(amendment.before or ""), escape(amendment.after or "")
    words = {
        "added": f"`{amendment.principle}` is added: {after}",
        "reworded": f"`{amendment.principle}` now reads: {after} (was: {before})",
        "removed": f"`{amendment.principle}` is repealed (it read: {before})",
    }[amendment.change]
    return f"{words}  \n  {escape(amendment.reason)}" if amendment.reason else words
