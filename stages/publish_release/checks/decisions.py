"""Did people decide on every drafted principle, and is what the model was taught what they decided?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from stages.publish_release import layout
from stages.publish_release.checks.release import Failed, Release, fail_on, some
from stages.records import Constitution, Decision, PreferencePair, Principle, Revision

# What a decision leaves as it was drafted; people decide on words, not on how others voted.
UNTOUCHED = ("votes", "votes_total", "scores", "selection", "moderation")


def people_decided(release: Release) -> str:
    """Every drafted principle has a decision, every ratified one a draft, and the text is the decided one."""
    constitution = release.constitution
    if constitution.version != release.manifest.constitution_version:
        raise Failed(
            f"the manifest tells of version {release.manifest.constitution_version}, the constitution is {constitution.version}"
        )
    if (constitution.status, release.draft.status) != ("ratified", "draft"):
        raise Failed(f"the constitution has the status {constitution.status}, its draft {release.draft.status}")
    drafted = {item.id: item for item in release.draft.principles}
    for principle in constitution.principles:
        if principle.id not in drafted:
            raise Failed(f"{principle.id} is in the constitution but was never drafted")
        fail_on(_not_as_decided(principle, drafted, constitution))
    fail_on(_declined_wrongly(constitution, drafted))
    decided = Counter(
        [item.id for item in constitution.principles] + [item.principle for item in constitution.declined]
    )
    fail_on(f"{id_} was drafted, but nobody decided on it" for id_ in drafted if id_ not in decided)
    fail_on(f"{id_} was decided on twice" for id_, times in decided.items() if times > 1)
    return (
        f"{len(constitution.principles)} ratified, {len(constitution.declined)} declined, none without a decision"
        f"{_quorum(constitution)}"
    )


def _not_as_decided(
    principle: Principle, drafted: Mapping[str, Principle], constitution: Constitution
) -> Iterator[str]:
    decision, draft = principle.decision, drafted[principle.id]
    if decision is None:
        yield f"{principle.id} is in the constitution, but nobody decided on it"
        return
    if decision.principle != principle.id or decision.decision not in ("accept", "reword"):
        yield f"{principle.id} is in the constitution, but the decision was {decision.decision} of {decision.principle}"
    if principle.text != _decided_text(decision, draft.text):
        yield f"{principle.id} does not have the text that was decided"
    reworded = decision.decision == "reword"
    if principle.amended_from != (draft.text if reworded else None):
        yield f"{principle.id} tells of another draft than the one that people saw"
    if (principle.texts[principle.language].origin == "source") == reworded:
        yield f"{principle.id} does not say truly whose words it has"
    if set(principle.statement_ids) != _decided_statements(principle.id, constitution, drafted):
        yield f"{principle.id} names other statements than those it was drafted from or had merged into it"
    for field in UNTOUCHED:
        if getattr(principle, field) != getattr(draft, field):
            yield f"{principle.id} has other {field.replace('_', ' ')} than its draft"
    yield from _unfounded(decision)


def _declined_wrongly(constitution: Constitution, drafted: Mapping[str, Principle]) -> Iterator[str]:
    adopted = {item.id for item in constitution.principles}
    for decision in constitution.declined:
        if decision.principle not in drafted:
            yield f"{decision.principle} was declined but was never drafted"
        elif decision.drafted not in (None, drafted[decision.principle].text):
            yield f"{decision.principle} tells of another draft than the one that people saw"
        if decision.decision not in ("reject", "merge"):
            yield f"{decision.principle} is told as declined, but the decision was {decision.decision}"
        if decision.decision == "merge" and decision.into not in adopted:
            yield f"{decision.principle} was merged into {decision.into}, which is not in the constitution"
        yield from _unfounded(decision)


def _unfounded(decision: Decision) -> Iterator[str]:
    if not decision.reason.strip() or not decision.by.strip():
        yield f"the decision on {decision.principle} does not say {'why' if decision.by.strip() else 'who took it'}"


def _decided_text(decision: Decision, drafted: str) -> str:
    return " ".join((decision.text or "").split()) if decision.decision == "reword" else drafted


def _decided_statements(id_: str, constitution: Constitution, drafted: Mapping[str, Principle]) -> set[int]:
    merged = [item.principle for item in constitution.declined if item.decision == "merge" and item.into == id_]
    return {statement for part in (id_, *merged) if part in drafted for statement in drafted[part].statement_ids}


def _quorum(constitution: Constitution) -> str:
    """The quorum in words; raises Failed where too few were present."""
    quorum = constitution.ratification.quorum if constitution.ratification else None
    if quorum is None:
        return ""
    if quorum.present < quorum.wanted:
        raise Failed(f"{quorum.present:,} were present, the quorum is {quorum.wanted:,}")
    return f"; {quorum.present:,} present, quorum {quorum.wanted:,}"


def lessons_name_principles(release: Release) -> str:
    """The training pairs name principles of the constitution, and no others."""
    known = {principle.id for principle in release.constitution.principles}
    pairs = list(release.bundle.records(f"{layout.PREFERENCES}/pairs.jsonl", PreferencePair))
    revisions = list(release.bundle.records(f"{layout.PREFERENCES}/revisions.jsonl", Revision))
    if not pairs:
        raise Failed("there is no training pair")
    rows: list[PreferencePair | Revision] = [*pairs, *revisions]
    for row in rows:
        unknown = [id_ for id_ in row.principle_ids if id_ not in known]
        if unknown:
            raise Failed(f"{row.id} teaches {some(unknown)}, which the constitution does not have")
        if row.kind == "probe" and not row.principle_ids:
            raise Failed(f"{row.id} teaches a principle but names none")
    return f"{len(pairs):,} pairs, {len({id_ for row in pairs for id_ in row.principle_ids})} of {len(known)} principles taught"
