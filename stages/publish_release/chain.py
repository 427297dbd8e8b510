"""The chain from the vote to the weights: what each node read and wrote, as DVC recorded it in `dvc.lock`.

Only data and parameters are told. Hashes of code and commands are left out, and so is this node's own entry: they
change without the content, and would make the release's bytes depend on the history of the project.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from stages.errors import Trouble
from stages.records import Record

if TYPE_CHECKING:
    from stages.lineage import NodeLineage

SCHEMA = "democratic-commons/chain@1"
WITHHELD = "(withheld)"
SECRET_NAMES = ("api_key", "password", "salt", "secret", "token")  # e.g. the salt would undo the pseudonyms


class ChainLink(Record):
    """A file or folder that a node read or wrote; `md5` as DVC writes it (`.dir` for a folder)."""

    path: str
    md5: str
    bytes: int
    external: bool = False  # an input that no node made: it came from outside the pipeline


class ChainNode(Record):
    """One node of the pipeline."""

    node: str
    inputs: tuple[ChainLink, ...]
    outputs: tuple[ChainLink, ...]
    params: dict[str, Any]


class WithheldFile(Record):
    """A personal file of a bundled artifact: not published, but part of the artifact's fingerprint."""

    path: str  # where it would lie in the release
    md5: str
    bytes: int
    reason: str


class Chain(Record):
    """The nodes, each after those whose outputs it reads; `bundled`: artifact -> its folder in the release."""

    schema_version: str
    nodes: tuple[ChainNode, ...]
    bundled: dict[str, str]
    withheld: tuple[WithheldFile, ...] = ()


def build_chain(
    lock: Mapping[str, NodeLineage],
    artifacts: Sequence[str],
    bundled: Mapping[str, str],
    withheld: Sequence[WithheldFile] = (),
) -> Chain:
    """The nodes that the artifacts come from, directly or not; entries of `dvc.lock` that nothing reads are left out."""
    makers = {path: name for name, lineage in lock.items() for path in lineage.outputs}
    ordered: dict[str, ChainNode] = {}
    for artifact in artifacts:
        if artifact not in makers:
            raise Trouble(
                f"dvc.lock does not say which node made {artifact}; wanted every artifact of a release to have its"
                " lineage there: make it with `dvc repro`, then publish."
            )
        _add(makers[artifact], lock, makers, set(artifacts), ordered, path=())
    return Chain(
        schema_version=SCHEMA,
        nodes=tuple(ordered.values()),
        bundled=dict(sorted(bundled.items())),
        withheld=tuple(withheld),
    )


def _add(
    name: str,
    lock: Mapping[str, NodeLineage],
    makers: Mapping[str, str],
    wanted: set[str],
    ordered: dict[str, ChainNode],
    path: tuple[str, ...],
) -> None:
    """Put the node behind all nodes it reads from."""
    if name in ordered:
        return
    if name in path:
        raise Trouble(f"dvc.lock holds a circle at {name}; wanted a chain: run `dvc repro` again.")
    lineage = lock[name]
    inputs = [link for read in sorted(lineage.inputs) for link in _inputs(read, lineage, lock, makers, wanted)]
    for link in inputs:
        if not link.external:
            _add(makers[link.path], lock, makers, wanted, ordered, (*path, name))
    outputs = [
        ChainLink(path=out, md5=md5, bytes=lineage.sizes.get(out, 0)) for out, md5 in sorted(lineage.outputs.items())
    ]
    ordered[name] = ChainNode(
        node=name,
        inputs=tuple(link.model_copy(update={"path": public(link.path)}) for link in inputs),
        outputs=tuple(outputs),
        params=withhold(lineage.params),
    )


def _inputs(
    read: str, lineage: NodeLineage, lock: Mapping[str, NodeLineage], makers: Mapping[str, str], wanted: set[str]
) -> list[ChainLink]:
    """One link, or, for a folder in which several nodes write (data/scores), one for each of their outputs.

    Such a folder may also hold outputs of earlier settings, which nothing reads: they are not part of the chain.
    """
    if read in makers:
        return [ChainLink(path=read, md5=lineage.inputs[read], bytes=lineage.sizes.get(read, 0))]
    parts = sorted(out for out in makers if out in wanted and out.startswith(read.rstrip("/") + "/"))
    if parts:
        return [
            ChainLink(path=out, md5=lock[makers[out]].outputs[out], bytes=lock[makers[out]].sizes.get(out, 0))
            for out in parts
        ]
    return [ChainLink(path=read, md5=lineage.inputs[read], bytes=lineage.sizes.get(read, 0), external=True)]


def public(path: str) -> str:
    """The path as the release tells it: of a place outside the project only the last name, for it tells of a machine."""
    pure = PurePosixPath(path.replace("\\", "/"))
    outside = pure.is_absolute() or ".." in pure.parts or path[1:3] == ":\\"
    return pure.name if outside else path


def withhold(value: Any, name: str = "") -> Any:
    """The parameters without secrets and without places on a machine."""
    if name.lower().endswith(SECRET_NAMES) and value not in (None, ""):
        return WITHHELD
    if isinstance(value, Mapping):
        return {key: withhold(value[key], str(key)) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [withhold(item, name) for item in value]
    return public(value) if isinstance(value, str) and _is_place(value) else value


def _is_place(text: str) -> bool:
    return text.startswith(("/", "../")) or text[1:3] == ":\\"


def problems(chain: Chain) -> Iterable[str]:
    """What is wrong with the chain itself, in words: dangling inputs, other fingerprints, circles, two makers."""
    made: dict[str, str] = {}
    every = {link.path for node in chain.nodes for link in node.outputs}
    for node in chain.nodes:
        for link in node.inputs:
            if link.external and link.path in every:
                yield f"{node.node} calls {link.path} external, but a node of the chain made it"
            elif not link.external and link.path not in every:
                yield f"{node.node} read {link.path}, which no node made and which is not declared external"
            elif not link.external and link.path not in made:
                yield f"{node.node} read {link.path} before it was made"
            elif not link.external and made[link.path] != link.md5:
                yield f"{node.node} read {link.path} as {link.md5}, but it was made as {made[link.path]}"
        for link in node.outputs:
            if link.path in made:
                yield f"two nodes made {link.path}"
            made[link.path] = link.md5
