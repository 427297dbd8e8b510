"""Personal data is masked and counted; the numbers of laws stay."""

from __future__ import annotations

import pytest

from stages.curate_corpus.personal_data import iban_checksum_holds, mask, residual


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Escriviu a jordi.puig@marelda.example, si us plau.", "Escriviu a [EMAIL], si us plau."),
        ("josé.ñandú@correo.example", "[EMAIL]"),
        ("Ingresso a ES91 2100 0418 4502 0005 1332 EUR abans", "Ingresso a [IBAN] EUR abans"),
        ("IBAN: FR7630006000011234567890189.", "IBAN: [IBAN]."),
        ("Truqueu al 938 12 34 56 al matí", "Truqueu al [PHONE] al matí"),
        ("appelez Nora Valdine au 06 39 98 00 42, de préférence", "appelez Nora Valdine au [PHONE], de préférence"),
        ("Deitu Ane Belmorari 943 12 34 56 zenbakira", "Deitu Ane Belmorari [PHONE] zenbakira"),
        ("teléfono: (93) 402.70.00", "teléfono: [PHONE]"),
        ("+34 612 345 678", "[PHONE]"),
        ("from IP address 192.168.10.4 at night", "from IP address [IP] at night"),
    ],
)
def test_personal_data_is_masked(text: str, masked: str) -> None:
    assert mask(text).text == masked


@pytest.mark.parametrize(
    "text",
    [
        "Section 1.1.3.2 of the Act applies.",
        "Article L12-1 du code, alinéa 3.2.1.4 et n° 2018-1201 du 22/12/2018",
        "Ley 19.334 de 14/08/2015, artículos 250, 251 y 252; presupuesto de 1.250.000.000 euros",
        "El BOE 12345678 y el expediente 2023 0001 4567 890",
        "ES91 2100 0418 4502 0005 1333 no és un compte",  # the checksum fails
        "call on 12/05/2023 before noon",
        "user@localhost, @mention",
    ],
)
def test_numbers_of_laws_stay(text: str) -> None:
    assert mask(text).text == text


def test_kinds_are_counted() -> None:
    found = mask("a@b.example c@d.example +34612345678")
    assert found.text == "[EMAIL] [EMAIL] [PHONE]"
    assert found.counts == {"EMAIL": 2, "PHONE": 1}


def test_nothing_is_left_after_masking() -> None:
    text = "a@b.example, GB82 WEST 1234 5698 7654 32"
    assert residual(text) == 2
    assert residual(mask(text).text) == 0


def test_iban_checksum() -> None:
    assert iban_checksum_holds("DE89370400440532013000")
    assert not iban_checksum_holds("DE88370400440532013000")
