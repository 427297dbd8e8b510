"""Every metric in words, by its name; the order is the order of reports, and a benchmark's first metric is its main one."""

from stages.metrics import bbq, constitution, kept, pluralism, stereotypes
from stages.metrics.metric import Metric

METRICS: dict[str, Metric] = {
    **bbq.METRICS,
    **stereotypes.METRICS,
    **pluralism.METRICS,
    **constitution.METRICS,
    **kept.METRICS,
}
