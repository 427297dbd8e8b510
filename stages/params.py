"""Read one section of `params.yaml` into a strict record, so that a misspelt parameter stops the run with one line.

Each node keeps its section's record as `Parameters` in `stages/<node>/parameters.py`.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from stages.errors import Trouble

PARAMS_FILE = Path("params.yaml")


class Section(BaseModel):
    """A section of `params.yaml`: unknown keys are refused, values are not changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


S = TypeVar("S", bound=Section)


def load(section: str, model: type[S], path: Path = PARAMS_FILE) -> S:
    """Return the section as `model`; raises Trouble that names the parameter and the known ones."""
    everything = read_file(path)
    if section not in everything:
        raise Trouble(f"{path} has no section '{section}'; wanted one with: {', '.join(model.model_fields)}.")
    return parse(section, everything[section], model, path)


def read_file(path: Path = PARAMS_FILE) -> dict[str, Any]:
    """The whole file as a mapping of sections."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Trouble(f"{path} is missing; run this in the project's root, where {path} lies.") from None
    except yaml.YAMLError as error:
        raise Trouble(f"{path} is not valid YAML ({' '.join(str(error).split())}); mend that line.") from None
    if not isinstance(content, dict):
        raise Trouble(f"{path} holds {type(content).__name__}; wanted sections, one per node.")
    return content


def parse(section: str, values: Any, model: type[S], path: Path = PARAMS_FILE) -> S:
    """Turn the values of a section into `model`; raises Trouble on the first value that does not fit."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise Trouble(f"{path}: {_first_problem(section, error, model)}") from None


def check_all(nodes: Iterable[str], path: Path = PARAMS_FILE) -> None:
    """Check every node's section and that no section is unknown, before anything runs."""
    everything = read_file(path)
    nodes = list(nodes)
    for section in everything:
        if section not in nodes:
            raise Trouble(f"{path}: unknown section '{section}'{_closest(section, nodes)}; known: {', '.join(nodes)}.")
    for node in nodes:
        if importlib.util.find_spec(f"stages.{node}") is not None:  # a node of another project has its own checks
            load(node, importlib.import_module(f"stages.{node}.parameters").Parameters, path)


def _first_problem(section: str, error: ValidationError, model: type[BaseModel]) -> str:
    problem = error.errors()[0]
    place = ".".join([section, *(str(part) for part in problem["loc"])])
    if problem["type"] == "extra_forbidden":
        known = list(_fields_at(model, problem["loc"][:-1]))
        return f"unknown parameter '{place}'{_closest(str(problem['loc'][-1]), known)}; known: {', '.join(known)}."
    if problem["type"] == "missing":
        return f"parameter '{place}' is missing; add it."
    return f"parameter '{place}' is {problem['input']!r}; wanted: {problem['msg']}."


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> Iterable[str]:
    """The names of the record that `location` leads to (falls back to the section's own)."""
    fields = model.model_fields
    for part in location:
        nested = fields[str(part)].annotation if str(part) in fields else None
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            fields = nested.model_fields
    return fields


def _closest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""
