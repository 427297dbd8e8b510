"""Log-likelihoods of many windows: texts that begin alike are read once.

Benchmarks repeat themselves: three answers to one question, four questions on one text. Sorted token sequences form a
tree; a row of at most ROW_TOKENS nodes is read in one pass with a mask that lets each node see its ancestors only.
The figures are in docs/benchmarks.md. Where little is shared, or where a model cannot take such a mask, windows are
read one by one, sorted by length.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from stages.evaluate_model.encoding import Window

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

log = logging.getLogger(__name__)

Ints = npt.NDArray[np.int64]

ROW_TOKENS = 256  # a longer row pays more for attention than it saves
ROW_COST = 4  # what a row costs beside its tokens, in tokens: of two ways to cut, the one with fewer rows
WORTH_SHARING = 0.8  # nodes per token; above it the tree saves less than its mask costs
CPU_TOKENS = 1024  # in one pass on a CPU: 2,048 took a tenth longer, as they fall out of its cache
LOGITS_AT_ONCE = 2**26  # 256 MB in float32: a vocabulary of 128,000 makes them the largest tensor by far


@dataclass(frozen=True)
class Row:
    """A forest of token sequences in one row: its nodes, parents before children, subtrees without a gap."""

    tokens: Ints
    depths: Ints
    ends: Ints  # one past the last node below each node
    nodes: Ints  # where a next token is wanted: the node,
    targets: Ints  # the token that stands next,
    windows: Ints  # and the window that asks


@dataclass(frozen=True)
class Found:
    """Of each window: the log-likelihood (natural log) of its scored tokens, and whether each was the likeliest."""

    totals: list[float]
    greedy: list[bool]  # empty where it was not asked


class Trees:
    """What is known of whether a model gives the same answers over trees of texts, tried once for each length."""

    def __init__(self) -> None:
        self._longest = 0  # tokens of the longest text that was tried
        self._right = True

    def fit(self, model: PreTrainedModel, windows: Sequence[Window]) -> bool:
        """Whether these windows may be read as a tree; longer ones than before are tried first."""
        longest = max(len(window.tokens) for window in windows)
        if self._right and longest > self._longest:
            self._right = takes_a_tree(model, windows)
            self._longest = longest
        return self._right


def log_likelihoods(
    model: PreTrainedModel,
    windows: Sequence[Window],
    batch_tokens: int,
    trees: Trees,
    greedy: bool = False,
    tell: Callable[[float], None] | None = None,
) -> Found:
    """Read the windows in whichever way is faster; `tell` hears which share of the tokens is read."""
    shared = forest(windows)
    tokens = sum(len(window.tokens) - 1 for window in windows)
    nodes = sum(len(row.tokens) for row in shared)
    worth = nodes < WORTH_SHARING * tokens
    rows = shared if worth and trees.fit(model, windows) else chains(windows)
    return totals(model, rows, len(windows), batch_tokens, tree=rows is shared, greedy=greedy, tell=tell)


def totals(
    model: PreTrainedModel,
    rows: Sequence[Row],
    windows: int,
    batch_tokens: int,
    tree: bool,
    greedy: bool = False,
    tell: Callable[[float], None] | None = None,
) -> Found:
    """Sum the log-probabilities of the rows' wanted tokens by window; `tree` says whether rows branch."""
    import torch

    sums = np.zeros(windows)
    all_likeliest = np.ones(windows, dtype=bool)
    everything = sum(len(row.tokens) for row in rows)
    read = 0
    budget = min(batch_tokens, CPU_TOKENS) if model.device.type == "cpu" else batch_tokens
    most_wanted = max(1, LOGITS_AT_ONCE // int(model.get_output_embeddings().weight.shape[0]))
    with torch.inference_mode():
        for batch in batches(rows, budget, most_wanted):
            found, likeliest = _read(model, batch, tree, greedy)
            places = np.concatenate([row.windows for row in batch])
            np.add.at(sums, places, found)
            np.logical_and.at(all_likeliest, places, likeliest)
            read += sum(len(row.tokens) for row in batch)
            if tell:
                tell(read / everything)
    return Found([float(total) for total in sums], [bool(each) for each in all_likeliest] if greedy else [])


# --- rows -------------------------------------------------------------------------------------------------------------


def forest(windows: Sequence[Window], row_tokens: int = ROW_TOKENS) -> list[Row]:
    """Pack the windows, in the order of their tokens, into rows where a common beginning stands once."""
    if not windows:
        return []
    tokens = [np.array(window.tokens, dtype=np.int64) for window in windows]
    keys = [each.astype(">u4").tobytes() for each in tokens]  # big-endian bytes sort like the tokens, and faster
    order = sorted(range(len(windows)), key=keys.__getitem__)
    common = _shared_with_the_one_before([tokens[place][:-1] for place in order])
    lengths = np.array([len(tokens[place]) - 1 for place in order])
    return [
        _row([(place, tokens[place], windows[place].start) for place in order[first:last]], common[first:last])
        for first, last in _cuts(lengths, common, row_tokens)
    ]


def chains(windows: Sequence[Window]) -> list[Row]:
    """One row per window, nothing shared."""
    none = np.zeros(1, dtype=np.int64)
    return [
        _row([(place, np.array(window.tokens, dtype=np.int64), window.start)], none)
        for place, window in enumerate(windows)
    ]


def _shared_with_the_one_before(sequences: Sequence[Ints]) -> Ints:
    """How many first tokens each sequence has in common with the one before it."""
    common = np.zeros(len(sequences), dtype=np.int64)
    for place in range(1, len(sequences)):
        before, here = sequences[place - 1], sequences[place]
        shorter = min(len(before), len(here))
        differing = (before[:shorter] != here[:shorter]).nonzero()[0]
        common[place] = differing[0] if differing.size else shorter
    return common


def _cuts(lengths: Ints, common: Ints, row_tokens: int) -> list[tuple[int, int]]:
    """Where sorted sequences are cut into rows so that the fewest tokens are read twice (shortest path over cuts)."""
    count = len(lengths)
    before = np.concatenate([[0], np.cumsum(lengths - common)])  # nodes of the sequences before, were all in one row
    # A row of sequences i..j has before[j + 1] - before[i] + common[i] nodes: its first shares with nobody.
    start = common - before[:-1]
    cost = np.zeros(count + 1)
    cut = np.zeros(count + 1, dtype=np.int64)
    for last in range(count):
        lowest = min(last, int(np.searchsorted(before, before[last + 1] - row_tokens)))
        nodes = before[last + 1] + start[lowest : last + 1]
        total = np.where(nodes <= row_tokens, cost[lowest : last + 1] + nodes, np.inf)
        total[-1] = cost[last] + nodes[-1]  # alone, it may be longer than a row
        best = int(total.argmin())
        cut[last + 1], cost[last + 1] = lowest + best, total[best] + ROW_COST
    pieces = []
    last = count
    while last:
        pieces.append((int(cut[last]), last))
        last = int(cut[last])
    return pieces[::-1]


def _row(sequences: Sequence[tuple[int, Ints, int]], common: Ints) -> Row:
    """One row of sorted sequences (window, tokens, first scored token); `common` as the one before shares it."""
    path = np.zeros(0, dtype=np.int64)  # the nodes of the sequence before
    parts: list[Ints] = []
    depths: list[Ints] = []
    nodes: list[Ints] = []
    ends = np.zeros(sum(len(tokens) for _, tokens, _ in sequences), dtype=np.int64)
    count = 0
    for number, (_, tokens, start) in enumerate(sequences):
        kept = int(common[number]) if number else 0
        read = len(tokens) - 1
        ends[path[kept:]] = count
        path = np.concatenate([path[:kept], np.arange(count, count + read - kept)])
        parts.append(tokens[kept:read])
        depths.append(np.arange(kept, read))
        nodes.append(path[start - 1 :])
        count += read - kept
    ends[path] = count
    return Row(
        tokens=np.concatenate(parts),
        depths=np.concatenate(depths),
        ends=ends[:count],
        nodes=np.concatenate(nodes),
        targets=np.concatenate([tokens[start:] for _, tokens, start in sequences]),
        windows=np.repeat(
            [place for place, _, _ in sequences], [len(tokens) - start for _, tokens, start in sequences]
        ),
    )


def batches(rows: Sequence[Row], batch_tokens: int, most_wanted: int) -> Iterator[list[Row]]:
    """Yield rows of like length, longest first, as many at once as fit `batch_tokens` after padding."""
    batch: list[Row] = []
    wanted = 0
    for row in sorted(rows, key=lambda row: -len(row.tokens)):
        full = (len(batch) + 1) * len(batch[0].tokens) > batch_tokens if batch else False
        if batch and (full or wanted + len(row.nodes) > most_wanted):
            yield batch
            batch, wanted = [], 0
        batch.append(row)
        wanted += len(row.nodes)
    if batch:
        yield batch


# --- passes -----------------------------------------------------------------------------------------------------------


def _read(
    model: PreTrainedModel, batch: Sequence[Row], tree: bool, greedy: bool
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """The log-probability of each wanted token of a batch, and (where asked) whether it is the likeliest."""
    import torch

    device = model.device
    width = max(len(row.tokens) for row in batch)
    asked = np.concatenate([at * width + row.nodes for at, row in enumerate(batch)])
    places, which = np.unique(asked, return_inverse=True)  # many windows ask at the end of one context
    rows, columns = (torch.from_numpy(each).to(device) for each in divmod(places, width))
    inputs = _tree_inputs(model, batch, width) if tree else _chain_inputs(model, batch, width)
    with only_positions(model, rows, columns):
        logits = model(**inputs, use_cache=False).logits[0]
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    at = torch.from_numpy(which).to(device)
    own = logits[at, torch.from_numpy(np.concatenate([row.targets for row in batch])).to(device)]
    likeliest = own >= logits.amax(dim=1)[at] if greedy else torch.ones_like(at, dtype=torch.bool)
    return (own - logits.logsumexp(dim=1)[at]).double().cpu().numpy(), likeliest.cpu().numpy()


@contextmanager
def only_positions(model: PreTrainedModel, rows: torch.Tensor, columns: torch.Tensor) -> Iterator[None]:
    """Let the output layer see these positions only: over a whole batch its logits would be the largest tensor by far."""

    def select(_: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (inputs[0][rows, columns][None], *inputs[1:])

    hook = model.get_output_embeddings().register_forward_pre_hook(select)
    try:
        yield
    finally:
        hook.remove()


def _padded(batch: Sequence[Row], name: str, width: int) -> torch.Tensor:
    """A column of the rows as one tensor, zeros on the right."""
    import torch

    filled = np.zeros((len(batch), width), dtype=np.int64)
    for at, row in enumerate(batch):
        column = getattr(row, name)
        filled[at, : len(column)] = column
    return torch.from_numpy(filled)


def _chain_inputs(model: PreTrainedModel, batch: Sequence[Row], width: int) -> dict[str, torch.Tensor]:
    """Right padding needs no mask: a causal model never looks at it, and without one its fastest attention is used."""
    return {"input_ids": _padded(batch, "tokens", width).to(model.device)}


def _tree_inputs(model: PreTrainedModel, batch: Sequence[Row], width: int) -> dict[str, torch.Tensor]:
    """Each node at its own depth, seeing itself and its ancestors (padding sees itself, or its softmax would be undefined)."""
    import torch

    places = torch.arange(width, device=model.device)
    ends = torch.maximum(_padded(batch, "ends", width).to(model.device), places + 1)
    # An ancestor stands before the node, and its subtree reaches over it.
    visible = (places[None, None, :] <= places[None, :, None]) & (places[None, :, None] < ends[:, None, :])
    mask = torch.zeros(visible.shape, dtype=model.dtype, device=model.device)
    mask.masked_fill_(~visible, torch.finfo(model.dtype).min)
    return {
        "input_ids": _padded(batch, "tokens", width).to(model.device),
        "position_ids": _padded(batch, "depths", width).to(model.device),
        "attention_mask": mask[:, None],
    }


def takes_a_tree(model: PreTrainedModel, windows: Sequence[Window]) -> bool:
    """Whether the model gives the same answer over a tree as one by one (not so with sliding windows or recurrence)."""
    import torch

    order = sorted(range(len(windows)), key=lambda place: windows[place].tokens)
    trial = [windows[place] for place in [*order[:4], max(order, key=lambda place: len(windows[place].tokens))]]
    tolerance = 1e-3 if model.dtype == torch.float32 else 0.1  # nats per token; a wrong mask is off by far more
    try:
        apart = totals(model, chains(trial), len(trial), 1, tree=False).totals
        together = totals(model, forest(trial), len(trial), 1, tree=True).totals
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        log.info(
            "evaluate_model: this model takes no tree of texts (%s); texts are read one by one", type(error).__name__
        )
        return False
    lengths = [len(window.tokens) - window.start for window in trial]
    worst = max(abs(a - b) / length for a, b, length in zip(apart, together, lengths, strict=True))
    if not worst <= tolerance:
        log.info("evaluate_model: over a tree this model is off by %.2g; texts are read one by one", worst)
    return worst <= tolerance
