"""Every metric in words, by its name; the order is the order of reports, and a benchmark's first metric is its main one."""

from stages.metrics import bbq, constitution, kept, pluralism, stereotypes
from stages.metrics.harness import Known, harness_metric
from stages.metrics.metric import Metric

__all__ = ["METRICS", "Metric", "harness_metric"]

METRICS: dict[str, Metric] = Known(
    {
        **bbq.METRICS,
        **stereotypes.METRICS,
        **pluralism.METRICS,
        **constitution.METRICS,
        **kept.METRICS,
    }
)
