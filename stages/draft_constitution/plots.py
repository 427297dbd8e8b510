"""Draw the draft as pictures: opinion map, stability, how each group voted, and consensus against division."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.draft_constitution.charts import division_ceiling, sample
from stages.draft_constitution.marks import mark, shortened
from stages.draft_constitution.parameters import Parameters
from stages.draft_constitution.standing import Standings, share, standings
from stages.records import Principle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from stages.draft_constitution.drafting import Drafted
    from stages.draft_constitution.opinion_groups import Grouping

LABEL_WIDTH = 80  # characters of a statement in a plot
MOST_POINTS = 5000  # people on the map; of a larger crowd so many are drawn by lot
MOST_LINES = 60  # principles in one picture: more could not be read
DPI = 120


def draw(folder: Path, about: Mapping[str, Any], drafted: Drafted, params: Parameters) -> None:
    """Draw what there is to see: without single votes there are neither groups nor shares."""
    if drafted.found is None:
        return
    simulated = bool(about["simulated"])
    grouping = drafted.found.grouping
    opinion_groups(folder / "opinion-groups.png", grouping, params.seed, simulated)
    if grouping.stability:
        stability(folder / "k-stability.png", grouping, params.min_stability, simulated)
    scored = [principle for principle in drafted.constitution.principles if principle.scores]
    if scored:
        wanted = scored[0].selection.threshold
        consensus(folder / "consensus.png", scored, wanted, simulated)
    placed = standings(drafted.constitution, params.min_cell)
    if placed.placed:
        consensus_and_division(folder / "consensus-versus-division.png", placed, simulated)


def opinion_groups(path: Path, grouping: Grouping, seed: int, simulated: bool) -> None:
    """One point per participant: who votes alike lies close together."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 6.5), layout="constrained")
    places = sample(grouping, MOST_POINTS, seed)
    shown, sizes = sum(len(members) for members in places.values()), grouping.sizes
    for group, members in places.items():
        x, y = zip(*members, strict=True)
        style, people = mark(group), sizes[group]
        label = f"{people:,} {'person' if people == 1 else 'people'}"
        label = f"group {group}: {label}" if len(places) > 1 else label
        size, alpha = (22, 0.65) if shown <= 1000 else (11, 0.6)
        axes.scatter(x, y, s=size, c=style.colour, marker=style.marker, alpha=alpha, linewidths=0, label=label)
    axes.set_xlabel("first direction in which votes differ most")
    axes.set_ylabel("second direction")
    axes.set_aspect("equal", adjustable="datalim")
    if places:
        figure.legend(loc="outside lower center", frameon=False, ncols=len(places), fontsize=9, markerscale=1.5)
    axes.set_title(_map_title(grouping, len(sizes), shown, simulated), loc="left", fontsize=11)
    _save(figure, axes, path)


def _map_title(grouping: Grouping, count: int, shown: int, simulated: bool) -> str:
    """What is seen, whether the groups can be relied on, and whether it is everybody."""
    people = len(grouping.labels)
    groups = "no division into groups" if count <= 1 else f"{count} groups that can be relied on"
    if count > 1 and not grouping.reliable:
        groups = f"these {count} groups are NOT reliable"
    drawn = f"\n{shown:,} of {people:,} people, drawn by lot" if shown < people else ""
    return f"People who vote alike lie close together: {groups}{_note(simulated)}{drawn}"


