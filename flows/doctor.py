"""Check after set-up that the installed set works: one tiny flow against a real Prefect API.

    python -m flows.doctor

`pip check` is no test: a set that it accepts can have a dead Prefect.
"""

from __future__ import annotations

import sys

from stages.errors import Trouble


def main() -> None:
    """Run one flow of one task; exits with one line where it does not work."""
    from flows import environment

    environment.prepare()
    from flows import servers
    from stages import tracking

    if tracking.tracking_uri().startswith("sqlite"):
        tracking.client()  # makes the database, so that the first run does not wait for it

    with servers.prefect_api():
        from prefect import flow, task

        @task
        def one() -> int:
            return 1

        @flow
        def check() -> int:
            return one()

        if check() != 1:
            raise Trouble("A tiny Prefect flow did not return its value; make the environment again: rm -rf .venv.")
    print("Set up: Prefect runs a flow.")


if __name__ == "__main__":
    try:
        main()
    except Trouble as trouble:
        sys.exit(f"commons: {trouble}")
