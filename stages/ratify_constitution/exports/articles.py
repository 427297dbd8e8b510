"""Charter articles, as judge tasks for national AI charters read them: id, title, text and sub-clauses."""

from __future__ import annotations

from stages.ratify_constitution.exports import as_json
from stages.records import Constitution

FILE = "articles.json"


def export(constitution: Constitution) -> str:
    """One article per principle; our principles have no sub-clauses."""
    articles = [
        {"id": principle.id, "title": f"Article {number}", "text": principle.text, "subclauses": []}
        for number, principle in enumerate(constitution.principles, start=1)
    ]
    return as_json({"articles": articles})