def stability(path: Path, grouping: Grouping, wanted: float, simulated: bool) -> None:
    """For each number of groups: how much the division stays when people are resampled."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    counts = sorted(grouping.stability)
    chosen = len(grouping.sizes)
    for count in counts:
        found = grouping.stability[count]
        colour, shape = ("#0072B2", "D") if count == chosen else ("#777777", "o")
        axes.plot([count, count], [found.lowest, found.mean], color=colour, linewidth=2, zorder=2)
        axes.scatter([count], [found.mean], s=70, c=colour, marker=shape, zorder=3)
        axes.scatter([count], [found.lowest], s=90, c=colour, marker="_", zorder=3)
        axes.annotate(f"{found.mean:.2f}", (count, found.mean), xytext=(9, -3), textcoords="offset points", fontsize=10)
    axes.axhline(wanted, color="#999999", linestyle="--", linewidth=1)
    axes.annotate(
        f"wanted: {wanted:g}", (counts[0] - 0.45, wanted), xytext=(0, 4), textcoords="offset points", fontsize=9
    )
    small = [f"{count}\nsmallest group: {grouping.stability[count].smallest_group:,}" for count in counts]
    axes.set_xticks(counts, small)
    axes.set_xlim(counts[0] - 0.5, counts[-1] + 0.5)
    axes.set_ylim(min(0.0, *(one.lowest for one in grouping.stability.values())) - 0.05, 1.08)
    axes.set_xlabel("number of groups")
    axes.set_ylabel("adjusted Rand index\n(1: always the same groups, 0: by chance)")
    used = f"The {chosen} groups used are the blue diamond" if chosen in grouping.stability else "No division is used"
    title = f"How much the groups stay the same when other people are drawn{_note(simulated)}"
    axes.set_title(f"{title}\n{used}. Mark: mean of the draws; dash: the worst draw", loc="left", fontsize=10)
    _save(figure, axes, path)


def consensus(path: Path, principles: Sequence[Principle], wanted: float | None, simulated: bool) -> None:
    """One line per principle, one mark per group: the share that agreed."""
    import matplotlib.pyplot as plt

    shown = principles[:MOST_LINES]
    figure, axes = plt.subplots(figsize=(12, 2.1 + 0.34 * len(shown)), layout="constrained")
    places = range(len(shown))
    groups = sorted({group for principle in shown for group in principle.votes})
    for group in groups:
        style = mark(group)
        rates = [100 * share(principle.votes[group]) for principle in shown]
        axes.scatter(
            rates, places, s=38, c=style.colour, marker=style.marker, label=f"group {group}" if len(groups) > 1 else "everybody who was placed",
            edgecolors="white", linewidths=0.6, zorder=3,
        )  # fmt: skip
    bounds = [100 * principle.scores.lower_bound for principle in shown if principle.scores]
    axes.scatter(bounds, places, s=60, c="black", marker="|", label="surely more than this in every group", zorder=3)
    if wanted is not None:
        axes.axvline(100 * wanted, color="#999999", linestyle="--", linewidth=1, label="wanted in every group")
    axes.set_yticks(places, [_label(principle) for principle in shown], fontsize=8, parse_math=False)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(min(50.0, *(5 * (bound // 5) for bound in bounds)), 101)
    axes.set_xlabel("share of the group's voters who agree (%)")
    axes.grid(axis="y", color="#eeeeee")
    several = len(shown[0].votes) > 1
    agree = "Every opinion group" if several else "The crowd, in which no groups were told apart,"
    cut = f"the best {len(shown)} of {len(principles)}" if len(shown) < len(principles) else f"these {len(shown)}"
    verb = (
        "How far every opinion group agrees"
        if several
        else "How far the crowd, in which no groups were told apart, agrees"
    )
    if wanted is not None:
        verb = f"{agree} agrees"
    axes.set_title(f"{verb} with {cut} principles{_note(simulated)}", loc="left")
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", frameon=False, ncols=len(names), fontsize=8)
    _save(figure, axes, path)


def consensus_and_division(path: Path, found: Standings, simulated: bool) -> None:
    """Each statement: how high the least agreeing group is, and how far the groups are apart."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 6.5), layout="constrained")
    several = found.groups > 1
    for drafted, colour, shape, size, name in (
        (False, "#777777", "o", 20, "statements not drafted"),
        (True, "#0072B2", "D", 34, "drafted principles"),
    ):
        marks = [one for one in found.placed if bool(one.principle) == drafted]
        if marks:
            filled = colour if drafted else "none"
            x, y = [100 * one.least for one in marks], [100 * one.apart for one in marks]
            label = f"{name} ({len(marks):,})"
            axes.scatter(x, y, s=size, facecolors=filled, edgecolors=colour, marker=shape, alpha=0.8, label=label)
    axes.set_xlim(-2, 102)
    axes.set_ylim(-2, division_ceiling(found) + 2)
    axes.grid(color="#eeeeee")
    axes.set_axisbelow(True)
    if several:
        axes.set_xlabel("share that agrees in the group that agrees least (%)")
        axes.set_ylabel("difference between the groups that agree most and least (points)")
        title = "Right: every group agrees with the statement. Up: the groups are divided over it"
    else:
        axes.set_xlabel("share that agrees (%)")
        axes.set_ylabel("share that disagrees (%)")
        title = "Right: people agree with the statement. Up: people disagree (no groups were told apart)"
    left_out = f"\n{found.too_few_votes:,} statements with too few votes are not drawn" if found.too_few_votes else ""
    axes.set_title(f"{title}{_note(simulated)}{left_out}", loc="left", fontsize=11)
    axes.legend(frameon=False, loc="upper right")
    _save(figure, axes, path)


def _label(principle: Principle) -> str:
    """The statement, shortened; only its id where the plot's font lacks the script."""
    text = shortened(principle.text, LABEL_WIDTH)
    if not _drawable(text):
        return f"{principle.id} ({principle.language})"
    return f"{text}  {principle.id}"


def _drawable(text: str) -> bool:
    from matplotlib import font_manager, ft2font

    known = ft2font.FT2Font(font_manager.findfont("DejaVu Sans")).get_charmap()
    return all(ord(character) in known for character in text)


def _note(simulated: bool) -> str:
    return " (simulated)" if simulated else ""


def _save(figure: Figure, axes: Axes, path: Path) -> None:
    import matplotlib.pyplot as plt

    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata: dict[str, Any] = {"Software": None}  # no version inside: the same bytes everywhere
    figure.savefig(path, dpi=DPI, metadata=metadata)
    plt.close(figure)
