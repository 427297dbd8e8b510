"""Does the chain hold: each step read what another step made, and the bundled copies are those very artifacts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence

from stages.publish_release import layout
from stages.publish_release.chain import SCHEMA, Chain, WithheldFile, problems
from stages.publish_release.checks.release import Failed, Release, fail_on

REQUIRED = (
    layout.MODEL,
    layout.DELIBERATION,
    layout.DRAFT,
    layout.RATIFIED,
    layout.CORPUS,
    layout.PREFERENCES,
    layout.COMPARISON,
)


def chain_is_closed(release: Release) -> str:
    """Each node read what another node made, or what is declared external; the bundled copies are those very artifacts."""
    chain = release.chain
    if chain.schema_version != SCHEMA:
        raise Failed(f"the chain is of the kind {chain.schema_version!r}; this program knows {SCHEMA!r}")
    fail_on(problems(chain))
    fail_on(_withheld_wrongly(release, chain))
    made = {link.path: link.md5 for node in chain.nodes for link in node.outputs}
    fail_on(_copies_differ(release, chain, made))
    fail_on(_not_bundled(release, chain))
    fail_on(_no_way_back(chain))
    external = {link.path for node in chain.nodes for link in node.inputs if link.external}
    personal = "".join(f"; withheld: {file.path} (personal: {file.reason})" for file in chain.withheld)
    return f"{len(chain.nodes)} steps, {len(chain.bundled)} artifacts recomputed, {len(external)} external inputs{personal}"


def _withheld_wrongly(release: Release, chain: Chain) -> Iterator[str]:
    """Only personal files may be missing, and they must be."""
    for file in chain.withheld:
        if file.path not in layout.PERSONAL:
            yield f"{file.path} is withheld, but it is not personal: wanted it in the release"
    for path in layout.PERSONAL:
        if path in release.bundle.sizes:
            yield f"{path} is personal and must not be published ({layout.PERSONAL[path]})"


def _copies_differ(release: Release, chain: Chain, made: Mapping[str, str]) -> Iterator[str]:
    for artifact, folder in sorted(chain.bundled.items()):
        if artifact not in made:
            yield f"{folder} is a copy of {artifact}, which no step made"
        elif not release.below(folder):
            yield f"{folder}, the copy of {artifact}, is missing"
        elif (found := folder_md5(release, folder, chain.withheld)) != made[artifact]:
            yield f"{folder} is not the {artifact} that was made ({found}, recorded {made[artifact]})"


def folder_md5(release: Release, folder: str, withheld: Sequence[WithheldFile] = ()) -> str:
    """The hash DVC gives to a folder: md5 of the list of its files' md5, sorted by path; withheld ones as recorded."""
    hashes = {path: release.digests(path)[2] for path in release.below(folder)}
    hashes |= {file.path: file.md5 for file in withheld if file.path.startswith(folder + "/")}
    listing = [{"md5": hashes[path], "relpath": path[len(folder) + 1 :]} for path in sorted(hashes)]
    return hashlib.md5(json.dumps(listing, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"


def _not_bundled(release: Release, chain: Chain) -> Iterator[str]:
    """What must be a recomputable copy of an artifact, and is not."""
    folders = set(chain.bundled.values())
    wanted = {*REQUIRED, *(f"{layout.SCORES}/{model}/{benchmark}" for model, benchmark in release.measured())}
    yield from (f"{folder} is not bound to any step of the chain" for folder in sorted(wanted - folders))
    for path in sorted(release.bundle.sizes):
        inside = any(path.startswith(folder + "/") for folder in folders)
        if not inside and layout.role(path) in layout.ROLES.values():
            yield f"{path} belongs to no step of the chain"


def _no_way_back(chain: Chain) -> Iterator[str]:
    """The weights and the comparison must come from the constitution, and that from the deliberation."""
    artifacts = {folder: artifact for artifact, folder in chain.bundled.items()}
    parents = {link.path: {read.path for read in node.inputs} for node in chain.nodes for link in node.outputs}
    for start, goal in (
        (layout.MODEL, layout.PREFERENCES),
        (layout.PREFERENCES, layout.RATIFIED),
        (layout.RATIFIED, layout.DRAFT),
        (layout.DRAFT, layout.DELIBERATION),
        (layout.COMPARISON, layout.RATIFIED),
    ):
        if artifacts[goal] not in _ancestors(artifacts[start], parents):
            yield f"no step leads from {goal} to {start}"


def _ancestors(artifact: str, parents: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    todo = [artifact]
    while todo:
        for parent in parents.get(todo.pop(), set()) - found:
            found.add(parent)
            todo.append(parent)
    return found
