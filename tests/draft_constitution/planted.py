"""A small crowd with known opinion groups, for the tests of the map, the groups and the node."""

from __future__ import annotations

import random

from stages.draft_constitution.parameters import Parameters

Row = tuple[str, int, int]  # participant, statement id, vote

PARAMS = Parameters(
    seed=1, min_votes=4, groups=None, min_groups=2, max_groups=4, min_group_size=4, max_outliers=0.1, stability_runs=8,
    min_stability=0.8, separation_runs=9, confidence=0.95, rule="threshold", threshold=0.5, min_exposure=0.2, top_n=10,
    rank_by="lower_bound", accept_unmoderated=True,
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
