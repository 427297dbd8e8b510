"""Show a draft to those who decide on it: each principle with its votes, and what may say the same or the contrary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stages.artifact import read_json
from stages.ratify_constitution.charter import escape, votes_table
from stages.records import Constitution, Principle, VoteCount

Notes = Mapping[str, tuple[str, ...]]  # principle -> what to look at, in words


def notes(draft: Constitution, folder: Path) -> dict[str, tuple[str, ...]]:
    """What may say the same as a principle or contradict it, from the draft and, where it is there, alike.json."""
    by_statement = {principle.statement_ids[0]: principle.id for principle in draft.principles}
    found: dict[str, dict[str, str]] = {principle.id: {} for principle in draft.principles}  # what -> why
    alike = folder / "alike.json"
    pairs = read_json(alike) if alike.exists() else {}
    for kind, words in (("duplicates", "may say the same as"), ("contradictions", "may contradict")):
        for pair in pairs.get(kind, []):
            for one, other in ((pair["first"], pair["second"]), (pair["second"], pair["first"])):
                if one in by_statement:
                    note = f"{words} {by_statement.get(other, f'statement {other}')}"
                    found[by_statement[one]][note] = pair["reason"]
    for principle in draft.principles:
        for other in principle.conflicts:
            found[principle.id].setdefault(f"may contradict {other}", "")
    return {
        name: tuple(f"{note} ({why})" if why else note for note, why in whys.items()) for name, whys in found.items()
    }


def votes_in_words(principle: Principle) -> str:
    """Votes per group on one line: who agrees, who does not, who passes."""
    votes = principle.votes or {"all": principle.votes_total}
    return "; ".join(f"{group}: {_count(count)}" for group, count in votes.items())


def _count(count: VoteCount) -> str:
    return f"{count.agree} agree, {count.disagree} disagree, {count.passed} pass"


def draft_page(draft: Constitution, look_at: Notes) -> str:
    """The draft as Markdown."""
    parts = [
        f"# {escape(draft.question)}",
        f"{len(draft.principles)} drafted principles wait for a decision by people.",
    ]
    if draft.process and draft.process.simulated:
        parts.append("**The participants and their votes are simulated: nobody voted here.**")
    if draft.method:
        parts.append(escape(draft.method.verdict))
    parts += [_principle(principle, look_at.get(principle.id, ())) for principle in draft.principles]
    return "\n\n".join(parts)


def _principle(principle: Principle, look_at: tuple[str, ...]) -> str:
    parts = [f"## {principle.id}", f"> {escape(principle.text)}"]
    parts += [
        f"{escape(language)} ({wording.origin} translation): {escape(wording.value)}"
        for language, wording in principle.texts.items()
        if language != principle.language
    ]
    parts.append(votes_table(principle.votes or {"all": principle.votes_total}))
    parts.append(f"Language: {escape(principle.language)}; {escape(principle.selection.reason)}.")
    parts += [f"**Look at:** {escape(note)}" for note in look_at]
    return "\n\n".join(parts)
