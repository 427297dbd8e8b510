"""Critique and revision requests, as training by a constitution reads them: a pair per principle, in its language."""

from __future__ import annotations

from stages.ratify_constitution.exports import as_json
from stages.records import Constitution

FILE = "critique-revision.json"
PRINCIPLE = "{principle}"
FALLBACK = "en"  # the requests' language where we have none in the principle's own

CRITIC = {
    "en": "Principle: “{principle}” Read the answer again: where does it depart from this principle? Name the passages.",
    "es": "Principio: «{principle}» Vuelve a leer la respuesta: ¿en qué se aparta de este principio? Señala los pasajes.",
    "fr": "Principe : « {principle} » Relis la réponse : en quoi s'écarte-t-elle de ce principe ? Cite les passages.",
    "ca": "Principi: «{principle}» Torna a llegir la resposta: en què s'aparta d'aquest principi? Assenyala'n els passatges.",
    "eu": "Printzipioa: «{principle}» Irakurri berriro erantzuna: zertan urruntzen da printzipio horretatik? Adierazi pasarteak.",
}
REVISION = {
    "en": "Principle: “{principle}” Write the answer anew so that it follows this principle, and keep what is right in it.",
    "es": "Principio: «{principle}» Escribe de nuevo la respuesta para que siga este principio y conserva lo que está bien.",
    "fr": "Principe : « {principle} » Réécris la réponse pour qu'elle suive ce principe, et garde ce qui est juste.",
    "ca": "Principi: «{principle}» Torna a escriure la resposta perquè segueixi aquest principi i conserva el que està bé.",
    "eu": "Printzipioa: «{principle}» Idatzi berriro erantzuna printzipio horri jarrai diezaion, eta gorde ondo dagoena.",
}


def export(constitution: Constitution) -> str:
    """One pair of requests per principle."""
    pairs = [
        {"critic": _filled(CRITIC, p.text, p.language), "revision": _filled(REVISION, p.text, p.language)}
        for p in constitution.principles
    ]
    return as_json({"constitutions": pairs})


def _filled(wordings: dict[str, str], text: str, language: str) -> str:
    """The principle put into the request; never as a format string, because citizens wrote it."""
    return wordings.get(language, wordings[FALLBACK]).replace(PRINCIPLE, text)
