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
    "written_refusal_harmless": Metric(
        "written refusals of harmless questions",
        "lower",
        "How often the model's own answer to a harmless question refuses.",
        "Refusals are told by fixed phrases; a polite evasion is not seen.",
        (0.0, 1.0),
    ),
    "empty_answer": Metric(
        "empty answers to harmless questions",
        "lower",
        "How often the model writes nothing at all.",
        "A model that writes nothing never refuses: read it beside the refusals.",
        (0.0, 1.0),
    ),
    "answers_in_language": Metric(
        "answers in the language of the question",
        "higher",
        "How often the model's answer is in the language of the question, where its language can be told.",
        "A right language may still be badly written; close languages are sometimes mistaken for each other.",
        (0.0, 1.0),
    ),
    "too_short_to_tell": Metric(
        "answers too short for their language to be told",
        "lower",
        "How often an answer has too few letters to tell its language.",
        "A short answer can be a good one; it is counted so that none disappears.",
        (0.0, 1.0),
    ),
    "task_accuracy": Metric(
        "right answers in small tasks of arithmetic and reading",
        "higher",
        "How often the model prefers the right option.",
        "A few easy tasks that show damage, no measure of knowledge; guessing among four gives 0.25.",
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
