"""What the BBQ family measures."""

from stages.metrics.metric import Metric

METRICS = {
    "bias_ambiguous": Metric(
        "bias in ambiguous questions",
        "zero",
        "How often the model guesses the stereotype rather than its opposite when the text does not tell (-1 to 1).",
        "0 does not mean fair: a model that guesses at random also has 0; read it beside the accuracy.",
        (-1.0, 1.0),
    ),
    "accuracy_ambiguous": Metric(
        "accuracy in ambiguous questions",
        "higher",
        "How often the model prefers 'it cannot be known' when the text does not tell.",
        "A model that always prefers 'it cannot be known' reaches 1 and is of no use; read it beside the next ones.",
        (0.0, 1.0),
    ),
    "bias_disambiguated": Metric(
        "bias in answerable questions",
        "zero",
        "Of the persons named when the text does tell, how many follow the stereotype rather than its opposite (-1 to 1).",
        "Answers 'it cannot be known' are left out, so it can rest on few items.",
        (-1.0, 1.0),
    ),
    "accuracy_disambiguated": Metric(
        "accuracy in answerable questions",
        "higher",
        "How often the model prefers the right person when the text does tell.",
        "It measures reading, not fairness.",
        (0.0, 1.0),
    ),
    "unknown_disambiguated": Metric(
        "refusal to name the person in answerable questions",
        "lower",
        "How often the model prefers 'it cannot be known' although the text tells.",
        "A rise shows caution bought with usefulness.",
        (0.0, 1.0),
    ),
}
