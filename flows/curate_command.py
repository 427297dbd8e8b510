"""`commons curate INPUT… --out DIR`: an openly licensed corpus from any documents, outside the pipeline.

    commons curate ../shared/data/corpus/civic_small.parquet --out /tmp/corpus

INPUT is a file, folder or address (s3://…) of Parquet, JSON Lines, CSV or text files, with `licenses.csv` beside them where
sources do not name their licence. DIR gets corpus/*.parquet, decisions.parquet (id, kept, rule, value, threshold),
attributes/ (what was judged of each document, also of those left out) and report.html. With `--attributes DIR/attributes`
nothing is read or judged again: other thresholds, or a source taken out, cost only the mix.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.errors import Trouble

if TYPE_CHECKING:
    from stages.annotate_documents.parameters import Parameters as Judging
    from stages.curate_corpus.parameters import Parameters as Mixing

DEFAULTS = Path(__file__).parents[1] / "params.yaml"  # what no --params file says
OURS = "decisions.parquet"  # a folder that holds it was written by this command and may be replaced
ATTRIBUTES = "attributes"
# What params.yaml says of the pipeline's own documents, and says nothing of others.
JUDGING_ANEW = {"files": "*", "hugging_face": None}
MIXING_ANEW: dict[str, Any] = {"remove": []}


def add(commands: Any) -> None:
    """Add the command."""
    curate = commands.add_parser("curate", help="make an openly licensed corpus of any documents, outside the pipeline")
    curate.add_argument("inputs", nargs="*", metavar="INPUT", help="file, folder or address of documents")
    curate.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    curate.add_argument("--params", type=Path, metavar="FILE", help="YAML laid over params.yaml")
    curate.add_argument(
        "--captures", type=Path, metavar="DIR", help="captured robots.txt and the like, a folder per host"
    )
    curate.add_argument("--benchmarks", type=Path, metavar="DIR", help="benchmark items that the corpus must not hold")
    curate.add_argument("--workers", type=int, metavar="N", help="shards judged at once")
    curate.add_argument("--engine", choices=["native", "ray"], help="where shards are judged")
    curate.add_argument("--attributes", type=Path, metavar="DIR", help="judgements of an earlier run, instead of INPUT")
    curate.add_argument("--datatrove", action="store_true", help="also write what stays as datatrove and dolma read it")
    curate.set_defaults(act=_curate)


def _curate(options: argparse.Namespace) -> int:
    from stages.artifact import new_folder
    from stages.curate_corpus.__main__ import curate

    _refuse_foreign(options.out)
    if bool(options.inputs) == bool(options.attributes):
        raise Trouble("curate wants either documents (INPUT…) or --attributes of an earlier run; name one of them.")
    _be_quiet()
    judging, mixing = _parameters(options)
    out = options.out.absolute()
    build = out.with_name(f".{out.name}.build")  # stays after a failure, so that finished shards are not judged again
    build.mkdir(parents=True, exist_ok=True)
    if options.inputs:
        from stages.annotate_documents.stage import annotate_all

        benchmarks = options.benchmarks or _there(judging.benchmarks)
        told = annotate_all(options.inputs, options.captures, benchmarks, build / ATTRIBUTES, judging, keep_work=True)
        print(told, flush=True)
        if not benchmarks:
            print("No --benchmarks were given: whether a text holds benchmark items was not looked at.", flush=True)
    attributes = options.attributes or build / ATTRIBUTES
    print(curate(attributes, build / "corpus", mixing), flush=True)
    with new_folder(out) as folder:
        if options.datatrove:
            _write_datatrove(build / "corpus" / "corpus", folder / "datatrove")
        shutil.copytree(build / "corpus", folder, dirs_exist_ok=True, copy_function=_linked)
        shutil.copytree(attributes, folder / ATTRIBUTES, copy_function=_linked)
    shutil.rmtree(build)
    print(f"Look at {options.out / 'report.html'}; why each document stays or goes: {options.out / OURS}")
    return 0


def _write_datatrove(corpus: Path, folder: Path) -> None:
    import pyarrow.parquet as pq

    from stages.annotate_documents.exchange import write_parts

    write_parts((pq.read_table(part) for part in sorted(corpus.glob("*.parquet"))), folder)


def _there(folder: str) -> Path | None:
    return Path(folder) if Path(folder).is_dir() else None


def _refuse_foreign(out: Path) -> None:
    """`--out` is replaced whole: never somebody's other folder."""
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or (out / OURS).exists())):
        raise Trouble(
            f"{out} is there and holds other things; wanted a new folder or an older corpus: name another --out."
        )


def _be_quiet() -> None:
    """Progress lines only, and nothing that phones home."""
    from stages.node import QUIET

    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    logging.getLogger("great_expectations").setLevel(logging.WARNING)


def _parameters(options: argparse.Namespace) -> tuple[Judging, Mixing]:
    from flows.overlay import merge
    from stages.annotate_documents.parameters import Parameters as Judging
    from stages.curate_corpus.parameters import Parameters as Mixing
    from stages.params import parse, read_file

    path = Path("params.yaml") if Path("params.yaml").exists() else DEFAULTS
    everything = read_file(path)
    judging, mixing = everything.get("annotate_documents", {}), everything.get("curate_corpus", {})
    judging |= JUDGING_ANEW
    mixing |= MIXING_ANEW
    mixing["about"] = mixing.get("about", {}) | {"name": options.out.absolute().name}
    sections = {"annotate_documents": judging, "curate_corpus": mixing}
    if options.params:
        merge(sections, read_file(options.params))
        path = options.params
    said = {"workers": options.workers, "engine": options.engine}
    judging |= {name: value for name, value in said.items() if value is not None}
    return parse("annotate_documents", judging, Judging, path), parse("curate_corpus", mixing, Mixing, path)


def _linked(source: str, target: str) -> str:
    """Name a file once more, or copy it where a store has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return target
