"""A constitution as a file: its JSON Schema, reading with one line per mistake, and its fingerprint.

python -m stages.constitution      writes the schema again after stages/records.py changed
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from stages.artifact import read_json, write_json
from stages.errors import Trouble
from stages.records import Constitution

SCHEMA_FILE = Path(__file__).with_name("constitution.schema.json")
DIALECT = "https://json-schema.org/draft/2020-12/schema"
SHOWN_CHARACTERS = 200  # of a mistake: it may quote a whole charter


def schema() -> dict[str, Any]:
    """The JSON Schema of a constitution, as the records say it."""
    return {"$schema": DIALECT, **Constitution.model_json_schema()}


def validate(content: Any, path: Path) -> None:
    """Raise Trouble that names the first place where the content does not fit the committed schema."""
    import jsonschema  # not needed to verify a release

    validator = jsonschema.Draft202012Validator(read_json(SCHEMA_FILE))
    mistakes = sorted(validator.iter_errors(content), key=lambda mistake: list(map(str, mistake.absolute_path)))
    if mistakes:
        words = " ".join(mistakes[0].message.split())
        short = words if len(words) <= SHOWN_CHARACTERS else words[:SHOWN_CHARACTERS] + " …"
        raise Trouble(f"{path}: {mistakes[0].json_path}: {short}; wanted a constitution as {SCHEMA_FILE.name} says it.")


def read_constitution(path: Path) -> Constitution:
    """The file's constitution; raises Trouble that names the first place that does not fit."""
    content = read_json(path)
    try:
        return Constitution.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"])) or "the file"
        raise Trouble(f"{path}: {place}: {problem['msg']}; wanted a constitution: see {SCHEMA_FILE.name}.") from None


def fingerprint(path: Path) -> str:
    """The sha256 of the file: how a later version names this one."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    write_json(SCHEMA_FILE, schema())
