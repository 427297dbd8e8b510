"""What every command sets before it imports Prefect or MLflow: homes inside the project, nothing phones home.

A value that is already in the environment stays: who and on which machine is the environment's to say.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from stages.errors import Trouble
from stages.tracking import HOME, tracking_uri

PREFECT_PORT = 4200
MLFLOW_PORT = 5000


def prepare() -> None:
    """Set the defaults of this process and its children; the working directory must be the project's root."""
    if not Path("dvc.yaml").exists():
        raise Trouble(f"{Path.cwd().name} has no dvc.yaml; wanted the project's root: change into it and run again.")
    HOME.mkdir(exist_ok=True)
    for name, value in _defaults().items():
        os.environ.setdefault(name, value)
    # DVC starts `python -m stages…`: the interpreter of this environment, whichever is active in the shell.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def _defaults() -> dict[str, str]:
    return {
        "DO_NOT_TRACK": "true",  # MLflow and Daft take only this word
        "PREFECT_HOME": str((HOME / "prefect").absolute()),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_DATABASE_TIMEOUT": "60",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the command speaks; Prefect keeps all lines
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_CLI_COLORS": "false",
        "MLFLOW_TRACKING_URI": tracking_uri(),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # 7 with back-off hold a finished run for minutes
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # 8 of its 10 processes
        "DVC_NO_ANALYTICS": "1",
        "ITERATIVE_DO_NOT_TRACK": "1",
        "DVC_STUDIO_OFFLINE": "true",
        "DVC_SITE_CACHE_DIR": str((HOME / "dvc-site").absolute()),  # its default is shared by all users of a machine
        "GX_ANALYTICS_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",  # a node's lines reach the flow as they are written
    }
