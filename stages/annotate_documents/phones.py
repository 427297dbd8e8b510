"""Tell whether digits are a telephone number somewhere in the countries we serve, by the rules that phonenumbers carries.

The rules of a country become one pattern; that is fifty times as fast as its parser, so that a directory costs little too.
"""

from __future__ import annotations

import functools
import re
from typing import Any

# Where a number without country code may be from: the countries of the sample languages and their neighbours.
REGIONS = ("ES", "FR", "DE", "IT", "PT", "AD", "GB", "IE", "BE", "NL", "LU", "AT", "CH")
FEWEST_DIGITS, MOST_DIGITS = 6, 15  # Andorra; E.164
MOST_NATIONAL_DIGITS = 12  # Germany, with its 0
KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan", "voicemail",
)  # fmt: skip


@functools.cache
def served() -> re.Pattern[str]:
    """The national numbers of REGIONS."""
    return re.compile("|".join(_alternatives(region) for region in REGIONS))


def _alternatives(region: str) -> str:
    rules = _rules(region)
    found = [getattr(rules, kind) for kind in KINDS]
    patterns = [kind.national_number_pattern for kind in found if kind and kind.national_number_pattern]
    plain = "|".join(f"(?:{pattern})" for pattern in dict.fromkeys(patterns))
    # The prefix as one more alternative, not as an optional beginning: which fails is then told by the first digit.
    return f"(?:{plain})" + (f"|{rules.national_prefix}(?:{plain})" if rules.national_prefix else "")


def _rules(region: str) -> Any:
    import phonenumbers

    if region.isdigit():  # a calling code of no country, as +800
        return phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(int(region), "001")
    return phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(
        phonenumbers.country_code_for_region(region), region
    )


@functools.lru_cache(maxsize=8192)
def is_national(digits: str) -> bool:
    """Whether the digits, without a country code, are a number in one of REGIONS."""
    return served().fullmatch(digits) is not None


@functools.lru_cache(maxsize=8192)
def is_international(digits: str) -> bool:
    """Whether the digits, which follow "+" or "00", are a country code and a number there."""
    country = abroad(digits[:3])
    return country is not None and country.fullmatch(digits) is not None


@functools.lru_cache(maxsize=1024)
def abroad(first_three: str) -> re.Pattern[str] | None:
    """The numbers, with the country code, of the countries whose code these digits begin with."""
    import phonenumbers

    for length in (1, 2, 3):
        code = first_three[:length]
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code)) if code[0] != "0" else None
        if regions:
            keys = [code if region == "001" else region for region in regions]
            return re.compile(f"{code}(?:{'|'.join(_alternatives(key) for key in keys)})")
    return None
