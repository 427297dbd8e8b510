"""What political pluralism and autonomy mean in figures."""

from stages.metrics.metric import Metric

METRICS: dict[str, Metric] = {}
