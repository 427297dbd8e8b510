"""What following the constitution means in figures."""

from stages.metrics.metric import Metric

METRICS = {
    "prefers_constitution": Metric(
        "preference for the answer that follows the constitution",
        "higher",
        "How often the model finds the answer that follows the principle likelier than one that breaks it.",
        "To prefer an answer when both are shown is not yet to write it.",
        (0.0, 1.0),
    ),
    "margin": Metric(
        "margin for the answer that follows the constitution",
        "higher",
        "By how much that answer is likelier, in nats per token.",
        "Its size is comparable between models with the same tokenizer only.",
        None,
    ),
}
