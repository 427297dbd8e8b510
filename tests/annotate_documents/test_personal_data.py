"""Personal data is found by shape, check digits and the word beside it; laws' numbers are not taken for it."""

import itertools
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import phonenumbers
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.annotate_documents import national_ids, phones, pii_context, pii_sites
from stages.annotate_documents.personal_data import (
    ADDRESS,
    CARD,
    EMAIL,
    IBAN,
    NAME,
    NAMES_KEY,
    NATIONAL_ID,
    PHONE,
    Span,
    load_names,
    mask,
    spans,
    table,
)  # fmt: skip
from stages.errors import Trouble

LAW = Path(__file__).parents[2] / ".." / "shared" / "data" / "corpus" / "documents.parquet"


# Check digits, each by its country's rule, so that no real person's number stands here.
def iban(country: str, account: str) -> str:
    letters = account + country + "00"
    check = 98 - int("".join(str(int(sign, 36)) for sign in letters)) % 97
    return f"{country}{check:02}{account}"


def card(start: str) -> str:
    """Luhn: every second digit doubled, from the right."""
    total = 0
    for place, digit in enumerate(reversed(start)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return start + str(-total % 10)


def dni(number: int) -> str:
    return f"{number:08}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def nie(number: int) -> str:
    return "X" + dni(number)[1:]


def nuss(first_ten: str) -> str:
    return f"{first_ten}{int(first_ten) % 97:02}"


def nir(first_thirteen: str) -> str:
    return f"{first_thirteen}{97 - int(first_thirteen) % 97:02}"


def idnr(first_ten: str) -> str:
    """ISO 7064, mod 11, 10."""
    product = 10
    for digit in first_ten:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return first_ten + str((11 - product) % 10)


def nif(first_eight: str) -> str:
    rest = sum((9 - place) * int(digit) for place, digit in enumerate(first_eight)) % 11
    return first_eight + str(0 if rest < 2 else 11 - rest)


def bsn(first_eight: str) -> str:
    check = sum((9 - place) * int(digit) for place, digit in enumerate(first_eight)) % 11
    assert check < 10
    return first_eight + str(check)


def belgian(first_nine: str) -> str:
    return f"{first_nine}{97 - int(first_nine) % 97:02}"


def pps(digits: str) -> str:
    return digits + "WABCDEFGHIJKLMNOPQRSTUV"[sum((8 - place) * int(digit) for place, digit in enumerate(digits)) % 23]


def vnr(serial: str, birth: str) -> str:
    weights = (3, 7, 9, 5, 8, 4, 2, 1, 6)
    check = sum(weight * int(digit) for weight, digit in zip(weights, serial + birth, strict=True)) % 11
    assert check < 10
    return f"{serial}{check} {birth}"


def luxembourgish(first_eleven: str) -> str:
    return card(first_eleven) + verhoeff(first_eleven)


def verhoeff(digits: str) -> str:
    """A check digit in the dihedral group of the pentagon: turns 0 to 4, reflections 5 to 9."""

    def after(a: int, b: int) -> int:
        turn = (b if a < 5 else -b) + a
        return turn % 5 + 5 * ((a < 5) != (b < 5))

    moved = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
    product = 0
    for place, digit in enumerate(reversed(digits), 1):
        value = int(digit)
        for _ in range(place):
            value = moved[value]
        product = after(product, value)
    return str(next(check for check in range(10) if after(product, check) == 0))


def by_fours(number: str) -> str:
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def codice_fiscale(first_fifteen: str) -> str:
    odd = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
    ), strict=True))  # fmt: skip
    total = 0
    for place, sign in enumerate(first_fifteen):
        total += odd[sign] if place % 2 == 0 else (int(sign) if sign.isdigit() else ord(sign) - 65)
    return first_fifteen + chr(65 + total % 26)


FRENCH_NIR = nir("1850578006084")
ITALIAN = codice_fiscale("RSSMRA85T10A562")

