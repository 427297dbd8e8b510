"""What can be chosen in section `curate_corpus` of `params.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveInt, StringConstraints, model_validator

from stages.params import Section

Share = Annotated[float, Field(ge=0.0, le=1.0)]
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
LicenseId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.+-]+$")]


class Columns(Section):
    """Which column (or JSON key) of the source holds what."""

    id: str = "id"
    text: str = "text"
    language: str = "language"
    source: str = "source"
    url: str = "url"
    license: str = "license"
    title: str = "title"


class LanguageIdentification(Section):
    """When a text counts as written in another language than its source says."""

    confusable: tuple[LanguageCode, ...]
    min_probability: Share
    sample_characters: PositiveInt


class Repetition(Section):
    """How much of a text may say the same again."""

    max_duplicate_line_share: Share
    max_duplicate_trigram_share: Share


class NearDuplicates(Section):
    """When two texts count as one: Jaccard similarity of their word shingles, searched by MinHash bands."""

    shingle_words: PositiveInt
    bands: PositiveInt
    rows: PositiveInt
    min_jaccard: Share
    seed: int


class Parameters(Section):
    """The section as a whole."""

    path: str
    files: str = "*"
    columns: Columns = Columns()
    languages: tuple[LanguageCode, ...] = Field(min_length=1)
    licenses: tuple[LicenseId, ...] = Field(min_length=1)
    max_documents_per_language: PositiveInt | None = None
    min_characters: PositiveInt
    max_characters: PositiveInt
    language_identification: LanguageIdentification
    repetition: Repetition
    near_duplicates: NearDuplicates

    @model_validator(mode="after")
    def _lengths_leave_room(self) -> Parameters:
        if self.min_characters > self.max_characters:
            raise ValueError("min_characters is above max_characters; no document could be kept")
        return self
