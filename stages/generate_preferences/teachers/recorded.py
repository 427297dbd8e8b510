"""Join what a teacher, a person or a model, answered earlier to the prompts of the adopted principles."""

from __future__ import annotations

from stages.generate_preferences.inputs import (
    Places,
    Taught,
    adopted_prompts,
    drop,
    principle_ids,
    principles_by_statement,
    read_prompts,
    read_recordings,
)
from stages.generate_preferences.parameters import Parameters
from stages.records import Constitution, Revision


def teach(places: Places, constitution: Constitution, params: Parameters) -> Taught:
    """A revision for each prompt that was recorded."""
    recordings = read_recordings(places.recordings)
    prompts, dropped = adopted_prompts(read_prompts(places.prompts), constitution)
    by_statement = principles_by_statement(constitution)
    revisions = []
    for prompt in prompts:
        ids = principle_ids(prompt, by_statement)
        recording = recordings.get(prompt.id)
        if recording is None:
            dropped.append(drop(prompt, ids, "no recording", "none for this prompt", "one in recordings.jsonl"))
            continue
        revisions.append(
            Revision(
                id=prompt.id,
                language=prompt.language,
                principle_ids=ids,
                kind=prompt.kind,
                prompt=prompt.prompt,
                initial=recording.initial,
                critique=recording.critique,
                revision=recording.revision,
                teacher=f"{recording.teacher}@{recording.version}",
            )
        )
    return Taught(revisions, dropped)