# What is sought stands between « and ».
FOUND = [
    ("en", EMAIL, "Write to «jane.o'neill+city@example.co.uk», please."),
    ("ca", EMAIL, "Adreceu-vos a «participació@ajuntament.example.cat»."),
    ("eu", EMAIL, "Idatzi «herritarrak@udala.eus» helbidera."),
    ("de", EMAIL, "Schreiben Sie an <«m.müller@bürger.example.de»>!"),
    ("oc", EMAIL, "Escrivètz a «contacte@comuna.example.org»: vos respondrem."),
    ("en", PHONE, "Call me on «07700 900123» after five."),
    ("en", PHONE, "Phone: «(01) 679 2777», ask for Mary."),
    ("en", PHONE, "My number is «+44 (0)20 7946 0958»."),
    ("es", PHONE, "Llámame al «612 345 678» cuando puedas."),
    ("es", PHONE, "Teléfono de contacto: «93 123 45 67»."),
    ("es", PHONE, "Tel. «0034 612 345 678»"),
    ("fr", PHONE, "Appelez-moi au «06 12 34 56 78» ce soir."),
    ("fr", PHONE, "Mairie, «01.42.76.40.40», du lundi au vendredi"),
    ("fr", PHONE, "Mon numéro : «+33 6 12 34 56 78»."),
    ("ca", PHONE, "Truqueu al «972 40 10 00» (Ajuntament)."),
    ("ca", PHONE, "«612 345 678» (mòbil), tot el dia"),
    ("ca", PHONE, "Telèfon del Comú: «871 100»."),
    ("eu", PHONE, "Deitu «943 48 10 00» zenbakira."),
    ("eu", PHONE, "Telefonoa: «612345678»."),
    ("gl", PHONE, "Chámame ao «981 18 42 00» pola mañá."),
    ("gl", PHONE, "O meu teléfono é o «+34 981 184 200»."),
    ("oc", PHONE, "Telefòn: «05 61 22 29 22», a la comuna."),
    ("de", PHONE, "Rufen Sie an: Tel. «030 9026-0999» oder später."),
    ("de", PHONE, "Handy «+49 151 23456789»"),
    ("it", PHONE, "Chiamami al «347 123 4567» domani."),
    ("it", PHONE, "Telefono «06 6982 1234», chiedere di Anna"),
    ("pt", PHONE, "Ligue para «912 345 678», por favor."),
    ("pt", PHONE, "Telemóvel: «+351 912 345 678»"),
    ("en", ADDRESS, "The server 'alpha' logged in from IP «8.8.4.4» at noon."),
    ("es", ADDRESS, "Entró desde «83.45.12.201» a medianoche."),
    ("ca", ADDRESS, "L'adreça IP «10.0.3.7» és interna."),
    ("fr", ADDRESS, "Connexion de «2001:db8:85a3::8a2e:370:7334» refusée"),
    ("eu", ADDRESS, "Zerbitzariaren IP helbidea: «203.0.113.9»."),
    ("de", ADDRESS, "Die IP-Adresse lautet «192.0.2.146»."),
    ("de", IBAN, f"Konto «{iban('DE', '370400440532013000')}» bei der Bank"),
    ("es", IBAN, f"Mi cuenta es «{by_fours(iban('ES', '21000418450200051332'))}»."),
    ("fr", IBAN, f"RIB : «{iban('FR', '20041010050500013M02606')}»"),
    ("it", IBAN, f"bonifico su «{iban('IT', 'X0542811101000000123456')}» entro lunedì"),
    ("gl", IBAN, f"Pagar en «{iban('PT', '000201231234567890154')}»"),
    ("eu", IBAN, f"Kontua: «{iban('ES', '20950292919112345678').lower()}»"),
    ("en", CARD, f"My card is «{card('411111111111111')}»."),
    ("es", CARD, f"Tarjeta «{by_fours(card('550000000000000'))}», caduca en mayo"),
    ("fr", CARD, f"carte «{card('37828224631000')}»"),
    ("es", NATIONAL_ID, f"Con DNI «{dni(12345678)}» y domicilio en León"),
    ("es", NATIONAL_ID, f"NIE «{nie(1234567)}»"),
    ("ca", NATIONAL_ID, f"DNI: «12.345.678-{dni(12345678)[-1]}», veïna de Girona"),
    ("gl", NATIONAL_ID, f"Número da Seguridade Social «{nuss('2812345678')}»"),
    ("eu", NATIONAL_ID, f"NAN «{dni(23456789)}»"),
    ("es", NATIONAL_ID, f"afiliada «28/12345678/{nuss('2812345678')[-2:]}»"),
    ("fr", NATIONAL_ID, f"née à Paris, «{FRENCH_NIR}»."),
    ("fr", NATIONAL_ID, f"sécu : «1 85 05 78 006 084 {FRENCH_NIR[-2:]}»"),
    ("de", NATIONAL_ID, f"Meine Steuer-ID ist «{idnr('8609574271')}»."),
    ("de", NATIONAL_ID, f"Sozialversicherungsnummer «{vnr('123', '010180')}» (Wien)"),
    ("it", NATIONAL_ID, f"codice fiscale «{ITALIAN}»"),
    ("it", NATIONAL_ID, f"la signora («{codice_fiscale('BNCLRA90A41H501')}») chiede"),
    ("pt", NATIONAL_ID, f"Contribuinte n.º «{nif('12345678')}», de Braga"),
    ("pt", NATIONAL_ID, "Cartão de Cidadão «00000000 0 ZZ4»"),  # the example in the card's specification
    ("fr", NATIONAL_ID, f"Registre national «85.07.30-033.{belgian('850730033')[-2:]}»"),
    ("de", NATIONAL_ID, f"Nationalnummer «{belgian('850730033')}»"),
    ("nl", NATIONAL_ID, f"Mijn BSN is «{bsn('11122233')}»."),
    ("en", NATIONAL_ID, f"PPS number «{pps('1234567')}», Cork"),
    ("fr", NATIONAL_ID, f"Matricule «{luxembourgish('18931201057')}»"),
    ("ca", NATIONAL_ID, "NRT «F-123456-Z», resident a Ordino"),
]

