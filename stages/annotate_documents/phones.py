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
def national(region: str) -> re.Pattern[str]:
    """A region's national numbers, with or without the digit that is dialled before them within the country."""
    import phonenumbers

    rules: Any = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(*_metadata_key(region))
    found = [getattr(rules, kind) for kind in KINDS]
    patterns = [kind.national_number_pattern for kind in found if kind and kind.national_number_pattern]
    prefix = rf"(?:{rules.national_prefix})?" if rules.national_prefix else ""
    return re.compile(rf"{prefix}(?:{'|'.join(f'(?:{pattern})' for pattern in patterns)})")


def _metadata_key(region: str) -> tuple[int, str]:
    import phonenumbers

    if region.isdigit():  # a calling code of no country, as +800
        return int(region), "001"
    return phonenumbers.country_code_for_region(region), region


@functools.lru_cache(maxsize=8192)
def is_national(digits: str) -> bool:
    """Whether the digits, without a country code, are a number in one of REGIONS."""
    return any(national(region).fullmatch(digits) for region in REGIONS)


@functools.lru_cache(maxsize=8192)
def is_international(digits: str) -> bool:
    """Whether the digits, which follow "+" or "00", are a country code and a number there."""
    import phonenumbers

    for length in (1, 2, 3):
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:length]))
        if regions and digits[0] != "0":
            keys = [digits[:length] if region == "001" else region for region in regions]
            return any(national(key).fullmatch(digits[length:]) for key in keys)
    return False
