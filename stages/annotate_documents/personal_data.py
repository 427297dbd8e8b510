"""Find personal data in texts: e-mail, phone, IP address, IBAN, payment card and national ids, for typed placeholders.

A compiled look names the places where something could stand (`pii_sites.py`); patterns, check digits and the words beside a
number decide. Names are found only where a plug-in is given.
"""

from __future__ import annotations

import functools
import importlib
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from stdnum import numdb

from stages.annotate_documents import national_ids, phones, pii_context, pii_sites
from stages.errors import Trouble

PERSONAL_DATA = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("start", pa.int32()),  # in characters
        pa.field("end", pa.int32()),
    ]
)
EMAIL, PHONE, ADDRESS, IBAN, CARD, NATIONAL_ID, NAME = KINDS = (
    "e-mail", "phone", "ip address", "iban", "card", "national id", "name",
)  # fmt: skip
NAMES_KEY, NAMES_NOT_SOUGHT = b"names", b"not looked for"  # metadata of the table's schema
ROUNDS = 8  # what a placeholder newly stands beside is looked at again; two rounds are usual

LONGEST_DOMAIN = 600  # characters, more than DOMAIN takes
LOCAL_CHARACTERS = 64  # of an e-mail address before the "@" (RFC 5321)
DOMAIN = re.compile(r"(?:[^\W_][\w-]{0,62}\.){1,8}[^\W\d_]{2,24}(?![^\W_])")
DIGITS, NO_DIGITS = re.compile(r"\d+", re.ASCII), re.compile(r"\D+", re.ASCII)
DATE = re.compile(
    r"\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}([./-])\d{1,2}\1\d{1,2}|\d{1,4}[/–-]\d{4}|\d{4}[/–-]\d{1,4}",
    re.ASCII,
)
FRENCH_PAIRS = re.compile(r"0[1-9]([ .\u00a0\u202f-])\d\d(?:\1\d\d){3}", re.ASCII)
CARD_SHAPE = re.compile(
    r"(?:\d{13,19}|\d{4}([ \u00a0-])\d{4}\1\d{4}\1\d{1,4}|\d{4}([ \u00a0-])\d{6}\2\d{4,5})(?!\w|[.,-]\d)", re.ASCII
)
# By the issuers' ranges (ISO/IEC 7812): Visa, Mastercard, American Express, Diners, Discover, JCB, Maestro.
CARD_NUMBER = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|"
    r"3(?:0[0-5]|[689]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12}|(?:2131|1800|35\d{3})\d{11}|(?:5018|5020|5038|6304|6759|676[1-3])\d{8,15}",
    re.ASCII,
)
DOUBLED = str.maketrans("0123456789", "0246813579")
PLUS = re.compile(r"\+[ \u00a0]?\(?\Z")
SIX_DIGITS = re.compile(
    r"\d{3}[ \u00a0.-]?\d{3}", re.ASCII
)  # as Andorra writes them; "12.385-3" is a standard's number
NOT_AFTER = re.compile(r"[\w@]|[.,]\d")  # no number ends before these
BLANK_BEFORE = " \t\n\r\u00a0\u2009\u202f(/[,;:"
IBAN_TEXT = re.compile(r"[A-Za-z]{2}\d\d(?:[ \u00a0.-]?[A-Za-z0-9]){11,27}", re.ASCII)
SEPARATORS = re.compile(r"[ \u00a0.-]")
NEXT_BESIDE = re.compile(r"[^\d]{1,3}(?=\d)", re.ASCII)


ADDRESSES = (pii_sites.DOTTED, pii_sites.COLONS)


class Span(NamedTuple):
    """Where personal data stands, in characters."""

    kind: str
    start: int
    end: int


Site = list[int]  # of pii_sites: start, kind, end, flags, run
FindNames = Callable[[str], Iterable[tuple[int, int]]]


def spans(text: str, find_names: FindNames | None = None) -> list[Span]:
    """The personal data of a text, in order, without overlaps; nothing is found in the text with placeholders instead."""
    return _settled(text, _places(pii_sites.sites_of(text)), find_names)