NOTHING = [
    ("en", "Article 1.1.3.2 and sections 5.12.131.2 to 10.2.3.4 apply."),
    ("de", "§ 12 Abs. 3 der Verordnung 1.2.3.4, zuletzt geändert am 12.03.2004"),
    ("es", "Artículo 192.120.131.202 de la Ley 39/2015, de 1 de octubre de 2015."),
    ("es", "Importe: 1.205.198.180 pesetas, unos 7.243.371,50 euros."),
    ("fr", "Loi n° 2005-102 du 11 février 2005, JORF du 12/02/2005, p. 2353"),
    ("fr", "Règlement (UE) 2016/679, articles 12 à 22, alinéas 1-2-3-4-5-6-7"),
    ("ca", "Decret 12345678, del 2019-05-04; BOPA 2019/1234 i 871.100 euros"),
    ("eu", "2015eko urriaren 1a, 1234567 biztanle, 612345678 euro"),
    ("en", "ISO 8601:2004 dates such as 2004-12-31 12:30:45 are no addresses, nor is std::vector or Art. 12::"),
    (
        "en",
        f"Order number {card('411111111111111')[:-1]}{(int(card('411111111111111')[-1]) + 1) % 10}",
    ),  # one digit off
    ("es", f"Expediente {dni(12345678)[:-1]}A"),  # the letter is Z
    ("de", "Konto DE00370400440532013000, IdNr. 86095742718"),  # checks that fail
    ("it", f"{ITALIAN[:-1]}{'A' if ITALIAN[-1] != 'A' else 'B'}"),
    ("en", "Version 10.2.131.200 of the software, @ home, me@home, 5 @ 3.50"),
    ("pt", "Decreto-Lei n.º 123 456 789 e 912345678 votos"),
    ("gl", "000000000000 e X0000000T non son de ninguén"),
]


@pytest.mark.parametrize(("language", "kind", "marked"), FOUND)
def test_is_found_where_it_stands(language: str, kind: str, marked: str) -> None:
    start, end = marked.index("«"), marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    assert spans(text) == [Span(kind, start, end)], language
    assert mask(text, spans(text)) == f"{text[:start]}[{kind}]{text[end:]}"


