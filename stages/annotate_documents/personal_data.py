"""Find personal data in texts: e-mail, phone, IP address, IBAN, payment card and national ids, for typed placeholders.

A compiled look names the places where something could stand (`pii_sites.py`); patterns, check digits and the words beside a
number decide. Names are found only where a plug-in is given.
"""

from __future__ import annotations

import importlib
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa

from stages.annotate_documents import national_ids, phones, pii_context
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

LOCAL_CHARACTERS = 64  # of an e-mail address before the "@" (RFC 5321)
DOMAIN = re.compile(r"(?:[^\W_][\w-]{0,62}\.){1,8}[^\W\d_]{2,24}(?![^\W_])")
DIGITS = re.compile(r"\d+", re.ASCII)
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
PLUS = re.compile(r"\+[ \u00a0]?\(?\Z")
SIX_DIGITS = re.compile(
    r"\d{3}[ \u00a0.-]?\d{3}", re.ASCII
)  # as Andorra writes them; "12.385-3" is a standard's number
NOT_AFTER = re.compile(r"[\w@]|[.,]\d")  # no number ends before these
BLANK_BEFORE = " \t\n\r\u00a0\u2009\u202f(/[,;:"
IBAN_TEXT = re.compile(r"[A-Za-z]{2}\d\d(?:[ \u00a0.-]?[A-Za-z0-9]){11,27}", re.ASCII)
IBAN_LENGTHS = {
    "AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18,
    "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "UA": 29, "VA": 22,
}  # SWIFT IBAN registry  # fmt: skip
PRIVATE_NETWORKS = tuple(ipaddress.ip_network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


class Span(NamedTuple):
    """Where personal data stands, in characters."""

    kind: str
    start: int
    end: int


Site = tuple[int, int, int]  # kind of pii_sites, start, end
FindNames = Callable[[str], Iterable[tuple[int, int]]]


def spans(text: str, find_names: FindNames | None = None) -> list[Span]:
    """The personal data of a text, in order, without overlaps; nothing is found in the text with placeholders instead."""
    from stages.annotate_documents.pii_sites import sites_of

    return _settled(text, sites_of(text), find_names)


def table(documents: pa.Table, find_names: FindNames | None = None, names: str = "") -> pa.Table:
    """The personal-data table of documents with `id` and `text`; its metadata says which plug-in looked for names."""
    from stages.annotate_documents.pii_sites import sites

    documents = pa.table(documents)
    by_text: dict[int, list[Site]] = {}
    for number, kind, start, end in sites(documents["text"]).tolist():
        by_text.setdefault(number, []).append((kind, start, end))
    rows = []
    for number in range(documents.num_rows) if find_names else by_text:
        identity, text = documents["id"][number].as_py(), documents["text"][number].as_py() or ""
        rows += [(identity, *span) for span in _settled(text, by_text.get(number, []), find_names)]
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


def _settled(text: str, places: list[Site], find_names: FindNames | None) -> list[Span]:
    """The spans after which nothing more is found in the masked text."""
    from stages.annotate_documents.pii_sites import sites_of

    found = _scan(text, places)
    if find_names:
        found = _merged(
            found, [Span(NAME, start, end) for start, end in find_names(text) if 0 <= start < end <= len(text)]
        )
    for _ in range(ROUNDS):
        if not found:
            break
        masked = mask(text, found)
        again = _scan(masked, sites_of(masked))
        if not again:
            break
        found = sorted([*found, *_in_original(again, found)], key=lambda span: span.start)
    return found


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
    from stages.annotate_documents import pii_sites

    by_itself = {
        pii_sites.AT: _email,
        pii_sites.IBAN: _iban,
        pii_sites.TAX_CODE: _tax_code,
    }
    sure = [by_itself[kind](text, start, end) for kind, start, end in places if kind in by_itself]
    scan = _Scan(text, [], _without_overlaps(span for span in sure if span))
    for kind, start, end in sorted((site for site in places if site[0] not in by_itself), key=lambda site: site[1:]):
        if kind == pii_sites.NUMBER:
            _numbers(scan, start, end)
        elif scan.is_free(start, end) and (span := _address(scan, start, end)):
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

    def says(self, words: re.Pattern[str], start: int) -> bool:
        """Whether one of the words stands before a place."""
        return pii_context.stands_before(words, self.left(start))


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
    """The IBAN that begins here, as long as its country says; the words behind it may look like more of it."""
    from stdnum import iban

    match = IBAN_TEXT.match(text, start)
    length = IBAN_LENGTHS.get(text[start : start + 2].upper(), 0)
    places = [place for place, sign in enumerate(match.group()) if sign.isalnum()][:length] if match else []
    if not length or len(places) < length or text[start + places[-1] + 1 : start + places[-1] + 2].isalnum():
        return None
    compact = "".join(text[start + place] for place in places)
    # The checksum first: python-stdnum, which knows each country's letters and digits, is twenty times as slow.
    holds = int("".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])) % 97 == 1
    return Span(IBAN, start, start + places[-1] + 1) if holds and iban.is_valid(compact, check_country=False) else None


