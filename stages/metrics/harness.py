"""Metrics of lm-evaluation-harness, which no list of ours can name: words made from their names."""

from __future__ import annotations

from stages.metrics.metric import Metric

HIGHER, LOWER = "harness:", "harness-lower:"


def harness_metric(name: str, lower: bool) -> str:
    """The name under which a task's metric is kept; whether less is better stands in it."""
    plain = "".join(letter if letter.isalnum() or letter in "_- " else "-" for letter in name)
    return f"{LOWER if lower else HIGHER}{plain}"


class Known(dict[str, Metric]):
    """Metrics by name; those of the harness are known without being listed."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and name.startswith((HIGHER, LOWER)))

    def get(self, name: str, default: Metric | None = None) -> Metric | None:  # type: ignore[override]
        """The metric, or `default` where it is not known."""
        return self[name] if name in self else default  # noqa: SIM401 (it would ask itself)

    def __missing__(self, name: str) -> Metric:
        if name not in self:
            raise KeyError(name)
        lower = name.startswith(LOWER)
        return Metric(
            f"{name.partition(':')[2]} of lm-evaluation-harness",
            "lower" if lower else "higher",
            "The mean over documents of this metric of lm-evaluation-harness, as its task defines it.",
            "What it says and does not say is told by the task's own documentation.",
            None,
        )