@pytest.mark.parametrize(("language", "text"), NOTHING)
def test_is_not_taken_for_personal_data(language: str, text: str) -> None:
    assert spans(text) == [], language


def test_every_language_and_kind_is_in_the_set() -> None:
    assert {language for language, _, _ in FOUND} >= {"en", "es", "fr", "ca", "eu", "gl", "oc", "de", "it", "pt"}
    assert min(Counter(kind for _, kind, _ in FOUND).values()) >= 3
    assert len(FOUND) + len(NOTHING) >= 60


def test_several_in_one_text() -> None:
    text = "Tel. 612 345 678 / 612 345 679, a@b.example, IP 10.0.0.1: 10.0.0.2; 612345670"
    found = spans(text)
    assert [text[span.start : span.end] for span in found] == [
        "612 345 678", "612 345 679", "a@b.example", "10.0.0.1", "10.0.0.2",
    ]  # fmt: skip
    assert mask(text, found) == "Tel. [phone] / [phone], [e-mail], IP [ip address]: [ip address]; 612345670"


def test_characters_are_counted_not_bytes() -> None:
    assert spans("👋 Ça va ? écris à é@example.fr") == [Span(EMAIL, 18, 30)]


def test_the_table_has_a_row_per_span_and_says_that_names_were_not_sought() -> None:
    documents = pa.table({"id": ["a", "b", "c"], "text": ["none", "é a@b.example 10.0.0.200", None]})
    rows = table(documents)
    assert rows.to_pylist() == [
        {"id": "b", "kind": EMAIL, "start": 2, "end": 13},
        {"id": "b", "kind": ADDRESS, "start": 14, "end": 24},
    ]
    assert rows.schema.metadata[NAMES_KEY] == b"not looked for"
    assert table(documents.slice(0, 1)).schema == rows.schema


def find_ada(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"Ada( Lovelace)?|ada@b", text)]


def test_names_come_from_a_plug_in() -> None:
    plug_in = f"{__name__}:find_ada"
    names = load_names(plug_in)
    text = "Ada Lovelace, ada@b.example"
    assert spans(text, names) == [Span(NAME, 0, 12), Span(EMAIL, 14, 27)]
    rows = table(pa.table({"id": ["a"], "text": ["Ada"]}), names, plug_in)
    assert rows.to_pylist() == [{"id": "a", "kind": NAME, "start": 0, "end": 3}]
    assert rows.schema.metadata[NAMES_KEY] == plug_in.encode()
    assert load_names(None) is None


@pytest.mark.parametrize("plug_in", ["no_such_module_at_all:find", "re:no_such_function", "re", ":find"])
def test_a_plug_in_that_is_not_there(plug_in: str) -> None:
    with pytest.raises(Trouble, match=r"cannot be loaded.*wanted 'module:function'"):
        load_names(plug_in)


PIECES = st.sampled_from([
    "tel ", "Tel.: ", "DNI ", "IP ", "612 345 678", "612345678", "+34 612 345 678", "06 12 34 56 78", "10.0.0.200", "8.8.8.8", "1.1.3.2",
    "a@b.example", "@", dni(12345678), nie(1234567), FRENCH_NIR, ITALIAN, iban("DE", "370400440532013000"), card("411111111111111"),
    "2001:db8::1", "::", ":", " ", ".", "-", "/", "(", ")", "+", "\n", "0", "93", "x", "é", "[phone]", "[ip address]", "2019/05/04", "art. ",
])  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_nothing_is_found_in_masked_text(text: str) -> None:
    found = spans(text)
    assert spans(mask(text, found)) == []
    for before, after in itertools.pairwise(found):
        assert before.end <= after.start
    assert table(pa.table({"id": ["x", "y"], "text": ["", text]}))["start"].to_pylist() == [
        span.start for span in found
    ]


