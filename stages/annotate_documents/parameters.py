"""What can be chosen in section `annotate_documents` of `params.yaml`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, StringConstraints, model_validator

from stages.params import Section

Share = Annotated[float, Field(ge=0.0, le=1.0)]
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
LicenseId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.+-]+$")]
Revision = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]

PlugIn = Annotated[str, StringConstraints(pattern=r"^[\w.]+:\w+$")]  # module:function


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


# The first of these names that a file has is read.
Names = Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1)]


class Columns(Section):
    """Which column (or JSON key, also inside `metadata`) of the source holds what."""

    id: Names = ("id",)
    text: Names = ("text",)
    language: Names = ("language", "lang")
    source: Names = ("source",)
    url: Names = ("url",)
    license: Names = ("license",)
    title: Names = ("title",)
    kind: Names = ("kind",)
    retrieved: Names = ("retrieved", "added")  # dolma's word


class HuggingFace(Section):
    """A data set of the hub, read instead of `path`; only its data files, never its code."""

    repo: Annotated[str, StringConstraints(pattern=r"^[\w.-]+/[\w.-]+$")]
    revision: Revision
    files: str = "*"


class NearDuplicates(Section):
    """When two texts count as one: Jaccard similarity of their runs of words, searched by MinHash bands."""

    words: PositiveInt = 5
    bands: PositiveInt = 14
    rows: PositiveInt = 8
    min_jaccard: Share = 0.7
    seed: int = 20250101


class LanguageIdentification(Section):
    """Between which languages a text's language is looked for, beside `languages`."""

    confusable: tuple[LanguageCode, ...] = ()


class Parameters(Section):
    """The section as a whole."""

    path: str
    files: str = "*"
    columns: Columns = Columns()
    hugging_face: HuggingFace | None = None
    captures: str
    benchmarks: str
    benchmark_names: tuple[str, ...] | None = None
    languages: tuple[LanguageCode, ...] = Field(min_length=1)
    language_identification: LanguageIdentification = LanguageIdentification()
    license_order: tuple[LicenseId, ...] = Field(min_length=1)
    ai_agents: tuple[str, ...] = Field(min_length=1)
    near_duplicates: NearDuplicates = NearDuplicates()
    names_plug_in: PlugIn | None = None
    toxicity_plug_in: PlugIn | None = None
    on_error: Literal["skip", "stop"] = "skip"
    max_document_megabytes: PositiveFloat = 32.0
    shard_megabytes: PositiveFloat = 32.0
    engine: Literal["native", "ray"] = "native"
    ray_address: str | None = None
    workers: PositiveInt = 1
    max_refused_share: Share = 0.05
    gate_rows: PositiveInt = 1_000_000

    @model_validator(mode="after")
    def _a_document_fits(self) -> Parameters:
        if self.max_document_megabytes > self.shard_megabytes:
            raise ValueError("max_document_megabytes is above shard_megabytes; a document must fit into a shard")
        return self
