"""What can be chosen in section `curate_corpus` of `params.yaml`: every rule by which a document stays or goes."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, StringConstraints, model_validator

from stages.params import Section

Share = Annotated[float, Field(ge=0.0, le=1.0)]
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
LicenseId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.+-]+$")]
Family = Literal["gopher", "c4", "fineweb"]


class About(Section):
    """What the data card and the Croissant file say of the corpus as a whole."""

    name: str
    description: str
    publisher: str
    url: str = ""
    version: str = "1.0.0"
    published: datetime.date | None = None
    language: LanguageCode = "en"  # of the report itself


class Removal(Section):
    """A source that is taken out on request, after it was read."""

    source: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    date: datetime.date


class OptOut(Section):
    """What to do where nobody captured whether the publisher said no."""

    not_captured: Literal["keep", "drop"]


class LanguageIdentification(Section):
    """When a text counts as written in another language than its source says."""

    min_probability: Share
    max_other_share: Share | None = None
    undeclared: Literal["drop", "identified"] = "drop"


class Gopher(Section):
    """Rae et al. 2021, section A1.1 and table A1; null switches a rule off."""

    min_words: int | None = None
    max_words: int | None = None
    min_mean_word_length: float | None = None
    max_mean_word_length: float | None = None
    max_symbol_word_ratio: float | None = None
    min_alpha_word_share: Share | None = None
    max_bullet_line_share: Share | None = None
    max_ellipsis_line_share: Share | None = None
    min_stop_words: int | None = None
    max_duplicate_line_share: Share | None = None
    max_duplicate_line_character_share: Share | None = None
    max_top_2gram_share: Share | None = None
    max_top_3gram_share: Share | None = None
    max_top_4gram_share: Share | None = None
    max_duplicate_5gram_share: Share | None = None
    max_duplicate_6gram_share: Share | None = None
    max_duplicate_7gram_share: Share | None = None
    max_duplicate_8gram_share: Share | None = None
    max_duplicate_9gram_share: Share | None = None
    max_duplicate_10gram_share: Share | None = None


class C4(Section):
    """Raffel et al. 2020, section 2.2; null switches a rule off."""

    max_curly_brackets: int | None = None
    max_lorem_ipsum: int | None = None


class FineWeb(Section):
    """Penedo et al. 2024, section 3.6; null switches a rule off."""

    max_short_line_share: Share | None = None
    min_terminal_line_share: Share | None = None
    max_duplicate_line_character_share: Share | None = None


class Thresholds(Section):
    """The thresholds of every family of quality rules."""

    gopher: Gopher = Gopher()
    c4: C4 = C4()
    fineweb: FineWeb = FineWeb()


class Override(Thresholds):
    """Other thresholds for texts of a language, of a kind, or of both; what it does not name stays."""

    language: LanguageCode | None = None
    kind: str | None = None

    @model_validator(mode="after")
    def _says_for_whom(self) -> Override:
        if self.language is None and self.kind is None:
            raise ValueError("an override names a language, a kind or both; thresholds for all texts go to default")
        return self


class Quality(Section):
    """Which families of rules drop documents, at which thresholds; those not named are still measured and shown."""

    families: tuple[Family, ...]
    default: Thresholds
    overrides: tuple[Override, ...] = ()


class Duplicates(Section):
    """From which Jaccard similarity to its representative on a text goes (those found are given by the annotations)."""

    min_jaccard: Share


class Contamination(Section):
    """How many runs of a benchmark's words a text may hold; a whole short item is always one too many."""

    max_runs: Annotated[int, Field(ge=0)]


class Toxicity(Section):
    """Where a model gave scores."""

    max_score: Share | None = None


class Gates(Section):
    """What stops the run."""

    max_near_duplicate_share: Share
    max_residual_personal_data: Annotated[int, Field(ge=0)]
    max_drop_share: Share
    min_documents: PositiveInt
    min_language_share: Share
    sample: PositiveInt


class Parameters(Section):
    """The section as a whole."""

    about: About
    remove: tuple[Removal, ...] = ()
    licenses: tuple[LicenseId, ...] = Field(min_length=1)
    opt_out: OptOut
    languages: tuple[LanguageCode, ...] = Field(min_length=1)
    language_identification: LanguageIdentification
    min_characters: PositiveInt
    max_characters: PositiveInt
    quality: Quality
    toxicity: Toxicity = Toxicity()
    contamination: Contamination
    duplicates: Duplicates
    max_documents_per_language: PositiveInt | None = None
    gates: Gates

    @model_validator(mode="after")
    def _lengths_leave_room(self) -> Parameters:
        if self.min_characters > self.max_characters:
            raise ValueError("min_characters is above max_characters; no document could be kept")
        return self
