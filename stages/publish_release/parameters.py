"""What may be chosen for the release: its title, terms, contact and the languages of its page."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stages.params import Section

Language = Literal["en", "fr", "es", "ca", "eu"]  # those with a file in stages/publish_release/strings/


class Parameters(Section):
    """The section `publish_release`."""

    title: Annotated[str, Field(min_length=3)]
    model_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    publisher: str
    contact: str = ""
    license_model: Annotated[str, Field(min_length=1)]
    license_data: Annotated[str, Field(min_length=1)]
    page_languages: Annotated[tuple[Language, ...], Field(min_length=1)]