REPEATED = (
    "1 ", "1", "1.", "1-", "12 34", "(1) ", "+1", "+33 ", "+33 6 12 34 56 78 ", "tel 1 ", "612 345 678 ", "tel 612 ", "tel 612 345 678 ",
    "123456 tel ", "0034 ", "06 12 34 56 78 ", "a", "a@", "@", "a.", "a@a.", "a-a.", "a@b.example ", "::", "::1 ", "1:", "f:f:", "a:1", "1/1/2019 ",
    "ES91 ", "ES12 ", "ES9", "AA11", "DE89370400440532013000 ", "1.1.1.1", "1.1.1.1.", "1.1.1.1.1 ", "IP 1.1.1.1 ", "12345678", "12345678Z ",
    "X1234567", "F-123456-", "ABCDEF85", "é1", "\u00a01", "4111 ", by_fours(card("411111111111111")) + " ", "(", "[", ")(", "[phone]", "612345678" + " " * 9000,
)  # fmt: skip
DRAWN = (
    "0123456789 .",
    "0123456789.-/() ",
    "@ab.",
    "@1",
    "+0123 ",
    "+(3) 06",
    "01:",
    "ESFR0123456789 ",
    "612 +tel.",
    "\u00a00123456789",
    "é1 ",
)


def hostile_texts(size: int) -> Iterator[tuple[str, str]]:
    """Texts made to be costly: one piece again and again, characters drawn at random, and a mixture; each with its name."""
    for piece in REPEATED:
        yield piece[:20], (piece * (size // len(piece) + 1))[:size]
    for characters in DRAWN:
        yield characters, "".join(random.Random(size).choices(characters, k=size))
    mixture = [piece for piece in REPEATED if len(piece) < 40]
    yield "mixture", "".join(random.Random(size).choices(mixture, k=size // 3))[:size]


def steps(text: str) -> int:
    """How many calls, of Python and of C, a look at a text takes: the same on every machine."""
    count = 0

    def one_more(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event.endswith("call")

    before = sys.getprofile()
    sys.setprofile(one_more)
    try:
        spans(text)
    finally:
        sys.setprofile(before)
    return count


def test_texts_made_to_be_costly_take_time_in_proportion() -> None:
    for (name, small), (_, large) in zip(hostile_texts(5_000), hostile_texts(20_000), strict=True):
        spans(small)  # compiles, imports and fills what is remembered
        few, many = steps(small), steps(large)
        # Four times as many, or few: in a long run of digits a first find, by chance, has all of it looked at again.
        assert many <= 4.6 * max(few, 2 * len(small)) + 1000, name
        assert many <= 12 * len(large), name  # a valid number beside a word, the dearest, takes ten calls a character
        # Patterns and compiled code take no steps that can be counted; were they quadratic, this would take 16 times as long.
        seconds = [min(cpu_seconds(text) for _ in range(2)) for text in (small, large)]
        assert seconds[1] <= 10 * seconds[0] + 1, name


def cpu_seconds(text: str) -> float:
    began = time.process_time()
    spans(text)
    return time.process_time() - began


def test_blanks_behind_a_number_are_read_once() -> None:
    began = time.process_time()
    assert spans("612345678" + " " * 1_000_000) == []  # a pattern that tried each blank twice would take days
    assert time.process_time() - began < 60


def test_places_are_right_behind_a_long_code() -> None:
    text = "X7076957A8001626 – IP +43664123989"  # sixteen letters and digits, as a tax code has
    assert [text[span.start : span.end] for span in spans(text)] == ["+43664123989"]


@pytest.mark.parametrize(("text", "written"), [
    ("Tel:612345678", "612345678"),
    ("12:30:45 83.45.12.201 GET /", "83.45.12.201"),
    ("nº 7.30.1 85.07.30-033." + belgian("850730033")[-2:], "85.07.30-033." + belgian("850730033")[-2:]),
    (f"Tel.: {by_fours(iban('ES', '21000418450200051332'))}-612 345 678", "612 345 678"),
])  # fmt: skip
def test_is_found_behind_other_numbers(text: str, written: str) -> None:
    assert written in [text[span.start : span.end] for span in spans(text)]


def test_the_compiled_look_reaches_as_far_as_the_patterns() -> None:
    assert pii_sites.LOOK_BEHIND == pii_context.LOOK_BEHIND
    assert pii_sites.LOOK_AHEAD == pii_context.LOOK_AHEAD
    assert pii_sites.DIGITS_BETWEEN == pii_context.DIGITS_BETWEEN


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (pii_context.PHONE, pii_sites.SAYS_PHONE),
        (pii_context.NATIONAL_ID, pii_sites.SAYS_ID),
        (pii_context.ADDRESS, pii_sites.SAYS_ADDRESS),
    ],
)
def test_the_compiled_look_knows_how_the_words_begin(words: re.Pattern[str], said: int) -> None:
    @settings(max_examples=500, deadline=None, derandomize=True)
    @given(
        st.from_regex(words, fullmatch=True),
        st.sampled_from(["", "l'", "(", "é "]),
        st.sampled_from([" ", ": ", " 1: "]),
    )
    def look(word: str, before: str, between: str) -> None:
        left = before + word + between
        if len(left) < pii_context.LOOK_BEHIND and pii_context.stands_before(words, left) and not left[-1].isdigit():
            # A plus or a private address: named in any case, with what is said before it.
            for text in (left + "612345678", left + "10.0.0.200"):
                flags = [
                    row[pii_sites.FLAGS]
                    for row in pii_sites.sites_of(text).tolist()
                    if row[pii_sites.START] == len(left)
                ]
                assert not flags or flags[-1] & said, text

    look()


def test_phone_rules_are_those_of_phonenumbers() -> None:
    for region in phones.REGIONS:
        for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
            number = phonenumbers.example_number_for_type(region, kind)
            digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
            assert phones.is_international(digits), region
            assert phones.is_national(phonenumbers.national_significant_number(number)), region
    for digits in (
        "34612345678",
        "3461234567",
        "346123456789",
        "33612345678",
        "33012345678",
        "4915123456789",
        "80012345678",
        "99912345",
    ):
        try:
            expected = phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}"))
        except phonenumbers.NumberParseException:
            expected = False
        assert phones.is_international(digits) == expected, digits


def test_shapes_are_bounded_and_begin_as_their_group_says() -> None:
    for shape in (*national_ids.DIGITS_FIRST, *national_ids.LETTERS_FIRST):
        assert "*" not in shape.pattern.pattern and "+" not in shape.pattern.pattern, shape.name


@pytest.mark.skipif(not LAW.exists(), reason="the corpus to try on is not beside this repository")
def test_laws_sound_few_alarms() -> None:
    documents = pq.read_table(LAW, columns=["id", "text", "kind"])
    law = documents.filter(pa.compute.equal(documents["kind"], "law"))
    rows = table(law).to_pylist()
    megabytes = pa.compute.sum(pa.compute.binary_length(law["text"])).as_py() / 1e6
    kinds = Counter(row["kind"] for row in rows)
    assert kinds[ADDRESS] == 0  # 7.4 per MB in datatrove, 9.3 in dolma: all of them section numbers
    # Those that are left are real ones (a ministry's fax, a clinic's telephone); see the benchmark.
    assert kinds[PHONE] <= megabytes
    assert kinds[NATIONAL_ID] + kinds[CARD] + kinds[IBAN] <= megabytes / 10


def test_no_check_is_imported_by_a_worker() -> None:
    # python-stdnum's modules import each other in circles: two threads that enter by different ones end in a deadlock
    code = (
        "import sys; from stages.annotate_documents import personal_data\n"
        "from stages.annotate_documents.national_ids import DIGITS_FIRST, LETTERS_FIRST\n"
        "before = {name for name in sys.modules if name.startswith('stdnum')}\n"
        "[shape.holds('11111111111111'[: max(shape.first)]) for shape in DIGITS_FIRST + LETTERS_FIRST]\n"
        "personal_data.mask('DE89 3704 0044 0532 0130 00, 12345678Z, 4111 1111 1111 1111', [])\n"
        "list(personal_data.spans('IBAN DE89 3704 0044 0532 0130 00, DNI 12345678Z, card 4111 1111 1111 1111'))\n"
        "print(*({name for name in sys.modules if name.startswith('stdnum')} - before))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert told.stdout.split() == []