def table(documents: pa.Table, find_names: FindNames | None = None, names: str = "") -> pa.Table:
    """The personal-data table of documents with `id` and `text`; its metadata says which plug-in looked for names."""
    documents = pa.table(documents)
    found = pii_sites.sites(documents["text"])
    numbers, begins = np.unique(found[:, pii_sites.TEXT], return_index=True)
    places = dict(zip(numbers.tolist(), np.split(found, begins[1:]), strict=False)) if len(numbers) else {}
    read = documents if find_names else documents.take(pa.array(numbers))
    rows = []
    for number, identity, text in zip(
        range(len(read)) if find_names else numbers.tolist(),
        read["id"].to_pylist(),
        read["text"].to_pylist(),
        strict=True,
    ):
        here = _places(places[number]) if number in places else []
        rows += [(identity, *span) for span in _settled(text or "", here, find_names)]
    sought = names.encode() if find_names else NAMES_NOT_SOUGHT
    schema = PERSONAL_DATA.with_metadata({NAMES_KEY: sought})
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in PERSONAL_DATA]
    return pa.table(columns, schema=schema)


def mask(text: str, found: Sequence[Span]) -> str:
    """The text with [kind] in the place of every span."""
    pieces, last = [], 0
    for span in found:
        pieces += [text[last : span.start], f"[{span.kind}]"]
        last = span.end
    return "".join(pieces) + text[last:]


def load_names(plug_in: str | None) -> FindNames | None:
    """The function "module:function" that gives the (start, end) of people's names in a text, or None where none is named."""
    if not plug_in:
        return None
    module, _, name = plug_in.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise Trouble(
            f"The names plug-in '{plug_in}' cannot be loaded ({error}); wanted 'module:function', of an installed module, "
            "that takes a text and gives (start, end) pairs; leave it empty to look for no names."
        ) from None
    return function


def _places(found: NDArray[np.int64]) -> list[Site]:
    columns = [pii_sites.START, pii_sites.KIND, pii_sites.END, pii_sites.FLAGS, pii_sites.RUN]
    places: list[Site] = found[:, columns].tolist()
    return places


def _settled(text: str, places: list[Site], find_names: FindNames | None) -> list[Span]:
    """The spans after which nothing more is found in the masked text."""
    found = _scan(text, places)
    if find_names:
        found = _merged(
            found, [Span(NAME, start, end) for start, end in find_names(text) if 0 <= start < end <= len(text)]
        )
    new = found
    for _ in range(ROUNDS):
        if not new:
            break
        masked = mask(text, found)
        again = _scan(masked, _beside(pii_sites.sites_of(masked), found, new))
        new = list(_in_original(again, found))
        found = sorted([*found, *new], key=lambda span: span.start)
    return found


def _beside(places: NDArray[np.int64], found: list[Span], new: list[Span]) -> list[Site]:
    """Of the places in a masked text those that a new placeholder stands near: about the others nothing has changed."""
    sizes = np.array([(span.start, span.end, len(span.kind) + 2) for span in found])
    grown = np.cumsum(sizes[:, 2] - (sizes[:, 1] - sizes[:, 0]))
    is_new = np.isin(sizes[:, 0], np.array([span.start for span in new]))
    ends = (sizes[:, 1] + grown)[is_new]  # of the placeholders, in the masked text
    starts = ends - sizes[is_new, 2]
    ahead = np.where(places[:, pii_sites.KIND] == pii_sites.AT, LONGEST_DOMAIN, pii_context.LOOK_BEHIND)
    first = np.searchsorted(ends, places[:, pii_sites.RUN] - pii_context.LOOK_BEHIND)
    near = np.searchsorted(starts, places[:, pii_sites.END] + ahead, side="right") > first
    return _places(places[near])


def _in_original(again: list[Span], found: list[Span]) -> Iterator[Span]:
    """Spans of a masked text, where they stand in the text itself; none reaches into a placeholder."""
    grown, following = 0, 0
    for span in again:
        while following < len(found) and found[following].start + grown < span.start:
            _, start, end = found[following]
            grown += len(f"[{found[following].kind}]") - (end - start)
            following += 1
        yield Span(span.kind, span.start - grown, span.end - grown)


def _merged(first: list[Span], names: Iterable[Span]) -> list[Span]:
    """Both, in order; of the names those that overlap nothing else."""
    kept, last, following = list(first), 0, 0
    for span in sorted(names, key=lambda span: (span.start, -span.end)):
        while following < len(first) and first[following].end <= span.start:
            following += 1
        if span.start >= last and (following == len(first) or first[following].start >= span.end):
            kept.append(span)
            last = span.end
    return sorted(kept, key=lambda span: span.start)


