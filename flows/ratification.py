"""Where a run waits for people: the drafted principles are shown, and their decisions taken as a typed form.

The pipeline asks this module only which node waits, why, and that people be asked; what a principle is stays here.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from flows.graph import Node
from flows.ratification_form import make_form, to_content
from stages.constitution import read_constitution
from stages.errors import Trouble
from stages.params import load
from stages.ratify_constitution.charter import escape
from stages.ratify_constitution.decisions import Decisions, parse, read_decisions
from stages.ratify_constitution.draft_page import draft_page, notes
from stages.ratify_constitution.parameters import Parameters
from stages.ratify_constitution.ratification import apply, ratified
from stages.ratify_constitution.writing import write_decisions
from stages.records import Constitution

NODE = "ratify_constitution"
CONSTITUTION = "constitution.json"
MAP = "plots/opinion-groups.png"  # in the draft's folder
EMBEDDED_BYTES = 600_000  # a larger picture would make the page slow; the release has it


@dataclass(frozen=True)
class Ratification:
    """The node that people's decisions open, the draft they decide on and the file they are written to."""

    node: Node
    draft: Path
    decisions: Path

    def problem(self) -> str | None:
        """Why the decisions do not allow the node to run, or None."""
        try:
            ratified(self.decisions, read_constitution(self.draft / CONSTITUTION))
        except Trouble as trouble:
            return str(trouble)
        return None

    def ask(self) -> None:
        """Suspend the flow run until people's decisions fit the draft, then write them down; raises Prefect's Pause.

        Prefect runs the flow again from its beginning when people have answered: answers of earlier rounds come back
        at once by their key, and DVC passes through finished nodes.
        """
        from prefect.flow_runs import suspend_flow_run

        draft = read_constitution(self.draft / CONSTITUTION)
        self.known()
        problem = self.problem()
        for number in itertools.count(1):
            if problem is None:
                return
            form = self._form(draft, problem)
            try:
                # no timeout: people may take months
                answer = suspend_flow_run(wait_for_input=form, key=f"{self._key()}-{number}", timeout=None)
                problem = self._take(answer, draft)
            except ValidationError as error:  # an answer to a form that had other fields
                problem = " ".join(str(error).split())

    def _key(self) -> str:
        """Answers belong to one draft: when it changes, people are asked again."""
        return hashlib.sha256((self.draft / CONSTITUTION).read_bytes()).hexdigest()[:16]

    def page(self) -> str:
        """The draft for people, as Markdown; citizens' text without markup of its own."""
        draft = read_constitution(self.draft / CONSTITUTION)
        return draft_page(draft, notes(draft, self.draft)) + self._map()

    def _map(self) -> str:
        picture = self.draft / MAP
        if not picture.exists() or picture.stat().st_size > EMBEDDED_BYTES:
            return ""
        content = base64.b64encode(picture.read_bytes()).decode()
        return f"\n\n## Opinion groups\n\n![Opinion groups](data:image/png;base64,{content})"

    def known(self) -> Decisions | None:
        """What the file says already, None where there is none; raises Trouble rather than write over a broken one."""
        return read_decisions(self.decisions) if self.decisions.exists() else None

    def _form(self, draft: Constitution, problem: str) -> Any:
        known = self.known()
        head = f"**Why you are asked:** {escape(problem)}\n\nYour answers are written to `{self.decisions}`.\n\n"
        form = make_form(draft, known)
        return form.with_initial_data(description=head + draft_page(draft, notes(draft, self.draft)))

    def _take(self, answer: BaseModel, draft: Constitution) -> str | None:
        """Write the answer down where the checks of the file let it through; else why not."""
        try:
            decisions = parse(self.decisions, to_content(answer, draft, self.known()))
            apply(self.decisions, decisions, draft)
        except Trouble as trouble:
            return str(trouble)
        write_decisions(self.decisions, decisions, draft)
        return None


def find(nodes: Sequence[Node]) -> Ratification | None:
    """The node of these that waits for people, if any."""
    node = next((node for node in nodes if node.stage == NODE), None)
    if node is None:
        return None
    decisions = load(NODE, Parameters).decisions
    made = {out for other in nodes for out in other.outputs}
    draft = next(path for path in node.inputs if path in made)
    return Ratification(node, Path(draft), Path(decisions))
