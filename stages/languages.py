"""The languages' names in words, for figures and metrics that people read."""

NAMES = {
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "eu": "Basque",
    "fi": "Finnish",
    "fr": "French",
    "ga": "Irish",
    "gl": "Galician",
    "it": "Italian",
    "nl": "Dutch",
    "oc": "Occitan",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "sv": "Swedish",
    "zh": "Chinese",
}


def name(code: str) -> str:
    """The English name of an ISO 639-1 code, or the code itself where it is not listed."""
    return NAMES.get(code, code or "unknown language")
