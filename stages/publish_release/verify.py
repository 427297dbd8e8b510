"""Check a release without trusting whoever made it: `commons verify RELEASE`, for a folder or a zip.

Needs neither network, GPU, torch nor DVC, and runs nothing of the release. Each check asks one question and prints
✔ (yes), ✘ (no, with what was found) or – (could not be asked, with the reason).

    python -m stages.publish_release.verify data/release
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from stages.errors import Trouble
from stages.publish_release.checks import CHECKS, Check, Failed, Release
from stages.publish_release.opening import Unreadable, Unsafe, open_bundle

Status = Literal["passed", "failed", "not checked"]
SIGNS = {"passed": "✔", "failed": "✘", "not checked": "–"}
PASSED, FAILED, COULD_NOT_CHECK = 0, 1, 2

NOT_CHECKED = (
    "who released it: there is no signature yet. Compare the release's number with one you got from the publisher"
    " by another way.",
    "that the training really used this data and these settings: that needs a re-run (`dvc repro`).",
    "that the recorded answers were given by these weights: that needs the model to be run on the benchmarks.",
    "that the benchmarks hold all their items: compare them with their sources.",
    "that the opinion groups and the selection of principles follow from the votes: `dvc repro draft_constitution`"
    " does it again.",
    "that the participants were real people, each with one vote, and that the moderation was fair.",
    "what is withheld because it is personal: only its fingerprint is told, so that nothing else can be left out.",
    "that the documents' licences are true.",
    "that every sentence of README.md and index.html follows from the evidence: both are made from it, but they are"
    " not made again here.",
)


@dataclass(frozen=True)
class Answer:
    """What one check found."""

    id: str
    title: str
    status: Status
    detail: str


@dataclass(frozen=True)
class Report:
    """What all checks found; `simulated` where the release itself says that no real people took part."""

    release: str
    simulated: bool
    answers: tuple[Answer, ...]
    not_checked: tuple[str, ...] = NOT_CHECKED

    @property
    def exit_code(self) -> int:
        """0: every check passed; 1: one failed; 2: none failed, but one could not be made."""
        statuses = {answer.status for answer in self.answers}
        return FAILED if "failed" in statuses else COULD_NOT_CHECK if "not checked" in statuses else PASSED

    @property
    def verdict(self) -> str:
        """The result in plain words."""
        failed = [answer.id for answer in self.answers if answer.status == "failed"]
        open_ = [answer.id for answer in self.answers if answer.status == "not checked"]
        if failed:
            return f"DO NOT RELY on this release: {len(failed)} of {len(self.answers)} checks failed ({', '.join(failed)})."
        if open_:
            return f"NOT PROVEN: nothing wrong was found, but {len(open_)} of {len(self.answers)} checks could not be made."
        return f"This release holds together: all {len(self.answers)} checks passed."


def verify(path: Path) -> Report:
    """Make every check on the folder or zip; raises Trouble where there is nothing to check, Unsafe where it may harm."""
    release = Release(open_bundle(path))
    answers = tuple(_answer(check, release) for check in CHECKS)
    try:
        return Report(release.manifest.release, release.manifest.simulated, answers)
    except Unreadable:
        return Report("", False, answers)


def _answer(check: Check, release: Release) -> Answer:
    try:
        return Answer(check.id, check.title, "passed", check.answer(release))
    except Failed as failure:
        return Answer(check.id, check.title, "failed", str(failure))
    except Unsafe:
        raise
    except Unreadable as reason:
        return Answer(check.id, check.title, "not checked", str(reason))
    except (ValidationError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        # The bundle is foreign: whatever shape it has, the auditor gets an answer and not a traceback.
        return Answer(check.id, check.title, "not checked", f"its files have an unknown shape ({_first_line(error)})")


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"


def verify_command(path: str, as_json: bool) -> int:
    """Print the report; return 0 (all passed), 1 (failed) or 2 (could not check)."""
    try:
        report = verify(Path(path))
    except Unsafe as refusal:
        return _refuse(str(refusal), as_json, FAILED)
    except (Trouble, OSError) as trouble:
        return _refuse(str(trouble), as_json, COULD_NOT_CHECK)
    print(_as_json(report) if as_json else _as_text(report))
    return report.exit_code


def _refuse(reason: str, as_json: bool, code: int) -> int:
    word = "refused" if code == FAILED else "could not check"
    if as_json:
        print(json.dumps({"verdict": f"{word}: {_printable(reason)}", "exit_code": code}, ensure_ascii=False))
    else:
        print(f"commons verify: {word}: {_printable(reason)}", file=sys.stderr)
    return code


def _as_json(report: Report) -> str:
    content = {**asdict(report), "verdict": report.verdict, "exit_code": report.exit_code}
    return json.dumps(content, ensure_ascii=False, indent=2)


def _as_text(report: Report) -> str:
    lines = [f"Release {_printable(report.release) or '(without a number)'}", ""]
    lines += [f" {SIGNS[answer.status]} {answer.title}: {_printable(answer.detail)}" for answer in report.answers]
    lines += ["", report.verdict]
    if report.simulated:
        lines.append("The release says of itself that its deliberation is SIMULATED: no real people took part.")
    lines += ["", "What this did not check:", *(f" – {item}" for item in report.not_checked)]
    return "\n".join(lines)


def _printable(text: str) -> str:
    """Names inside a foreign bundle could hold control characters that rewrite the auditor's screen."""
    return "".join(character if character.isprintable() else "?" for character in text)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="commons verify", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("release", help="the folder or zip of a release")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    args = parser.parse_args(argv)
    return verify_command(args.release, args.json)


if __name__ == "__main__":
    sys.exit(main())
