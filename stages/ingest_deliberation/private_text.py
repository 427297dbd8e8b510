"""Take out of a text what names or reaches a person: each place keeps a typed placeholder and is counted."""

from __future__ import annotations

import re
from collections import Counter

# `++` and the bounds: a long text made for it must not cost more than its length.
EMAIL = re.compile(
    r"(?<![\w.%+-])[\w.%+-]++(?:@|＠|\s?\(at\)\s?|\s?\[at\]\s?)[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}", re.IGNORECASE
)
# How Decidim keeps a mention in the database, and how it shows one (nicknames have up to 20 characters).
MENTION = re.compile(r"gid://\S{1,100}?/Decidim::User(?:Group)?/\d+(?:/\S*)?|(?<![\w@./])@[A-Za-z0-9_][\w-]{1,19}")

E_MAILS = "e-mail addresses replaced by [e-mail]"
MENTIONS = "mentions of people replaced by [person]"


def redacted(text: str, counts: Counter[str]) -> str:
    """The text without e-mail addresses and mentions; `counts` grows by what was replaced."""
    text, found = EMAIL.subn("[e-mail]", text)
    counts[E_MAILS] += found
    text, found = MENTION.subn("[person]", text)
    counts[MENTIONS] += found
    return text
