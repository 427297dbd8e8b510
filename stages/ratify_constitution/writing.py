"""Write the decisions file, YAML or CSV: whole or not at all, other people's comments and entries kept."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.artifact import read_text
from stages.errors import Trouble
from stages.ratify_constitution import table
from stages.ratify_constitution.decisions import TABLE, Decisions, Entry
from stages.ratify_constitution.draft_page import Notes, votes_in_words
from stages.records import Ballots, Constitution

OPENING = (
    "What people decided on each drafted principle: accept; reword (with text); merge (with into); reject.\n"
    "Kept in git; checked by ratify_constitution."
)


def write_decisions(path: Path, decisions: Decisions, draft: Constitution) -> None:
    """Write the file in the shape that its name says."""
    if path.suffix.lower() == TABLE:
        write_template(path, draft, decisions, {})
    else:
        table.replace(path, _as_yaml(path, decisions))


def _as_yaml(path: Path, decisions: Decisions) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    yaml = YAML()  # of YAML 1.2, which keeps comments and quotes
    yaml.preserve_quotes = True
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    content = yaml.load(read_text(path)) if path.exists() else None
    if not isinstance(content, CommentedMap):
        content = CommentedMap()
        content.yaml_set_start_comment(OPENING)
    new = decisions.model_dump(mode="json", exclude_defaults=True)
    entries = new.pop("decisions", [])
    _update(content, new, keep=("decisions",))
    content["decisions"] = _entries(content.pop("decisions", None), entries)
    text = io.StringIO()
    yaml.dump(content, text)
    return text.getvalue()


def _update(content: Any, new: Mapping[str, Any], keep: tuple[str, ...] = ()) -> None:
    """Make the mapping say `new`, leaving what is the same (and its comments) untouched."""
    for key in [key for key in content if key not in new and key not in keep]:
        del content[key]
    for key, value in new.items():
        if content.get(key) != value:
            content[key] = value


def _entries(there: Any, new: list[dict[str, Any]]) -> Any:
    """The list of decisions: those that are there are changed in place, the others follow."""
    from ruamel.yaml.comments import CommentedSeq

    entries = there if isinstance(there, CommentedSeq) else CommentedSeq()
    by_principle = {entry["principle"]: entry for entry in new}
    for number in reversed(range(len(entries))):
        changed = by_principle.pop(entries[number]["principle"], None)
        if changed is None:
            del entries[number]
        else:
            _update(entries[number], changed)
    entries.extend(by_principle.values())
    return entries


def write_template(path: Path, draft: Constitution, decisions: Decisions | None, look_at: Notes) -> None:
    """Write the table that a secretary fills in, with what is decided already."""
    if decisions and any(entry.translations for entry in decisions.decisions):
        raise Trouble(f"{path} is a table, which has no place for translations; wanted YAML for them: name it .yaml.")
    entries = {entry.principle: entry for entry in decisions.decisions} if decisions else {}
    before = dict(decisions.previous.principles) if decisions and decisions.previous else {}
    rows = [
        {
            "principle": principle.id,
            "language": principle.language,
            "drafted": principle.text,
            "votes": votes_in_words(principle),
            "look at": "; ".join(look_at.get(principle.id, ())),
            **_cells(entries.pop(principle.id, None)),
            **({"previous": before.pop(principle.id, "")} if before else {}),
        }
        for principle in draft.principles
    ]
    rows += [{"principle": name, **_cells(entry), "previous": before.pop(name, "")} for name, entry in entries.items()]
    rows += [{"principle": name, "previous": text} for name, text in sorted(before.items())]
    table.write_table(path, _facts(draft, decisions), rows)


def _cells(entry: Entry | None) -> dict[str, str]:
    if entry is None:
        return {}
    cells = {"decision": entry.decision, "reason": entry.reason, "by": entry.by}
    return cells | {"text": entry.text or "", "into": entry.into or "", **_ballots(entry.ballots)}


def _ballots(ballots: Ballots | None) -> dict[str, str]:
    return {name: str(number) for name, number in ballots.model_dump().items()} if ballots else {}


def _facts(draft: Constitution, decisions: Decisions | None) -> dict[str, str]:
    if decisions is None:
        return {"title": draft.title, "version": "1.0.0", "question": draft.question}
    facts = {name: getattr(decisions, name) for name in ("title", "version", "question", "by", "date")}
    if decisions.quorum:
        facts |= {"quorum": str(decisions.quorum.wanted), "present": str(decisions.quorum.present)}
    if decisions.previous:
        facts |= {"previous version": decisions.previous.version, "previous sha256": decisions.previous.sha256}
    return facts | _ballots(decisions.ballots)
