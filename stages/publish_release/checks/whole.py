"""Is the bundle whole: its list of files, every file in it, nothing besides, and the reports of its gates."""

from __future__ import annotations

from collections import Counter

from stages.publish_release import layout
from stages.publish_release.checks.release import Failed, Release, fail_on, some
from stages.publish_release.manifest import SCHEMA, release_id
from stages.publish_release.opening import Unreadable


def manifest_holds(release: Release) -> str:
    """The manifest can be read, and the release's id follows from its list of files."""
    if layout.MANIFEST not in release.bundle.sizes:
        raise Failed(f"there is no {layout.MANIFEST}; is this the folder of a release?")
    try:
        manifest = release.manifest
    except Unreadable as error:
        raise Failed(str(error)) from None
    if manifest.schema_version != SCHEMA:
        raise Failed(f"it is of the kind {manifest.schema_version!r}; this program knows {SCHEMA!r}")
    paths = [file.path for file in manifest.files]
    twice = [path for path, count in Counter(path.casefold() for path in paths).items() if count > 1]
    if twice or paths != sorted(paths):
        raise Failed(f"its list is not sorted, or names {some(twice) or 'a file'} twice")
    expected = release_id(manifest.constitution_version, manifest.files)
    if manifest.release != expected:
        raise Failed(f"it calls itself {manifest.release!r}, but its files make it {expected!r}")
    return f"release {manifest.release}, {len(paths):,} files"


def files_are_whole(release: Release) -> str:
    """Every file of the manifest is there, with its size and its sha256."""
    wrong = []
    for file in release.manifest.files:
        if file.path not in release.bundle.sizes:
            wrong.append(f"{file.path} is missing")
        elif release.bundle.sizes[file.path] != file.bytes:
            wrong.append(f"{file.path} has {release.bundle.sizes[file.path]:,} bytes, not {file.bytes:,}")
        elif release.digests(file.path)[1] != file.sha256:
            wrong.append(f"{file.path} was changed (its sha256 differs)")
    fail_on(wrong)
    return f"{sum(file.bytes for file in release.manifest.files):,} bytes hashed"


def nothing_was_added(release: Release) -> str:
    """No file, link or empty folder lies in the bundle that the manifest does not name."""
    known = {file.path for file in release.manifest.files} | {layout.MANIFEST}
    added = [f"{path} is not in the manifest" for path in sorted(release.bundle.sizes) if path not in known]
    fail_on([*added, *release.bundle.oddities])
    return "no other file, link or empty folder"


def gates_passed(release: Release) -> str:
    """Every report of a quality gate in the release says that its expectations were met."""
    reports = [path for path in sorted(release.bundle.sizes) if path.rsplit("/", 1)[-1] == "gate.json"]
    if not reports:
        raise Failed("there is no report of a gate")
    met = 0
    for path in reports:
        for table, entries in release.bundle.json(path).items():
            missed = [entry["expectation"] for entry in entries if entry["success"] is not True]
            fail_on(f"{path}: {table} did not meet {name}" for name in missed)
            met += len(entries)
    return f"{met} expectations met in {len(reports)} reports"
