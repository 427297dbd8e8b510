"""The Prefect deployment `commons/default`: what `commons serve` serves, and what `commons run --ask` begins here.

Only a run of a deployment can be suspended: Prefect then knows how to start it again when people have answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

NAME = "default"
DESCRIPTION = "Bring the pipeline up to date; asks people for their decisions where it needs them."


def serve(flow: Any) -> None:
    """Take the deployment's runs, one at a time, until this process is stopped."""
    flow.serve(name=NAME, description=DESCRIPTION, limit=1)


def begin_here(flow: Any, nodes: Sequence[str]) -> bool:
    """Run the flow in this process as a run of the deployment; False where it now waits for people."""
    from prefect.client.orchestration import get_client
    from prefect.exceptions import Pause
    from prefect.flow_engine import run_flow
    from prefect.states import Pending

    parameters = {"nodes": list(nodes) or None}
    with get_client(sync_client=True) as client:
        # not Scheduled: a `commons serve` that is running would take the run from us
        run = client.create_flow_run_from_deployment(_deployed(flow, client), parameters=parameters, state=Pending())
    try:
        run_flow(flow, flow_run=run, parameters=parameters)
    except Pause:
        return False
    return True


def _deployed(flow: Any, client: Any) -> Any:
    """The deployment's id; it is made where nobody has served it yet."""
    from prefect.exceptions import ObjectNotFound

    try:
        return client.read_deployment_by_name(f"{flow.name}/{NAME}").id
    except ObjectNotFound:
        return flow.to_deployment(name=NAME, description=DESCRIPTION).apply()
