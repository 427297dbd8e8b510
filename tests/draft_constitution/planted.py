"""A small crowd with known opinion groups, for the tests of the map, the groups and the node."""

from __future__ import annotations

import random

from stages.draft_constitution.parameters import Alike, Integrity, Parameters, Proportional, Quality

Row = tuple[str, int, int]  # participant, statement id, vote

PARAMS = Parameters(
    seed=1, min_votes=4, groups=None, min_groups=2, max_groups=4, min_group_size=4, max_outliers=0.1,
    base_clusters=100, stability_runs=8, min_stability=0.8, separation_runs=19, max_separation_p=0.05,
    resample_at_most=5000, confidence=0.95, rule="threshold", threshold=0.5, min_exposure=0.2, min_cell=3, top_n=10,
    rank_by="lower_bound", accept_unmoderated=True, min_shown=5,
    proportional=Proportional(method="equal_shares", completion="phragmen", floor=0.5),
    alike=Alike(
        min_text_similarity=0.75, min_vote_agreement=0.8, max_contradiction_correlation=-0.4, min_common_voters=20
    ),
    integrity=Integrity(
        min_votes=10, max_identical_accounts=3, straight_line_share=0.98, min_common=20, alike_share=0.9, max_alike_accounts=0.05, burst_minutes=10, burst_times_usual=8,
        late_share=0.02,
    ),
    quality=Quality(
        min_placed_share=0.5, min_seen_share=0.05, max_design_effect=2.0, max_flagged_share=0.05, min_overlap=0.8
    ),
)  # fmt: skip


def with_params(**changes: object) -> Parameters:
    """The tests' parameters with some of them changed."""
    return Parameters.model_validate(PARAMS.model_dump() | changes)


def crowd(
    sizes: tuple[int, ...], seed: int = 1, shared: int = 4, divisive: int = 8
) -> tuple[list[Row], dict[str, int]]:
    """Votes and planted groups: everybody agrees on the first `shared` statements, each group alone on its own ones."""
    generator = random.Random(seed)
    votes: list[Row] = []
    planted = {}
    for group, size in enumerate(sizes):
        for number in range(size):
            person = f"{generator.getrandbits(64):016x}"
            planted[person] = group
            for statement in range(shared + divisive * len(sizes)):
                liked = statement < shared or (statement - shared) // divisive == group
                if generator.random() < 0.7:
                    votes.append((person, statement, 1 if (generator.random() < 0.92) == liked else -1))
            votes.append(
                (person, shared + divisive * len(sizes), [1, 0, -1][number % 3])
            )  # one on which nobody is sure
    return votes, planted


def columns(votes: list[Row]) -> tuple[list[str], list[int], list[int]]:
    """The rows as the three columns that `matrix` takes."""
    return [p for p, _, _ in votes], [s for _, s, _ in votes], [v for _, _, v in votes]
