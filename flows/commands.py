"""The `commons` command: run, status, ui, serve, draft, snapshot, ratify, constitution, curate, evaluate, score, compare, verify."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from flows import (
    compare_command,
    constitution_command,
    curate_command,
    draft_command,
    evaluate_command,
    ratify_command,
    score_command,
    snapshot_command,
)
from stages.errors import Trouble

if TYPE_CHECKING:
    from flows.graph import Node


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command; expected trouble is one line on standard error and exit code 2."""
    options = _parser().parse_args(argv)
    try:
        sys.exit(options.act(options))
    except Trouble as trouble:
        print(f"commons: {trouble}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # `commons status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        print("commons: interrupted; run again to continue.", file=sys.stderr)
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="commons", description="From a deliberation's votes to a verifiable release.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="bring the pipeline (or some nodes and what they need) up to date")
    run.add_argument("nodes", nargs="*", metavar="NODE", help="e.g. curate_corpus or evaluate_model@base-bbq")
    run.add_argument("--params", type=Path, metavar="FILE", help="first lay this overlay over params.yaml")
    run.add_argument("--record", action="store_true", help="record a run even where nothing has to be done")
    run.add_argument("--ask", action="store_true", help="where decisions are missing, wait for people to answer a form")
    run.set_defaults(act=_run)

    draft_command.add(commands)
    snapshot_command.add(commands)
    ratify_command.add(commands)
    constitution_command.add(commands)
    curate_command.add(commands)
    evaluate_command.add(commands)
    score_command.add(commands)
    compare_command.add(commands)

    status = commands.add_parser("status", help="what is up to date, what would run and why")
    status.add_argument("nodes", nargs="*", metavar="NODE")
    status.add_argument("--used", action="store_true", help="what each node's last execution took")
    status.set_defaults(act=_status)

    ui = commands.add_parser("ui", help="open MLflow and Prefect on this machine's loopback address")
    ui.set_defaults(act=_ui)

    serve = commands.add_parser("serve", help="serve the Prefect deployment commons/default")
    serve.set_defaults(act=_serve)

    verify = commands.add_parser("verify", help="check a release without trusting those who made it")
    verify.add_argument("release", help="the release's folder or zip file")
    verify.add_argument("--json", action="store_true", help="machine-readable report")
    verify.set_defaults(act=_verify)
    return parser


def _run(options: argparse.Namespace) -> int:
    from flows import environment, summary

    environment.prepare()
    with _only_run():
        if options.params:
            from flows.overlay import apply

            apply(options.params)
        if not options.record and _nothing_to_do(options.nodes):
            print(f"Everything is up to date; nothing to do.\n{summary.closing()}")
            return 0
        code = _run_flow(options.nodes, options.ask)
        if code:
            return code
    if not options.nodes:
        print(summary.closing())
    return 0


def _run_flow(wanted: Sequence[str], ask: bool = False) -> int:
    """Run the flow, this process being its worker; 0 done, 1 a node failed, 3 it waits for people, 130 interrupted."""
    from flows import deployment, servers
    from flows.reproduce import any_running

    servers.check_mlflow()
    servers.check_prefect()
    with servers.prefect_api() as api, servers.ending_without_prefect(api, any_running):
        from flows.pipeline import Interrupted, RunFailed, commons  # after the API's address is known

        try:
            if not ask:
                commons(list(wanted) or None)
            elif not deployment.begin_here(commons, wanted):
                print("Answer the form: `commons ui` (Prefect, Runs); `commons serve` then goes on, also after days.")
                return 3
        except RunFailed as failure:
            print(f"commons: {failure}", file=sys.stderr)
            return 130 if isinstance(failure, Interrupted) else 1
    return 0


@contextmanager
def _only_run() -> Iterator[None]:
    """Hold this workspace's lock: two runs would wait for each other's nodes without saying so."""
    from stages.tracking import HOME

    with (HOME / "run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Trouble(
                f"Another run is going on here (process {file.read().strip() or 'unknown'}); wait for it or stop it."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _nothing_to_do(wanted: Sequence[str]) -> bool:
    """Whether every wanted node is up to date; checks params.yaml and the inputs on the way."""
    from flows import ratification
    from flows.graph import check_inputs, open_repo, read_graph, with_needed
    from flows.status import read_status

    repo = open_repo()
    graph = read_graph(repo)
    nodes = with_needed(graph, wanted) if wanted else graph
    people = ratification.find(nodes)
    check_inputs(graph, nodes, [str(people.decisions)] if people else [])
    return not any(status.reasons for status in read_status(repo, nodes))


def used_table(graph: Sequence[Node]) -> str:
    """Time, peak memory and estimated energy of each node's last execution here, as Markdown."""
    from stages.tracking import OBSERVED

    rows = ["| node | seconds | peak memory, MiB | energy, Wh |", "|---|---|---|---|"]
    for node in graph:
        file = OBSERVED / f"{node.name}.json"
        used = json.loads(file.read_text(encoding="utf-8"))["used"] if file.exists() else {}
        figures = used.get("seconds"), used.get("peak_memory_mib"), used.get("energy_kwh", 0) * 1000 if used else None
        cells = [
            "–" if figure is None else f"{figure:.{places}f}" for figure, places in zip(figures, (1, 0, 3), strict=True)
        ]
        rows.append(f"| `{node.name}` | {' | '.join(cells)} |")
    return "\n".join(rows)


def _status(options: argparse.Namespace) -> int:
    from flows import environment
    from flows.graph import open_repo, read_graph, with_needed
    from flows.status import read_status

    environment.prepare()
    repo = open_repo()
    graph = read_graph(repo)
    if options.used:
        print(used_table(graph))
        return 0
    states = read_status(repo, with_needed(graph, options.nodes) if options.nodes else graph)
    width = max(len(state.node.name) for state in states)
    for state in states:
        print(
            f"{state.node.name:<{width}}  {'would run: ' + '; '.join(state.reasons) if state.reasons else 'up to date'}"
        )
    waiting = sum(bool(state.reasons) for state in states)
    print(f"{len(states) - waiting} up to date, {waiting} would run" + (": commons run" if waiting else "."))
    return 0


def _ui(options: argparse.Namespace) -> int:
    from flows import environment

    environment.prepare()
    from flows.ui import show

    return show()


def _serve(options: argparse.Namespace) -> int:
    from flows import environment

    environment.prepare()
    from flows import deployment, servers

    servers.check_prefect()
    with servers.prefect_api() as api:
        from flows.pipeline import commons

        print(f"Serving the deployment commons/default at {api}; Ctrl-C ends it.", flush=True)
        deployment.serve(commons)
    return 0


def _verify(options: argparse.Namespace) -> int:
    from stages.publish_release.verify import verify_command

    return verify_command(options.release, options.json)


if __name__ == "__main__":
    main()