def _scan(text: str, places: list[Site]) -> list[Span]:
    """What is found in one go: first what needs no context, then numbers from left to right, each beside those before it."""
    by_itself = {
        pii_sites.AT: _email,
        pii_sites.IBAN: _iban,
        pii_sites.TAX_CODE: _tax_code,
    }
    sure = [by_itself[kind](text, start, end) for start, kind, end, _, _ in places if kind in by_itself]
    scan = _Scan(text, [], _without_overlaps(span for span in sure if span))
    looked_at = 0  # numbers up to here
    for start, kind, end, flags, run in sorted(places):
        if kind == pii_sites.NUMBER and start >= looked_at:
            looked_at = _numbers(scan, start, end, flags, run)
        elif kind in ADDRESSES and scan.is_free(start, end) and (span := _address(scan, start, end, flags)):
            scan.accepted.append(span)
    scan.pass_by(len(text))
    return scan.accepted


class _Scan(NamedTuple):
    """A text on the way through: what was accepted up to here, and what is known to stand ahead (its first last)."""

    text: str
    accepted: list[Span]
    ahead: list[Span]

    def pass_by(self, place: int) -> None:
        """Accept what stands before a place."""
        while self.ahead and self.ahead[-1].start < place:
            self.accepted.append(self.ahead.pop())

    def is_free(self, start: int, end: int) -> bool:
        """Whether nothing accepted overlaps; call it from left to right."""
        self.pass_by(start)
        return not (self.accepted and self.accepted[-1].end > start) and not (self.ahead and self.ahead[-1].start < end)

    def left(self, start: int) -> str:
        """What stands before a place, with placeholders: as the masked text would show it."""
        if not self.is_beside(start):
            return self.text[max(0, start - pii_context.LOOK_BEHIND) : start]
        pieces: list[str] = []
        size, end = 0, start
        for span in reversed(self.accepted):
            if size >= pii_context.LOOK_BEHIND or end - span.end >= pii_context.LOOK_BEHIND:
                break
            pieces += [self.text[span.end : end], f"[{span.kind}]"]
            size += end - span.end + len(pieces[-1])
            end = span.start
        pieces.append(self.text[max(0, end - pii_context.LOOK_BEHIND) : end])
        return "".join(reversed(pieces))[-pii_context.LOOK_BEHIND :]

    def is_beside(self, start: int, reach: int = pii_context.LOOK_BEHIND) -> bool:
        """Whether a placeholder stands so near before a place that it may be read with it."""
        return bool(self.accepted) and start - self.accepted[-1].end < reach

    def may_say(self, start: int, is_likely: int) -> bool:
        """Whether a word can be asked for: the compiled look met one that begins like it, or a placeholder changes the text."""
        return bool(is_likely) or self.is_beside(start)

    def says(self, words: re.Pattern[str], start: int, is_likely: int) -> bool:
        """Whether one of the words stands before a place."""
        return self.may_say(start, is_likely) and pii_context.stands_before(words, self.left(start))


