"""The checks of `commons verify`: each asks one question of a release and answers it from the release alone."""

from __future__ import annotations

from stages.publish_release.checks.decisions import lessons_name_principles, people_decided
from stages.publish_release.checks.lineage import chain_is_closed, folder_md5
from stages.publish_release.checks.measurement import (
    comparison_recomputes,
    measured_as_planned,
    same_questions,
    scores_recompute,
)
from stages.publish_release.checks.release import Check, Failed, Release
from stages.publish_release.checks.safety import weights_are_harmless
from stages.publish_release.checks.votes import principles_stand_on_votes, statements_are_accounted_for
from stages.publish_release.checks.whole import files_are_whole, gates_passed, manifest_holds, nothing_was_added

__all__ = ["CHECKS", "Check", "Failed", "Release", "folder_md5"]

CHECKS = (
    Check("manifest", "the list of files can be read, and the release's number follows from it", manifest_holds),
    Check("files", "every file is there and unchanged", files_are_whole),
    Check("nothing-added", "nothing was added", nothing_was_added),
    Check("chain", "the chain from the vote to the weights is closed", chain_is_closed),
    Check("votes", "every principle stands on statements and votes, recounted", principles_stand_on_votes),
    Check("statements", "every statement was drafted, or rejected with a reason", statements_are_accounted_for),
    Check("decisions", "people decided on every drafted principle", people_decided),
    Check("lessons", "what the model was taught names principles of the constitution", lessons_name_principles),
    Check("scores", "the published scores follow from the outcomes, item by item", scores_recompute),
    Check("same-questions", "the model was asked the same questions before and after", same_questions),
    Check("plan", "what was measured was planned before training, or the change is told", measured_as_planned),
    Check(
        "comparison", "the comparison and its verdicts follow from the answers, none left out", comparison_recomputes
    ),
    Check("weights", "the weights are safe to load", weights_are_harmless),
    Check("gates", "the quality gates of every step were passed", gates_passed),
)
