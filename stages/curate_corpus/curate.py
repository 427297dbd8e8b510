"""Apply the rules one after the other: each document is kept, or dropped with the first reason found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from stages.curate_corpus.duplicates import exact_duplicate_reasons, near_duplicate_reasons
from stages.curate_corpus.filters import Reason, language_reason, length_reason, license_reason, repetition_reason
from stages.curate_corpus.language_id import Identify, identification_reason
from stages.curate_corpus.licenses import choose_license
from stages.curate_corpus.parameters import Parameters
from stages.curate_corpus.personal_data import mask
from stages.records import Document, DroppedDocument


class Curation(NamedTuple):
    """What the rules left, what they dropped and what was masked in the rest; documents sorted by id."""

    kept: list[Document]
    dropped: list[DroppedDocument]
    masked: Counter[str]  # kind of personal data -> times, in kept documents


def curate(documents: Iterable[Document], params: Parameters, identify: Identify) -> Curation:
    """Keep or drop every document, in the order of their ids whatever order they come in."""
    dropped: list[DroppedDocument] = []
    readable: list[Document] = []
    for document in sorted(documents, key=lambda document: document.id):
        reason = reason_alone(document, params, identify)
        if reason:
            dropped.append(_drop(document, reason))
        else:
            readable.append(_with_license(document, params))
    masked = {document.id: mask(document.text) for document in readable}
    readable = [document.model_copy(update={"text": masked[document.id].text}) for document in readable]

    distinct = _without(readable, exact_duplicate_reasons(readable), dropped)
    kept = _without(distinct, near_duplicate_reasons(distinct, params.near_duplicates), dropped)
    counts = sum((masked[document.id].counts for document in kept), Counter())
    return Curation(kept, sorted(dropped, key=lambda drop: drop.id), counts)


def reason_alone(document: Document, params: Parameters, identify: Identify) -> Reason | None:
    """The first rule that a document breaks on its own; the cheap ones and the right to use it come first."""
    return (
        license_reason(document, params.licenses)
        or language_reason(document, params.languages)
        or length_reason(document, params.min_characters, params.max_characters)
        or repetition_reason(document, params.repetition)
        or identification_reason(document, identify, params.language_identification)
    )


def _with_license(document: Document, params: Parameters) -> Document:
    """The document under the one allowed licence that its expression offers."""
    return document.model_copy(update={"license": choose_license(document.license, params.licenses)})


def _without(
    documents: list[Document], reasons: Mapping[str, Reason], dropped: list[DroppedDocument]
) -> list[Document]:
    """The documents without a reason; the others are added to `dropped`."""
    dropped += [_drop(document, reasons[document.id]) for document in documents if document.id in reasons]
    return [document for document in documents if document.id not in reasons]


def _drop(document: Document, reason: Reason) -> DroppedDocument:
    return DroppedDocument(id=document.id, source=document.source, language=document.language, **reason._asdict())