def _tax_code(text: str, start: int, end: int) -> Span | None:
    if not national_ids.CODICE_FISCALE.fullmatch(text, start, end) or text[end : end + 1].isalnum():
        return None
    return Span(NATIONAL_ID, start, end) if national_ids.is_codice_fiscale(text[start:end]) else None


def _address(scan: _Scan, start: int, end: int) -> Span | None:
    text = scan.text
    written = text[start:end].rstrip(".")
    end = start + len(written)
    if (start and (text[start - 1].isalnum() or text[start - 1] in "_.-:")) or NOT_AFTER.match(text, end):
        return None
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return None
    clear = _is_clear_v4(address, scan, start) if address.version == 4 else _is_clear_v6(written)
    return Span(ADDRESS, start, end) if clear or scan.says(pii_context.ADDRESS, start) else None


def _is_clear_v4(address: ipaddress.IPv4Address | ipaddress.IPv6Address, scan: _Scan, start: int) -> bool:
    """Whether four numbers are no section ("1.1.3.2"), version or amount ("1.205.198.180") even without a word."""
    if max(address.packed) < 100 or pii_context.SECTION.search(scan.left(start)):
        return False
    if any(address in network for network in PRIVATE_NETWORKS):
        return True
    large = sum(part > 40 for part in address.packed) >= 2 and address.packed[0] > 0
    return large and not all(part >= 100 for part in address.packed[1:])


def _is_clear_v6(written: str) -> bool:
    groups = [group for group in written.split(":") if group]
    return len(groups) >= 3 and any(character.isdigit() for character in written)


def _numbers(scan: _Scan, start: int, end: int) -> None:
    """Accept what a run of digits and separators holds."""
    if DATE.fullmatch(scan.text, start, end) and not scan.text[end : end + 1].isalpha():
        return  # three in ten of a law's
    groups = [match.span() for match in DIGITS.finditer(scan.text, start, end)]
    last = len(groups) - phones.MOST_DIGITS  # from here on a number may reach the word behind the run
    for number, (begin, _) in enumerate(groups):
        if not scan.is_free(begin, begin + 1) or not _may_begin(scan, begin, number):
            continue
        beside = bool(scan.accepted) and begin - scan.accepted[-1].end < 4
        span = _number(scan, groups[number : number + phones.MOST_DIGITS], number < 2 or beside, number >= last)
        if span and scan.is_free(span.start, span.end):
            scan.accepted.append(span)


def _may_begin(scan: _Scan, begin: int, number: int) -> bool:
    """Whether a group of digits stands at the beginning of something: not inside a word, nor behind a decimal point."""
    if number == 0:
        return True
    return scan.text[begin - 1] in BLANK_BEFORE or (bool(scan.accepted) and scan.accepted[-1].end >= begin - 1)


