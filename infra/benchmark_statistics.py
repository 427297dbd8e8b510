"""How well the intervals and tests hold with few, unequal clusters, and what the statistics of a large benchmark cost.

    python infra/benchmark_statistics.py [--simulations 1000] [--seed 1]

Simulated truth: items of 25 templates, the template decides much of the answer. Prints Markdown tables: how often the
interval holds the truth (95 % is asked) in the way that is used and in ways that are not, how often a change is claimed
where there is none and where there is one, and the CPU seconds of 60,000 items x 10,000 resamples.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from stages.records import ItemOutcome
from stages.scoring import both, generator, paired, scores_from_items, slices, tabulated
from stages.uncertainty import (
    Floats,
    detectable_change,
    drawn,
    interval,
    spread,
    student_quantile,
    swap_p_value,
)

CLUSTERS = 25
RESAMPLES = 1000
SIZES: dict[str, Callable[[Generator], Floats]] = {
    "equal (12 items)": lambda draw: np.full(CLUSTERS, 12.0),
    "4 to 40 items": lambda draw: draw.integers(4, 41, CLUSTERS).astype(np.float64),
    "very unequal": lambda draw: np.maximum(2, np.round(draw.lognormal(2.5, 1.0, CLUSTERS))),
}
KINDS: dict[str, tuple[float, float]] = {  # mean of the share, and how alike the items of a template are
    "share 0.5, alike 0.3": (0.5, 0.3),
    "share 0.8, alike 0.3": (0.8, 0.3),
    "share 0.6, alike 0.05": (0.6, 0.05),
    "share 0.95, alike 0.2": (0.95, 0.2),
}


def shares(draw: Generator, sizes: Floats, mean: float, alike: float) -> Floats:
    """Sums of right answers per cluster; `alike` is the correlation of two items of one template."""
    spare = (1 - alike) / alike
    return draw.binomial(sizes.astype(int), draw.beta(mean * spare, (1 - mean) * spare, len(sizes))).astype(np.float64)


def coverage(simulations: int, seed: int) -> None:
    """How often each kind of interval holds the truth."""
    print("| templates | items | used | percentiles alone | closed form, t with 24 |")
    print("|---|---|---|---|---|")
    for sizes_name, sizes_of in SIZES.items():
        for kind, (mean, alike) in KINDS.items():
            draw = np.random.default_rng(seed)
            held = np.zeros(3)
            for _ in range(simulations):
                sizes = sizes_of(draw)
                held += _held(np.stack([shares(draw, sizes, mean, alike), sizes], axis=1), mean, draw)
            told = " | ".join(f"{share:.1%}" for share in held / simulations)
            print(f"| {sizes_name} | {kind} | {told} |", flush=True)


def _held(table: Floats, truth: float, draw: Generator) -> Floats:
    """Whether each kind of interval holds the truth."""
    about = spread([table])
    means = drawn([table], RESAMPLES, draw)[:, 0]
    mean = table[:, 0].sum() / table[:, 1].sum()
    reach = student_quantile(0.975, CLUSTERS - 1) * about.standard_error
    low, high = interval(means, about, 0.95)
    plain_low, plain_high = np.quantile(means, [0.025, 0.975])
    ends = [(low, high), (plain_low, plain_high), (mean - reach, mean + reach)]
    return np.array([one <= truth <= other for one, other in ends], dtype=np.float64)


def power(simulations: int, seed: int) -> None:
    """How often a change is claimed, by its size in minimum detectable changes."""
    print("\n| templates | no change | half the detectable change | the detectable change | twice it |")
    print("|---|---|---|---|---|")
    for sizes_name, sizes_of in SIZES.items():
        cells = [f"{_claimed(simulations, seed, sizes_of, times):.1%}" for times in (0.0, 0.5, 1.0, 2.0)]
        print(f"| {sizes_name} | {' | '.join(cells)} |", flush=True)


def _claimed(simulations: int, seed: int, sizes_of: Callable[[Generator], Floats], times: float) -> float:
    draw = np.random.default_rng(seed)
    noise = [_changed(draw, sizes_of(draw), 0.0) for _ in range(200)]
    detectable = float(np.mean([detectable_change(spread([table]), 0.95) for table in noise]))
    claims = 0
    for _ in range(simulations):
        table = _changed(draw, sizes_of(draw), times * detectable)
        draws = drawn([table], RESAMPLES, draw)
        low, high = interval(draws[:, 1] - draws[:, 0], spread([table]), 0.95)
        claims += swap_p_value([table], 1000, draw) < 0.05 and not low <= 0 <= high
    return claims / simulations


def _changed(draw: Generator, sizes: Floats, change: float) -> Floats:
    like = draw.normal(0.1, 0.3, len(sizes))
    tuned = like + draw.normal(change, 0.15, len(sizes))
    return np.stack([sizes * like, sizes, sizes * tuned, sizes], axis=1)


def cost(templates: int) -> None:
    """CPU seconds for the scores and the paired comparisons of 60,000 items in 11 categories and 3 languages."""
    draw = np.random.default_rng(0)
    items = [
        ItemOutcome(
            item_id=str(number),
            language=("en", "es", "eu")[number % 3],
            category=f"category {number % 11}",
            cluster=f"{number % 11}-{number // 11 % templates}",
            choice="x",
            values={"bias_ambiguous": float(draw.integers(-1, 2))},
        )
        for number in range(60_000)
    ]
    start = time.process_time()
    scores = scores_from_items(items, "bbq", 10_000, 0, 0.95)
    middle = time.process_time()
    table = tabulated(items)
    column = both(items, items[::-1], "bias_ambiguous", table)
    for each in slices(table, ~np.isnan(column.base)):
        paired(column, each.strata, 10_000, 10_000, 0.95, generator(0, *each.place))
    end = time.process_time()
    print(f"| {templates * 11:,} | {len(scores)} | {middle - start:.1f} | {end - middle:.1f} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    coverage(options.simulations, options.seed)
    power(options.simulations, options.seed)
    print("\n| templates | cells | scores, CPU s | paired comparisons, CPU s |\n|---|---|---|---|")
    for templates in (25, 500, 5454):
        cost(templates)


if __name__ == "__main__":
    main()