def _without_overlaps(found: Iterable[Span]) -> list[Span]:
    """The spans from the last to the first; of two that overlap the one that begins first."""
    kept: list[Span] = []
    for span in sorted(found, key=lambda span: (span.start, -span.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept[::-1]


def _email(text: str, at: int, end: int) -> Span | None:
    start = at
    while start > 0 and at - start < LOCAL_CHARACTERS and (text[start - 1].isalnum() or text[start - 1] in "._%+-'"):
        start -= 1
    while start < at and text[start] in ".-'%":
        start += 1
    domain = DOMAIN.match(text, end)
    return Span(EMAIL, start, domain.end()) if domain and start < at else None


def _iban(text: str, start: int, end: int) -> Span | None:
    """The IBAN that stands here, whose length and check digits are right, if it is separated and made up as its country's are."""
    written = text[start:end]
    if not IBAN_TEXT.fullmatch(written) or text[end : end + 1].isalnum():
        return None
    compact = SEPARATORS.sub("", written).upper()
    structure = _account_structure(compact[:2])
    return Span(IBAN, start, end) if structure and structure.fullmatch(compact, 4) else None


@functools.cache
def _account_structure(country: str) -> re.Pattern[str] | None:
    """What stands behind the check digits, by the registry that python-stdnum carries: "5!n1!a" is five digits and a capital."""
    signs = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}
    structure = numdb.get("iban").info(country)[0][1].get("bban", "")
    parts = re.findall(r"(\d+)!([nac])", structure)
    return re.compile("".join(f"{signs[sign]}{{{count}}}" for count, sign in parts)) if parts else None


def _tax_code(text: str, start: int, end: int) -> Span | None:
    if not national_ids.CODICE_FISCALE.fullmatch(text, start, end) or text[end : end + 1].isalnum():
        return None
    return Span(NATIONAL_ID, start, end) if national_ids.is_codice_fiscale(text[start:end]) else None


def _address(scan: _Scan, start: int, end: int, flags: int) -> Span | None:
    text = scan.text
    if (start and (text[start - 1].isalnum() or text[start - 1] in "_.-:")) or NOT_AFTER.match(text, end):
        return None
    clear = flags & pii_sites.CLEAR and (":" in text[start:end] or not pii_context.SECTION.search(scan.left(start)))
    if not clear and not scan.says(pii_context.ADDRESS, start, flags & pii_sites.SAYS_ADDRESS):
        return None
    try:
        ipaddress.ip_address(text[start:end])
    except ValueError:
        return None
    return Span(ADDRESS, start, end)


def _numbers(scan: _Scan, start: int, end: int, flags: int, run: int) -> int:
    """Accept the number that begins at a site, and those right behind it; gives up to where was looked."""
    if flags & pii_sites.LIKE_DATE and DATE.fullmatch(scan.text, run, end) and not scan.text[end : end + 1].isalpha():
        return end
    while scan.is_free(start, start + 1) and (start == run or _may_begin(scan, start)):
        if not flags & pii_sites.FIRST and scan.is_beside(start, pii_sites.WIDEST_GAP + 1):
            flags = pii_sites.ANYTHING
        span = _number(scan, start, end, flags)
        if not span or not scan.is_free(span.start, span.end):
            break
        scan.accepted.append(span)
        # What stands beside a number that was found is looked at, whatever its place in the run.
        beside = NEXT_BESIDE.match(scan.text, span.end, end)
        if not beside:
            return span.end
        start, flags = beside.end(), pii_sites.ANYTHING
    return start + 1


def _may_begin(scan: _Scan, begin: int) -> bool:
    """Whether a group of digits within a run may be the first of a number: not behind a decimal point."""
    return scan.text[begin - 1] in BLANK_BEFORE or (bool(scan.accepted) and scan.accepted[-1].end >= begin - 1)


def _number(scan: _Scan, start: int, end: int, flags: int) -> Span | None:
    """The national id, card or phone number that begins with the digits at `start`, of a run that ends at `end`."""
    text = scan.text
    for begin in range(max(0, start - 2), start):  # X1234567L, F-123456-Z
        if text[begin] in "XYZxyzEF" and not (begin and (text[begin - 1].isalnum() or text[begin - 1] == "_")):
            return _national_id(scan, begin, start, flags, national_ids.LETTERS_FIRST)
    if start and (text[start - 1].isalnum() or text[start - 1] in "_@#"):
        return None
    is_id = flags & pii_sites.ID or (flags & pii_sites.ID_BY_WORD and scan.may_say(start, flags & pii_sites.SAYS_ID))
    if is_id and (span := _national_id(scan, start, start, flags, national_ids.DIGITS_FIRST)):
        return span
    card = _card(text, start) if flags & pii_sites.CARD else None
    return card or _phone(scan, start, end, flags)


def _national_id(
    scan: _Scan, begin: int, digits: int, flags: int, shapes: tuple[national_ids.Shape, ...]
) -> Span | None:
    def is_named() -> bool:
        return bool(flags & pii_sites.FIRST) and scan.says(pii_context.NATIONAL_ID, digits, flags & pii_sites.SAYS_ID)

    in_a_row = DIGITS.match(scan.text, digits)
    assert in_a_row
    last = national_ids.end_of_national_id(scan.text, begin, in_a_row.end() - digits, shapes, is_named)
    return Span(NATIONAL_ID, begin, last) if last else None


def _card(text: str, start: int) -> Span | None:
    match = CARD_SHAPE.match(text, start)
    if not match:
        return None
    digits = _digits(match.group())
    return Span(CARD, *match.span()) if CARD_NUMBER.fullmatch(digits) and _luhn_holds(digits) else None


def _luhn_holds(digits: str) -> bool:
    """Whether the last digit is right: every second one from the right counts double, less nine above nine."""
    doubled = digits[-2::-2].translate(DOUBLED)
    return (sum(map(int, digits[-1::-2])) + sum(map(int, doubled))) % 10 == 0


def _phone(scan: _Scan, start: int, end: int, flags: int) -> Span | None:
    """The phone number that begins here: by its "+" or "00", by France's shape, or beside a word."""
    text = scan.text
    pairs = FRENCH_PAIRS.match(text, start) if flags & pii_sites.PAIRS else None
    if pairs and (span := _national(text, *pairs.span())):
        return span
    said = flags & pii_sites.PHONE and scan.may_say(start, flags & pii_sites.SAYS_PHONE)
    if not (said or flags & (pii_sites.ABROAD | pii_sites.BEHIND)):
        return None
    found = islice(DIGITS.finditer(text, start, end), phones.MOST_DIGITS)
    groups = _of_one_number(text, [match.span() for match in found])
    plus = PLUS.search(text[max(0, start - 3) : start]) is not None
    if plus or (flags & pii_sites.FIRST and text.startswith("00", start)):
        return _phone_abroad(text, groups, plus)
    if said and _may_be_national(text, groups) and scan.says(pii_context.PHONE, start, flags & pii_sites.SAYS_PHONE):
        return next(filter(None, (_national(text, start, end) for end in _likely_ends(text, groups))), None)
    end = groups[-1][1]
    return _national(text, start, end) if pii_context.PHONE_BEHIND.match(text, end) else None


def _of_one_number(text: str, groups: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The groups up to a wide gap: "612 345 678 / 612 345 679" are two numbers."""
    for number in range(1, len(groups)):
        gap = text[groups[number - 1][1] : groups[number][0]]
        if len(gap) > 2 and "(" not in gap and ")" not in gap:
            return groups[:number]
    return groups


def _phone_abroad(text: str, groups: list[tuple[int, int]], plus: bool) -> Span | None:
    start, size, ends = groups[0][0], 0, []
    for begin, end in groups:
        size += end - begin
        ends.append((size, end))
    for size, end in reversed(ends):
        if not phones.FEWEST_DIGITS + 2 <= size - (0 if plus else 2) <= phones.MOST_DIGITS + 1:  # 1: the 0 of "(0)"
            continue
        digits = _digits(text[start:end].replace("(0)", ""))[0 if plus else 2 :]
        if (
            phones.FEWEST_DIGITS + 2 <= len(digits) <= phones.MOST_DIGITS
            and phones.is_international(digits)
            and not NOT_AFTER.match(text, end)
        ):
            return Span(PHONE, _with_sign(text, start), end)
    return None


def _digits(written: str) -> str:
    return NO_DIGITS.sub("", written)


def _may_be_national(text: str, groups: list[tuple[int, int]]) -> bool:
    return groups[-1][1] - groups[0][0] >= phones.FEWEST_DIGITS and not DATE.fullmatch(
        text, groups[0][0], groups[-1][1]
    )


def _likely_ends(text: str, groups: list[tuple[int, int]]) -> list[int]:
    """Where a number could end: the longest first, but nine digits where a second number may follow (Spain, Portugal)."""
    start, size, nine, longest_last = groups[0][0], 0, [], []
    digits = _digits(text[start : groups[-1][1]])
    for begin, end in groups:
        size += end - begin
        if size == 9 and text[start] in "26789":
            nine = [end]
        if phones.FEWEST_DIGITS <= size <= phones.MOST_NATIONAL_DIGITS and phones.is_national(digits[:size]):
            longest_last.append(end)
    longest_first = longest_last[::-1]
    return nine + longest_first if size > phones.MOST_NATIONAL_DIGITS else longest_first


def _national(text: str, start: int, end: int) -> Span | None:
    """A phone number without country code, if it is one."""
    written = text[start:end]
    digits = _digits(written)
    if not phones.FEWEST_DIGITS <= len(digits) <= phones.MOST_NATIONAL_DIGITS or NOT_AFTER.match(text, end):
        return None
    if DATE.fullmatch(written) or (len(digits) == phones.FEWEST_DIGITS and not SIX_DIGITS.fullmatch(written)):
        return None
    return Span(PHONE, _with_bracket(text, start, end), end) if phones.is_national(digits) else None


def _with_sign(text: str, start: int) -> int:
    sign = PLUS.search(text, max(0, start - 3), start)
    return sign.start() if sign else start


def _with_bracket(text: str, start: int, end: int) -> int:
    return start - 1 if start and text[start - 1] == "(" and ")" in text[start:end] else start
