"""What is up to date, what would run and why: `commons status`, and the fast path of a run with nothing to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flows.graph import Node


@dataclass(frozen=True)
class NodeStatus:
    """A node and why it would run; no reasons: it is up to date."""

    node: Node
    reasons: tuple[str, ...]


def read_status(repo: Any, nodes: list[Node]) -> list[NodeStatus]:
    """Each node's own reasons to run, or the node before it that runs first."""
    changed = repo.status()  # of all: asked for names, DVC looks at each by itself and takes three times as long
    reasons: dict[str, tuple[str, ...]] = {}
    for node in nodes:
        own = tuple(_words(changed.get(node.name, [])))
        above = [name for name in node.after if reasons.get(name)]
        reasons[node.name] = own or tuple(f"{name} runs before it" for name in above[:1])
    return [NodeStatus(node, reasons[node.name]) for node in nodes]


def _words(entries: list[Any]) -> list[str]:
    """DVC's nested answer as short phrases."""
    words: list[str] = []
    for entry in entries:
        if isinstance(entry, str):
            words.append({"changed command": "its command changed"}.get(entry, entry))
            continue
        for kind, paths in entry.items():
            words.extend(_path_words(kind, paths))
    return words


def _path_words(kind: str, paths: Any) -> list[str]:
    if isinstance(paths, str):
        return [f"{kind}: {paths}"]
    side = "input" if kind == "changed deps" else "output"
    words: list[str] = []
    for path, state in paths.items():
        if isinstance(state, dict):  # params.yaml: {section: state}
            words.extend(f"parameter {name} {how}" for name, how in state.items())
        else:
            words.append(f"{side} {path} is {state}" if state in ("deleted", "new") else f"{side} {path} {state}")
    return words
