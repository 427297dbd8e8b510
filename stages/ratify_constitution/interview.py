"""Ask people in a terminal what they decide on each drafted principle, one after the other, and keep every answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from stages.errors import Trouble
from stages.ratify_constitution import versions
from stages.ratify_constitution.decisions import Decisions, Entry, one_line, parse, problem_of
from stages.ratify_constitution.draft_page import Notes, votes_in_words
from stages.ratify_constitution.ratification import apply, ratify
from stages.records import Constitution, Principle

CHOICES = ("accept", "reword", "merge", "reject", "skip", "stop")


class Stopped(Exception):
    """People want to go on another time."""


@dataclass
class Interview:
    """One sitting: what is decided so far, and how to ask, say and save."""

    path: Path  # named in messages
    draft: Constitution
    look_at: Notes
    decisions: Decisions
    ask: Callable[[str], str]  # raises EOFError where nobody answers any more
    say: Callable[[str], None]
    save: Callable[[Decisions], None]
    by: str = ""  # the role given last: the next answer's default
    _skipped: set[str] = field(default_factory=set)

    def hold(self) -> bool:
        """Ask about every principle that is not decided; whether all are, and can be applied."""
        try:
            for principle in self._open():
                self._decide(principle)
            return not self._skipped and self._close()
        except (EOFError, KeyboardInterrupt, Stopped):
            return False

    def left(self) -> int:
        """How many principles wait for a decision."""
        decided = {entry.principle for entry in self.decisions.decisions}
        return sum(principle.id not in decided for principle in self.draft.principles)

    def _open(self) -> Iterator[Principle]:
        decided = {entry.principle for entry in self.decisions.decisions}
        return (principle for principle in self.draft.principles if principle.id not in decided)

    def _decide(self, principle: Principle) -> None:
        self._show(principle)
        while True:
            choice = self._choice()
            if choice == "skip":
                self._skipped.add(principle.id)
                return
            problem = self._take(principle, choice)
            if problem is None:
                return
            self.say(f"  Not taken: {problem}.")

    def _show(self, principle: Principle) -> None:
        place = [p.id for p in self.draft.principles].index(principle.id) + 1
        self.say(f"\n{principle.id} ({place} of {len(self.draft.principles)}, {principle.language})")
        self.say(f"  {principle.text}")
        for language, wording in principle.texts.items():
            if language != principle.language:
                self.say(f"  {language} ({wording.origin} translation): {wording.value}")
        self.say(f"  {votes_in_words(principle)}; {principle.selection.reason}")
        for note in self.look_at.get(principle.id, ()):
            self.say(f"  Look at: {note}")

    def _choice(self) -> str:
        while True:
            given = self.ask(f"  {', '.join(CHOICES)}? ").strip().lower()
            found = [choice for choice in CHOICES if given and choice.startswith(given)]
            if given in CHOICES or len(found) == 1:
                if found[0] == "stop":
                    raise Stopped
                return given if given in CHOICES else found[0]
            self.say(f"  Found '{given}'; wanted one of: {', '.join(CHOICES)} (or their beginnings).")

    def _take(self, principle: Principle, choice: str) -> str | None:
        """Ask for the rest of the decision and save it; why it cannot be taken, or None."""
        answers: dict[str, object] = {"principle": principle.id, "decision": choice}
        if choice == "reword":
            answers["text"] = self.ask("  New words: ")
        if choice == "merge":
            answers["into"] = self.ask("  Into which principle? ").strip()
        answers["reason"] = one_line(self.ask("  Reason: "))
        answers["by"] = one_line(self.ask(f"  Decided by (a role){f' [{self.by}]' if self.by else ''}: ")) or self.by
        answers |= ballots(self.ask("  Ballots yes, no, abstained, e.g. 30 2 1 (empty: none): "))
        try:
            entry = Entry.model_validate(answers)
        except ValidationError as error:
            problem = error.errors()[0]
            return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        known: dict[str, Entry | None] = dict.fromkeys((p.id for p in self.draft.principles), None)
        problem_found = problem_of(entry, principle, known | {e.principle: e for e in self.decisions.decisions})
        if problem_found is None:
            self.by = entry.by
            self._keep(self.decisions.model_copy(update={"decisions": (*self.decisions.decisions, entry)}))
        return problem_found

    def _keep(self, decisions: Decisions) -> None:
        self.decisions = decisions
        self.save(decisions)

    def _close(self) -> bool:
        """All is decided: ask for the version that fits, and say what does not."""
        wanted = self._wanted_version()
        if wanted != self.decisions.version:
            self.say(f"\nVersion {self.decisions.version} does not fit what changes.")
            self._keep(
                self.decisions.model_copy(update={"version": self.ask(f"Version [{wanted}]: ").strip() or wanted})
            )
        try:
            apply(self.path, parse(self.path, self.decisions.model_dump(mode="json")), self.draft)
        except Trouble as trouble:
            self.say(f"\nAll is decided, but: {trouble}")
            return False
        return True

    def _wanted_version(self) -> str:
        previous = self.decisions.previous
        changes = [amendment.change for amendment in ratify(self.draft, self.decisions).constitution.amendments]
        if versions.problem(self.decisions.version, previous.version if previous else None, changes) is None:
            return self.decisions.version
        return versions.next_version(previous.version, changes) if previous else versions.FIRST


def ballots(given: str) -> dict[str, object]:
    """Ballots from one line of numbers: yes, no and, where given, abstained."""
    numbers = given.replace(",", " ").replace("/", " ").split()
    names = ("yes", "no", "abstain")
    return {"ballots": dict(zip(names, numbers, strict=False))} if numbers else {}


def head(draft: Constitution, ask: Callable[[str], str], version: str) -> dict[str, object]:
    """What holds for the whole file, asked once, in the shape of the file."""
    answers: dict[str, object] = {
        "title": one_line(ask(f"Title of the constitution [{draft.title}]: ")) or draft.title,
        "version": ask(f"Version [{version}]: ").strip() or version,
        "by": one_line(ask("Who decides (a role, never a name)? ")),
        "date": ask("Day of the decision, e.g. 2026-03-01 (empty: not said): ").strip(),
    }
    wanted = ask("How many must be present (empty: no quorum)? ").strip()
    if wanted:
        answers["quorum"] = {"wanted": wanted, "present": ask("How many are present? ").strip()}
    return answers | ballots(ask("Ballots on the whole: yes, no, abstained (empty: none): ")) | {"decisions": []}
