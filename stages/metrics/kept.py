"""What tuning must not cost."""

from stages.metrics.metric import Metric

METRICS = {
    "helpful_on_harmless": Metric(
        "helpfulness on harmless questions",
        "higher",
        "How often the model finds the helpful answer to a harmless question likelier than a needless refusal.",
        "It does not say that the helpful answer is right.",
        (0.0, 1.0),
    ),
    "bits_per_character": Metric(
        "surprise at civic texts in bits per character",
        "lower",
        "How well the model still knows the language of public texts.",
        "It says nothing about truth; texts that were in the training data look easier.",
        None,
    ),
}
