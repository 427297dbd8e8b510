"""Say how two constitutions differ, as an amendment reads."""

from __future__ import annotations

from typing import Any

from stages.ratify_constitution.amendments import between
from stages.records import Amendment, Constitution

ADOPTED_IN = ("title", "question", "license")


def as_content(before: Constitution, after: Constitution) -> dict[str, Any]:
    """The differences as plain values."""
    return {
        "title": after.title,
        "from": before.version,
        "to": after.version,
        "amendments": [amendment.model_dump() for amendment in between(before, after)],
        "facts": _facts(before, after),
        "translations": _translations(before, after),
    }


def in_words(before: Constitution, after: Constitution) -> str:
    """The differences as people read them out."""
    amendments = between(before, after)
    lines = [f"Amendment to {after.title}: version {before.version} → {after.version}."]
    if after.ratification:
        on = f" on {after.ratification.date}" if after.ratification.date else ""
        lines.append(f"Adopted by {after.ratification.by}{on}.")
    lines += [_article(amendment) for amendment in amendments]
    lines += [f"The {f['fact']} now is: “{f['after']}” (was: “{f['before']}”)" for f in _facts(before, after)]
    for text in _translations(before, after):
        lines.append(f"Article {text['principle']}: its translation into {text['language']} {_translation(text)}")
    if len(lines) <= 1 + bool(after.ratification):
        lines.append("Nothing that was adopted differs.")
    return "\n".join(" ".join(line.split()) for line in lines)


def _article(amendment: Amendment) -> str:
    before, after = amendment.before, amendment.after
    words = {
        "added": f"Article {amendment.principle} is added: “{after}”",
        "reworded": f"Article {amendment.principle} now reads: “{after}” (was: “{before}”)",
        "removed": f"Article {amendment.principle} is repealed (it read: “{before}”)",
    }[amendment.change]
    return f"{words}; reason: {amendment.reason}" if amendment.reason else words


def _facts(before: Constitution, after: Constitution) -> list[dict[str, str]]:
    return [
        {"fact": name, "before": getattr(before, name), "after": getattr(after, name)}
        for name in ADOPTED_IN
        if getattr(before, name) != getattr(after, name)
    ]


def _translations(before: Constitution, after: Constitution) -> list[dict[str, str | None]]:
    """Differences of the texts beside the adopted ones, of principles that both have."""
    earlier = {principle.id: principle for principle in before.principles}
    found: list[dict[str, str | None]] = []
    for principle in after.principles:
        if principle.id not in earlier:
            continue
        old, new = earlier[principle.id].texts, principle.texts
        for language in sorted((old.keys() | new.keys()) - {principle.language}):
            one = old[language].value if language in old else None
            other = new[language].value if language in new else None
            if one != other:
                found.append({"principle": principle.id, "language": language, "before": one, "after": other})
    return found


def _translation(text: dict[str, str | None]) -> str:
    if text["after"] is None:
        return f"is taken out (it read: “{text['before']}”)"
    return f"now reads: “{text['after']}”" + (f" (was: “{text['before']}”)" if text["before"] else "")