def _number(scan: _Scan, groups: list[tuple[int, int]], may_have_word: bool, is_last: bool) -> Span | None:
    """The national id, card or phone number that begins with the first of the groups."""
    text, start = scan.text, groups[0][0]
    size = groups[0][1] - start

    def is_named() -> bool:
        return may_have_word and scan.says(pii_context.NATIONAL_ID, start)

    for begin in range(max(0, start - 2), start):  # X1234567L, F-123456-Z
        if text[begin] in "XYZxyzEF" and not (begin and (text[begin - 1].isalnum() or text[begin - 1] == "_")):
            end = national_ids.end_of_national_id(text, begin, size, national_ids.LETTERS_FIRST, is_named)
            return Span(NATIONAL_ID, begin, end) if end else None
    if start and (text[start - 1].isalnum() or text[start - 1] in "_@#"):
        return None
    if end := national_ids.end_of_national_id(text, start, size, national_ids.DIGITS_FIRST, is_named):
        return Span(NATIONAL_ID, start, end)
    card = _card(text, start) if size == 4 or size >= 13 else None
    return card or _phone(scan, groups, may_have_word, is_last)


def _card(text: str, start: int) -> Span | None:
    from stdnum import luhn

    match = CARD_SHAPE.match(text, start)
    if not match:
        return None
    digits = "".join(DIGITS.findall(match.group()))
    return Span(CARD, *match.span()) if CARD_NUMBER.fullmatch(digits) and luhn.is_valid(digits) else None


def _phone(scan: _Scan, groups: list[tuple[int, int]], may_have_word: bool, is_last: bool) -> Span | None:
    """The phone number that begins with the first group: by its "+" or "00", by France's shape, or beside a word."""
    text, start = scan.text, groups[0][0]
    pairs = FRENCH_PAIRS.match(text, start)
    if pairs and (span := _national(text, *pairs.span())):
        return span
    plus = PLUS.search(text[max(0, start - 3) : start]) is not None
    if not (plus or may_have_word or is_last):
        return None
    groups = _of_one_number(text, groups)
    if plus or (may_have_word and text.startswith("00", start)):
        return _phone_abroad(text, groups, plus)
    if may_have_word and _may_be_national(text, groups) and scan.says(pii_context.PHONE, start):
        return next(
            (_national(text, start, end) for end in _likely_ends(text, groups) if _national(text, start, end)), None
        )
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
    start = groups[0][0]
    for _, end in reversed(groups):
        digits = "".join(DIGITS.findall(text[start:end].replace("(0)", "")))
        digits = digits if plus else digits[2:]
        if not phones.FEWEST_DIGITS + 2 <= len(digits) <= phones.MOST_DIGITS or NOT_AFTER.match(text, end):
            continue
        if phones.is_international(digits):
            return Span(PHONE, _with_sign(text, start), end)
    return None


def _may_be_national(text: str, groups: list[tuple[int, int]]) -> bool:
    return groups[-1][1] - groups[0][0] >= phones.FEWEST_DIGITS and not DATE.fullmatch(
        text, groups[0][0], groups[-1][1]
    )


def _likely_ends(text: str, groups: list[tuple[int, int]]) -> list[int]:
    """Where a number could end: the longest first, but nine digits where a second number may follow (Spain, Portugal)."""
    start, size, nine = groups[0][0], 0, []
    for begin, end in groups:
        size += end - begin
        if size == 9 and text[start] in "26789":
            nine = [end]
    longest_first = [end for _, end in reversed(groups)]
    return nine + longest_first if size > phones.MOST_NATIONAL_DIGITS else longest_first


def _national(text: str, start: int, end: int) -> Span | None:
    """A phone number without country code, if it is one."""
    written = text[start:end]
    digits = "".join(DIGITS.findall(written))
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
