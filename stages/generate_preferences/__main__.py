"""Let the teacher criticise and revise answers by the constitution; make preference pairs.

    python -m stages.generate_preferences --constitution data/constitution/ratified \
        --prompts data/sample/prompts --recordings data/sample/teacher \
        --benchmarks data/sample/benchmarks --out data/preferences
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable

from stages import gate
from stages.artifact import new_folder, write_json, write_jsonl
from stages.errors import Trouble
from stages.generate_preferences import expectations, report, teachers
from stages.generate_preferences.inputs import Places, Taught, read_constitution
from stages.generate_preferences.lessons import make_lessons
from stages.generate_preferences.parameters import Parameters
from stages.node import arguments, run
from stages.overlap import Overlaps, read_items
from stages.params import load
from stages.records import Constitution

Teach = Callable[[Places, Constitution, Parameters], Taught]


def main() -> str:
    """Run the node; returns its counts in words."""
    args = arguments(
        __doc__,
        constitution="the ratified constitution",
        prompts="a folder with prompts.jsonl",
        recordings="a folder with recordings.jsonl",
        benchmarks="a folder of benchmark items, which no lesson may hold",
        out="the preference pairs",
    )
    params = load("generate_preferences", Parameters)
    teach = teacher_named(params.teacher)
    constitution = read_constitution(args.constitution)
    taught = teach(Places(args.constitution, args.prompts, args.recordings), constitution, params)
    lessons = make_lessons(taught, params, Overlaps(read_items(args.benchmarks)))
    if not lessons.pairs:
        raise Trouble(f"{report.summary(lessons)}; wanted at least one: check generate_preferences and its inputs.")
    with new_folder(args.out) as folder:
        write_jsonl(folder / "revisions.jsonl", lessons.revisions)
        write_jsonl(folder / "pairs.jsonl", lessons.pairs)
        write_jsonl(folder / "dropped.jsonl", lessons.dropped)
        write_json(folder / "metrics.json", report.metrics(lessons, constitution))
        report.draw(lessons, constitution, folder / "plots" / "pairs-per-principle.png")
        gate.enforce(folder, expectations.tables(lessons), expectations.expected(params, constitution))
    return report.summary(lessons)


def teacher_named(name: str) -> Teach:
    """The teacher in the file of that name; raises Trouble with the known ones."""
    known = sorted(module.name for module in pkgutil.iter_modules(teachers.__path__))
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" (did you mean '{near[0]}'?)" if near else ""
        raise Trouble(f"No teacher named '{name}' in generate_preferences.teacher{hint}; known: {', '.join(known)}.")
    teach: Teach = importlib.import_module(f"{teachers.__name__}.{name}").teach
    return teach


if __name__ == "__main__":
    run(main)
