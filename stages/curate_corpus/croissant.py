"""Describe the corpus to machines: Croissant 1.1 (MLCommons), JSON-LD that dataset search and loaders read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from stages.curate_corpus.licenses import address
from stages.curate_corpus.parameters import About
from stages.curate_corpus.tally import KEPT, Tally
from stages.languages import name

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
# Words of the vocabulary that the context puts into Croissant's name space, as the specification does.
TERMS = (
    "arrayShape",
    "citeAs",
    "column",
    "containedIn",
    "equivalentProperty",
    "extract",
    "field",
    "fileObject",
    "fileProperty",
    "fileSet",
    "format",
    "includes",
    "isArray",
    "isLiveDataset",
    "jsonPath",
    "key",
    "md5",
    "parentField",
    "path",
    "recordSet",
    "references",
    "regex",
    "repeated",
    "replace",
    "samplingRate",
    "separator",
    "source",
    "subField",
    "transform",
)
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
} | {term: f"cr:{term}" for term in TERMS}
PARQUET = "application/x-parquet"  # mlcroissant reads this one; vnd.apache.parquet, the registered one, it does not
DOCUMENT_FIELDS = {
    "id": "Identifier, unique in the corpus",
    "text": "The text; personal data that was found is replaced by placeholders such as [EMAIL]",
    "language": "ISO 639-1 code",
    "source": "Who published the text",
    "url": "Where it was published",
    "license": "SPDX id of the licence under which it is here",
    "title": "Title, where the source tells one",
    "kind": "Kind of text, where the source tells it",
    "retrieved": "When it was collected, where the source tells it",
}
DECISION_FIELDS = {
    "id": ("sc:Text", "Identifier of a document that was read"),
    "kept": ("sc:Boolean", "Whether it is in the corpus"),
    "rule": ("sc:Text", "The first rule that dropped it"),
    "value": ("sc:Text", "What was found"),
    "threshold": ("sc:Text", "What the rule wanted"),
}


def croissant(folder: Path, tally: Tally, about: About) -> dict[str, Any]:
    """The description of what lies in the folder; `datePublished` only where the parameters say a day."""
    licenses = sorted({license for _, license in tally.rights})
    languages = sorted(language for language, outcomes in tally.by_language.items() if outcomes[KEPT])
    record = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": about.name,
        "description": about.description,
        "url": about.url,
        "version": about.version,
        "license": [address(license) or license for license in licenses],
        "creator": {"@type": "sc:Organization", "name": about.publisher},
        "inLanguage": languages,
        "keywords": ["openly licensed text", *(name(language) for language in languages)],
        "isAccessibleForFree": True,
        "datePublished": about.published.isoformat() if about.published else "",
        "rai:dataCollection": _sources(tally),
        "rai:dataPreprocessingProtocol": [
            f"{tally.read - tally.kept} of {tally.read} documents were left out; decisions.parquet tells why, one by one.",
        ],
        "rai:personalSensitiveInformation": [
            f"{tally.masked.total()} places in {tally.masked_documents} documents were replaced by placeholders."
            " Names are found only where a model for them was given.",
        ],
        "distribution": [_documents(), _file(folder / "decisions.parquet")],
        "recordSet": [_document_records(), _decision_records()],
    }
    return {key: value for key, value in record.items() if value != ""}


def _sources(tally: Tally) -> str:
    sources = sorted({source for source, _ in tally.rights if source})
    return f"Documents of {len(sources)} sources, each with its licence and evidence in attribution.md."


def _documents() -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": "corpus-files",
        "name": "corpus-files",
        "description": "The kept documents, one part per shard that was read.",
        "encodingFormat": PARQUET,
        "includes": "corpus/*.parquet",
    }


def _file(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "description": "The decision on every document that was read.",
        "contentUrl": path.name,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": PARQUET,
        "sha256": digest,
    }


def _document_records() -> dict[str, Any]:
    fields = [
        _field("documents", column, "sc:Text", text, {"fileSet": {"@id": "corpus-files"}})
        for column, text in DOCUMENT_FIELDS.items()
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": "documents",
        "name": "documents",
        "key": {"@id": "documents/id"},
        "field": fields,
    }


def _decision_records() -> dict[str, Any]:
    fields = [
        _field("decisions", column, kind, text, {"fileObject": {"@id": "decisions.parquet"}})
        for column, (kind, text) in DECISION_FIELDS.items()
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": "decisions",
        "name": "decisions",
        "key": {"@id": "decisions/id"},
        "field": fields,
    }


def _field(records: str, column: str, kind: str, text: str, source: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{records}/{column}",
        "name": f"{records}/{column}",
        "description": text,
        "dataType": kind,
        "source": source | {"extract": {"column": column}},
    }
