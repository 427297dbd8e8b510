"""The pipeline as `dvc.yaml` says it: nodes, their order and what each needs. The one reader of the graph."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.errors import Trouble
from stages.params import check_all, read_file


@dataclass(frozen=True)
class Node:
    """A node of the pipeline; `after` names the nodes whose outputs it reads."""

    name: str  # as DVC addresses it, e.g. evaluate_model@base-bbq
    title: str
    pool: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def stage(self) -> str:
        """The folder in `stages/`."""
        return self.name.partition("@")[0]


def open_repo() -> Any:
    """This project's DVC repository; raises Trouble where `dvc.yaml` or `params.yaml` does not fit."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    _refuse_dates(read_file(), "")
    logging.getLogger("dvc").setLevel(logging.ERROR)  # it tells of locks that a killed run left and it removed
    try:
        repo = Repo(".", _wait_for_lock=True)
        repo.index.check_graph()
        return repo
    except DvcException as error:
        raise Trouble(f"dvc.yaml: {' '.join(str(error).split())}; mend dvc.yaml or params.yaml.") from error


def _refuse_dates(value: Any, place: str) -> None:
    """YAML makes a date of 2025-11-03, at which DVC stops with an error that nobody understands."""
    if isinstance(value, datetime.date):
        raise Trouble(
            f"params.yaml: '{place}' is {value} without quotation marks, a date, which DVC cannot take; wanted a text:"
            f' write "{value}".'
        )
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        _refuse_dates(inner, f"{place}.{key}" if place else str(key))


def read_graph(repo: Any) -> list[Node]:
    """All nodes, each after the nodes it needs; ties in the order of `dvc.yaml`."""
    graph = repo.index.graph  # edges lead from a stage to the stage it depends on
    nodes = {
        stage.addressing: Node(
            name=stage.addressing,
            title=(stage.meta or {}).get("title", stage.addressing),
            pool=(stage.meta or {}).get("pool", "cpu"),
            inputs=tuple(str(dep) for dep in stage.deps if dep.protocol == "local"),
            outputs=tuple(str(out) for out in stage.outs),
            after=tuple(sorted(needed.addressing for needed in graph.successors(stage))),
        )
        for stage in repo.index.stages
    }
    return _in_order(nodes)


def _in_order(nodes: dict[str, Node]) -> list[Node]:
    ordered: dict[str, Node] = {}
    while len(ordered) < len(nodes):
        ready = [n for n in nodes.values() if n.name not in ordered and all(a in ordered for a in n.after)]
        ordered[ready[0].name] = ready[0]
    return list(ordered.values())


def with_needed(nodes: list[Node], wanted: Iterable[str]) -> list[Node]:
    """The wanted nodes and all they need, in order; a stage's name stands for all of its matrix."""
    by_name = {node.name: node for node in nodes}
    todo = [node.name for name in wanted for node in _named(nodes, name)]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(by_name[name].after)
    return [node for node in nodes if node.name in found]


def and_behind(nodes: list[Node], name: str) -> list[Node]:
    """The node and all that need it, in order."""
    found = {name}
    for node in nodes:  # in order: what a node needs comes before it
        if found & set(node.after):
            found.add(node.name)
    return [node for node in nodes if node.name in found]


def _named(nodes: list[Node], name: str) -> list[Node]:
    matches = [node for node in nodes if name in (node.name, node.stage)]
    if not matches:
        known = ", ".join(dict.fromkeys(node.stage for node in nodes))
        raise Trouble(f"No node named '{name}'; known: {known} (`commons status` lists all).")
    return matches


def external_inputs(nodes: list[Node]) -> list[str]:
    """The inputs that no node makes: what the user brings."""
    made = {out for node in nodes for out in node.outputs}
    inputs = {path for node in nodes for path in node.inputs if not path.startswith("stages/")}
    return sorted(
        path
        for path in inputs
        if not any(path == out or path.startswith(out + "/") or out.startswith(path + "/") for out in made)
    )


def check_inputs(graph: list[Node], wanted: list[Node], written_later: Collection[str] = ()) -> None:
    """Raise Trouble before anything runs: a parameter that no node knows, or an input that is not there.

    `written_later` names inputs that people write when they have seen what the run makes.
    """
    check_all(dict.fromkeys(node.stage for node in graph))
    for path in external_inputs(wanted):
        if path not in written_later and not Path(path).exists():
            raise Trouble(
                f"Input {path} is missing; wanted what params.yaml names: correct the path or bring the data."
            )
