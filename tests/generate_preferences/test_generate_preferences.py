"""Each teacher makes pairs only of adopted principles, and every lesson left out has its reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages import gate
from stages.errors import Trouble
from stages.generate_preferences import expectations
from stages.generate_preferences.__main__ import main, teacher_named
from stages.generate_preferences.inputs import (
    Places,
    Taught,
    principles_by_statement,
    read_constitution,
    read_prompts,
)
from stages.generate_preferences.lessons import Lessons, make_lessons, problem_of
from stages.generate_preferences.parameters import Parameters
from stages.generate_preferences.report import metrics, summary
from stages.generate_preferences.teachers import recorded, rule
from stages.overlap import Item, Overlaps, read_items
from stages.params import load
from stages.records import Constitution, PreferencePair, Revision
from tests.generate_preferences.conftest import PROMPTS, RECORDINGS, principle, write_recordings

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
NO_ITEMS = Overlaps([])


def test_recorded_lessons_and_the_reasons_of_the_others(
    places: Places, constitution: Constitution, params: Parameters
) -> None:
    lessons = make_lessons(recorded.teach(places, constitution, params), params, NO_ITEMS)
    assert [pair.id for pair in lessons.pairs] == ["ca-1", "en-1", "en-4", "eu-1"]
    assert lessons.pairs[0] == PreferencePair(
        id="ca-1",
        language="ca",
        principle_ids=("p003",),  # by the merged statement 7
        kind="probe",
        prompt="Puc parlar amb algú?",
        chosen="Sí, us passo amb una persona ara.",
        rejected="No, només amb mi, sóc la màquina.",
        teacher="written:tests@1",
    )
    assert lessons.pairs[2].principle_ids == ()  # benign
    assert [(drop.id, drop.rule, drop.value) for drop in lessons.dropped] == [
        ("de-1", "language", "de"),
        ("en-2", "duplicate prompt", "the words of en-1"),
        ("en-3", "no recording", "none for this prompt"),
        ("eu-9", "principle not adopted", "statement 9"),
    ]
    assert len(lessons.pairs) + len(lessons.dropped) == len(PROMPTS)
    assert summary(lessons) == (
        "4 pairs of 8 lessons (duplicate prompt 1, language 1, no recording 1, principle not adopted 1)"
    )
    counts = metrics(lessons, constitution)
    assert counts["pairs, p003, Catalan"] == 1
    assert counts["pairs, benign"] == 1
    assert counts["principles taught"] == 3
    assert counts["dropped: no recording"] == 1


@pytest.mark.parametrize(
    ("initial", "revised", "problem"),
    [
        ("Ez dakit.", "ez  dakit.", ("no-op revision", "the revision repeats the first answer", "a changed answer")),
        ("Bai.", "  ", ("empty", "the revision has no text", "a text")),
        ("", "Bai.", ("empty", "the initial has no text", "a text")),
        ("Bai.", "Bai, baina galdetu lehenago.", ("length ratio", "7.00", "0.6 to 1.6")),
        ("Bai, baina galdetu lehenago.", "Ez.", ("length ratio", "0.11", "0.6 to 1.6")),
        ("Bai, noski.", "Ez dakit.", None),
    ],
)
def test_revisions_that_teach_nothing(
    params: Parameters, initial: str, revised: str, problem: tuple[str, str, str] | None
) -> None:
    revision = Revision(
        id="a", language="eu", principle_ids=("p004",), kind="probe", prompt="Zer?", initial=initial,
        critique="", revision=revised, teacher="t",
    )  # fmt: skip
    assert problem_of(revision, params) == problem


def test_the_same_pair_is_taught_once(params: Parameters) -> None:
    one = Revision(
        id="a", language="en", principle_ids=("p002",), kind="probe", prompt="Who?", initial="It was Jon.",
        critique="", revision="I don't know.", teacher="t",
    )  # fmt: skip
    lessons = make_lessons(Taught([one.model_copy(update={"id": "b"}), one], []), params, NO_ITEMS)
    assert [pair.id for pair in lessons.pairs] == ["a"]
    assert lessons.dropped[0].rule == "duplicate pair"
    assert lessons.dropped[0].value == "the texts of a"


@pytest.mark.parametrize("field", ["prompt", "initial", "revision"])
def test_a_lesson_with_the_words_of_a_benchmark_is_left_out(params: Parameters, field: str) -> None:
    texts = {"prompt": "Who is it?", "initial": "It was Jon.", "revision": "I don't know."}
    texts[field] = "Well: who of the two did not pay, for once, the fare of the tram?"
    revision = Revision(id="a", language="en", principle_ids=("p002",), kind="probe", critique="", teacher="t", **texts)
    loose = params.model_copy(update={"min_length_ratio": 0.01, "max_length_ratio": 100.0})
    items = Overlaps([Item("bbq", "Age:7", "Who of the two did NOT pay for once the fare?")])
    lessons = make_lessons(Taught([revision], []), loose, items)
    assert lessons.pairs == []
    assert (lessons.dropped[0].rule, lessons.dropped[0].value) == ("benchmark item", "8-gram of bbq Age:7")


def test_statements_lead_to_all_principles_that_stand_on_them(constitution: Constitution) -> None:
    both = constitution.model_copy(update={"principles": (*constitution.principles, principle(1, "x", "en", (7,)))})
    assert principles_by_statement(both)[7] == ("p001", "p003")
    assert 9 not in principles_by_statement(both)


def test_the_rule_needs_no_prompts(places: Places, constitution: Constitution, params: Parameters) -> None:
    bare = places._replace(prompts=Path("nowhere"), recordings=Path("nowhere"))
    taught = rule.teach(bare, constitution, params)
    lessons = make_lessons(taught, params, NO_ITEMS)
    # 23: every group supports it; 24: moderated out; 25: too short; 26: too few votes
    assert {(r.principle_ids, r.initial) for r in taught.revisions} == {
        (("p002",), "It should guess when it is not sure."),
        (("p002",), "It must always answer at once, always."),
        (("p003",), "Ha de poder tancar les oficines per estalviar."),
    }
    assert lessons.pairs[-1].chosen == "Sempre ha de ser possible parlar amb una persona."
    assert lessons.pairs[-1].prompt == rule.QUESTIONS["ca"][0]
    assert lessons.pairs[-1].teacher == "rule:adopted-over-rejected@1"
    assert taught.revisions[0].critique.startswith("Statement 2")
    assert [(drop.id, drop.value) for drop in lessons.dropped] == [
        ("rule-p004", "no contested statement in 'eu' of like length")
    ]


def test_the_rule_depends_on_the_seed_alone(places: Places, constitution: Constitution, params: Parameters) -> None:
    one = params.model_copy(update={"rule": params.rule.model_copy(update={"pairs_per_principle": 1})})
    chosen = set()
    for seed in range(8):
        seeded = one.model_copy(update={"seed": seed})
        first, again = (rule.teach(places, constitution, seeded) for _ in range(2))
        assert first == again
        chosen.add(first.revisions[0].initial)
    assert len(chosen) == 2


def test_every_language_asks_the_same_number_of_questions() -> None:
    assert {len(questions) for questions in rule.QUESTIONS.values()} == {6}
    assert set(rule.QUESTIONS) == {"en", "fr", "es", "ca", "eu"}


def test_the_rule_without_rejected_statements_is_trouble(
    places: Places, constitution: Constitution, params: Parameters
) -> None:
    none = constitution.model_copy(update={"rejected": ()})
    with pytest.raises(Trouble, match=r"constitution.json names no rejected statement; teacher 'rule' needs"):
        rule.teach(places, none, params)


def test_a_draft_is_not_taught(places: Places, constitution: Constitution) -> None:
    draft = constitution.model_copy(update={"status": "draft"})
    (places.constitution / "constitution.json").write_text(draft.model_dump_json(), encoding="utf-8")
    with pytest.raises(Trouble, match=r"constitution.json has the status 'draft'; wanted a ratified .* run ratify_"):
        read_constitution(places.constitution)


def test_an_unknown_teacher_is_trouble() -> None:
    with pytest.raises(
        Trouble, match=r"No teacher named 'recordd' .*did you mean 'recorded'\?.*endpoint, recorded, rule"
    ):
        teacher_named("recordd")


def test_a_prompt_id_twice_is_trouble(places: Places) -> None:
    path = places.prompts / "prompts.jsonl"
    path.write_text(path.read_text(encoding="utf-8") * 2, encoding="utf-8")
    with pytest.raises(Trouble, match=r"prompts.jsonl has the id 'ca-1' twice"):
        read_prompts(places.prompts)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"teacher": "endpoint"}, "needs the block 'endpoint'"),
        ({"min_length_ratio": 2.0}, "min_length_ratio is above max_length_ratio"),
        ({"endpoint": {"url": "localhost:8000", "model": "m"}}, r"'generate_preferences.endpoint.url' is 'localhost"),
        ({"endpoint": {"url": "https://user:secret@host/v1", "model": "m"}}, r"'generate_preferences.endpoint.url'"),
        ({"rule": {"pairs": 3}}, r"unknown parameter 'generate_preferences.rule.pairs'"),
    ],
)
def test_parameters_that_are_refused(tmp_path: Path, values: dict[str, Any], message: str) -> None:
    section = {
        "prompts": "p",
        "recordings": "r",
        "benchmarks": "b",
        "teacher": "recorded",
        "languages": ["en"],
        **values,
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"generate_preferences": section}), encoding="utf-8")
    with pytest.raises(Trouble, match=message):
        load("generate_preferences", Parameters, tmp_path / "params.yaml")


@pytest.fixture
def run(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Parameters], str]:
    """Run the node's main in a folder of its own."""

    def run_main(params: Parameters) -> str:
        section = params.model_dump(mode="json")
        (tmp_path / "params.yaml").write_text(yaml.safe_dump({"generate_preferences": section}), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(
            "sys.argv",
            ["generate_preferences", "--constitution", "ratified", "--prompts", "prompts", "--recordings", "recordings",
             "--benchmarks", "benchmarks", "--out", "preferences"],
        )  # fmt: skip
        return main()

    return run_main


@pytest.mark.filterwarnings("ignore")  # Great Expectations' own
def test_the_node_writes_everything_twice_the_same(
    run: Callable[[Parameters], str], params: Parameters, tmp_path: Path
) -> None:
    said = run(params)
    assert said.startswith("4 pairs of 8 lessons")
    out = tmp_path / "preferences"
    first = {path.name: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert sorted(first) == [
        "dropped.jsonl", "gate.json", "metrics.json", "pairs-per-principle.png", "pairs.jsonl", "revisions.jsonl",
    ]  # fmt: skip
    assert len(first["revisions.jsonl"].splitlines()) == len(first["pairs.jsonl"].splitlines()) == 4
    assert run(params) == said
    assert {path.name: path.read_bytes() for path in out.rglob("*") if path.is_file()} == first


def test_no_lesson_at_all_is_trouble(
    run: Callable[[Parameters], str], params: Parameters, places: Places, tmp_path: Path
) -> None:
    write_recordings(places, {"en-1": (RECORDINGS["en-1"][0],) * 3})
    with pytest.raises(Trouble, match=r"0 pairs of 8 lessons .*no-op revision 1.*wanted at least one"):
        run(params)
    assert not (tmp_path / "preferences").exists()


@pytest.mark.filterwarnings("ignore")
def test_the_gate_knows_the_principles(tmp_path: Path, constitution: Constitution, params: Parameters) -> None:
    stray = PreferencePair(
        id="a", language="en", principle_ids=("p099",), kind="probe", prompt="?", chosen="Yes.", rejected="No!!",
        teacher="t",
    )  # fmt: skip
    with pytest.raises(Trouble, match=r"principles: .* failed, found .*p099"):
        gate.enforce(
            tmp_path, expectations.tables(Lessons([], [stray], [])), expectations.expected(params, constitution)
        )


@pytest.mark.skipif(not (SAMPLE / "prompts" / "prompts.jsonl").exists(), reason="the sample's prompts are not there")
def test_every_recording_of_the_sample_is_a_lesson() -> None:
    """With a constitution that adopts every statement, no lesson of the sample is dropped, also none for a benchmark's words."""
    params = load("generate_preferences", Parameters, ROOT / "params.yaml")
    prompts = read_prompts(SAMPLE / "prompts")
    statements = sorted({prompt.statement_id for prompt in prompts if prompt.statement_id is not None})
    adopted = Constitution(
        title="T", version="1.0.0", status="ratified", question="?", languages=params.languages,
        principles=tuple(principle(number, "x", "en") for number in statements), declined=(),
    )  # fmt: skip
    taught = recorded.teach(Places(SAMPLE, SAMPLE / "prompts", SAMPLE / "teacher"), adopted, params)
    lessons = make_lessons(taught, params, Overlaps(read_items(SAMPLE / "benchmarks")))
    assert lessons.dropped == []
    assert {pair.language for pair in lessons.pairs} == set(params.languages)
    assert json.loads(lessons.pairs[0].model_dump_json())["chosen"] != lessons.pairs[0].rejected
