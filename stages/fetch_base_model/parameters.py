"""What can be chosen in section `fetch_base_model` of `params.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints, model_validator

from stages.params import Section

HubId = Annotated[str, StringConstraints(pattern=r"^[\w-][\w.-]*/[\w-][\w.-]*$")]
CommitHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
License = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.+() -]*[A-Za-z0-9][A-Za-z0-9.+() -]*$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[\w-][\w.-]*$")]


class Parameters(Section):
    """The section as a whole."""

    path: str
    hub_id: HubId | None = None
    revision: CommitHash | None = None
    license: License
    obligations: tuple[str, ...] = ()
    chat_template: FileName | None = None
    pad_token: str | None = None
    eos_token: str | None = None

    @model_validator(mode="after")
    def _hub_model_is_pinned(self) -> Parameters:
        if self.hub_id and not self.revision:
            raise ValueError(
                "a hub_id with its revision, the full 40-digit commit hash, so that the weights cannot change"
            )
        if self.revision and not self.hub_id:
            raise ValueError("a revision only with its hub_id; a local folder has none")
        return self
