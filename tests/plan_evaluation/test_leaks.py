"""Held-out pairs that were taught are found, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stages.artifact import write_jsonl
from stages.errors import Trouble
from stages.plan_evaluation.leaks import HeldOut, leaks, refuse_leaks
from stages.records import PreferencePair


def lesson(number: int, prompt: str, chosen: str, rejected: str) -> PreferencePair:
    return PreferencePair(
        id=f"eu-p003-{number:02d}",
        language="eu",
        principle_ids=("p003",),
        kind="probe",
        prompt=prompt,
        chosen=chosen,
        rejected=rejected,
        teacher="hand",
    )


LESSONS = [
    lesson(0, "Norekin hitz egin dezaket?", "Leihatilara joan zaitezke bihar goizean eta norbaitek lagunduko dizu.", "Inorekin ez."),
    lesson(1, "Ba al dago inor?", "Bai, noski.", "Ez dago inor hemen zuri laguntzeko prest orain."),
]  # fmt: skip
HELD_OUT = HeldOut(item_id="h", prompt="Nork lagunduko dit?", chosen="Langile batek.", rejected="Inork ez.")


@pytest.mark.parametrize(
    ("changes", "part", "how", "found_in"),
    [
        ({"prompt": "NOREKIN hitz egin dezaket"}, "prompt", "the same text", "eu-p003-00"),
        ({"chosen": "Leihatilara joan zaitezke bihar goizean, eta norbaitek lagunduko dizu!"}, "chosen", "the same text", "eu-p003-00"),
        ({"chosen": "Nahi baduzu, joan zaitezke bihar goizean eta norbaitek lagunduko dizu han."}, "chosen", "8 words in a row", "eu-p003-00"),
        ({"rejected": "Sentitzen dut: ez dago inor hemen zuri laguntzeko prest orain."}, "rejected", "8 words in a row", "eu-p003-01"),
        ({"prompt": "Leihatilara joan zaitezke bihar goizean eta norbaitek lagunduko dizu?"}, "prompt", "the same text", "eu-p003-00"),
    ],
)  # fmt: skip
def test_a_leak_is_found_with_its_lesson(changes: dict[str, str], part: str, how: str, found_in: str) -> None:
    (leak,) = leaks([HELD_OUT.model_copy(update=changes)], LESSONS)
    assert (leak.item_id, leak.part, leak.how, leak.lesson) == ("h", part, how, found_in)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"chosen": "Bai, noski."},  # everybody's phrase
        {"chosen": "Joan bihar goizean eta norbaitek lagunduko dizu han."},  # six words in a row
        {"prompt": "Ba al dago inor zuekin hitz egiteko?"},
    ],
)
def test_what_only_resembles_a_lesson_is_no_leak(changes: dict[str, str]) -> None:
    assert leaks([HELD_OUT.model_copy(update=changes)], LESSONS) == []


def test_the_run_stops_with_the_first_leaks_named(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "preferences" / "pairs.jsonl", LESSONS)
    path = tmp_path / "held_out.jsonl"
    clean = HELD_OUT.model_dump() | {"statement_id": 3, "kind": "heldout_form"}
    path.write_text(json.dumps(clean) + "\n", encoding="utf-8")
    assert refuse_leaks(path, tmp_path / "preferences") == 1
    taught = clean | {"item_id": "t", "prompt": "Ba al dago inor?"}
    path.write_text(json.dumps(clean) + "\n" + json.dumps(taught) + "\n", encoding="utf-8")
    with pytest.raises(
        Trouble,
        match=r"1 of 2 held-out pairs were taught \(1 texts, .*\): t, prompt: 'Ba al dago inor\?' \(eu-p003-01\)",
    ):
        refuse_leaks(path, tmp_path / "preferences")
    with pytest.raises(Trouble, match=r"pairs.jsonl is missing"):
        refuse_leaks(path, tmp_path / "elsewhere")


def test_the_samples_held_out_pairs_were_never_taught() -> None:
    """The sample's lessons are made of its prompts and recorded answers; their texts are compared here."""
    sample = Path(__file__).parents[2] / "data" / "sample"
    prompts = {row["id"]: row for row in _rows(sample / "prompts" / "prompts.jsonl")}
    lessons = [
        lesson(0, prompts[row["prompt_id"]]["prompt"], row["revision"], row["initial"]).model_copy(
            update={"id": row["prompt_id"]}
        )
        for row in _rows(sample / "teacher" / "recordings.jsonl")
    ]
    held_out = [HeldOut.model_validate(row) for row in _rows(sample / "benchmarks" / "adherence" / "pairs.jsonl")]
    assert (len(lessons), len(held_out)) == (1060, 540)
    assert leaks(held_out, lessons) == []


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
