"""Hold the map: `dvc.yaml`, `params.yaml`, the folders in `stages/` and the README tell one story."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DVC: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
PARAMS: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
OBSERVERS = {"node", "params", "errors", "energy", "tracking"}
FOLDERS = sorted(path.parent.name for path in (ROOT / "stages").glob("*/__main__.py"))
# The plan words every question as the evaluation will, and the comparison shows the items: both ask the benchmarks' own code.
ALLOWED = {("plan_evaluation", "evaluate_model"), ("compare_models", "evaluate_model")}


def test_every_folder_is_a_node_and_every_node_a_folder() -> None:
    assert sorted(DVC) == FOLDERS


def test_every_section_of_the_parameters_has_its_node_and_every_node_its_section() -> None:
    assert sorted(PARAMS) == sorted(DVC)
    for name, node in DVC.items():
        assert name in node["params"], (
            f"{name} does not declare its own section: a changed parameter would not rerun it"
        )


@pytest.mark.parametrize("name", DVC)
def test_the_paths_of_a_command_are_exactly_its_inputs_and_outputs(name: str) -> None:
    node = DVC[name]
    command = node["cmd"].split()
    # without `exec` a shell stands between DVC and the node, and the node would outlive a killed DVC
    assert command[:4] == ["exec", "python", "-m", f"stages.{name}"]
    paths = command[5::2]
    assert all(flag.startswith("--") for flag in command[4::2])
    data = [dep for dep in node["deps"] if not dep.startswith("stages/")]
    assert command[-2:] == ["--out", *node["outs"]]
    named = [next((dep for dep in data if path == dep or path.startswith(f"{dep}/")), path) for path in paths[:-1]]
    assert sorted(named) == sorted(data)  # an input, or a part of one


@pytest.mark.parametrize("name", DVC)
def test_the_code_a_node_depends_on_is_what_it_imports(name: str) -> None:
    """Code that shapes bytes is declared; observers are not, else a log line would retrain a model."""
    declared = {dep for dep in DVC[name]["deps"] if dep.startswith("stages/")}
    assert declared - {f"stages/{name}"} == {_dep(module) for module in _shared_imports(name)}


def _dep(module: str) -> str:
    return f"stages/{module}" if (ROOT / "stages" / module).is_dir() else f"stages/{module}.py"


def _imports(path: Path) -> set[str]:
    """The modules below `stages` that a file imports, as dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "stages":
            # `from stages import gate` names modules, `from stages.gate import x` names things of one
            found |= {f"stages.{alias.name}" for alias in node.names} if node.module == "stages" else {node.module}
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "stages"}
    return found


def _shared_imports(name: str) -> set[str]:
    """What a node's code uses of `stages`, also by way of other shared code, without itself and the observers."""
    found: set[str] = set()
    todo = [name]
    while todo:
        place = ROOT / "stages" / todo.pop()
        files = place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
        used = {module.split(".")[1] for path in files for module in _imports(path)} - OBSERVERS - {name} - found
        found |= used
        todo += used
    return found


def test_no_stage_imports_another() -> None:
    for folder in FOLDERS:
        for path in (ROOT / "stages" / folder).rglob("*.py"):
            others = {module.split(".")[1] for module in _imports(path)} & set(FOLDERS) - {folder}
            others -= {other for here, other in ALLOWED if here == folder}
            assert not others, f"{path.relative_to(ROOT)} imports {others}"


def test_shared_files_and_stages_never_import_the_flow() -> None:
    for path in (ROOT / "stages").rglob("*.py"):
        assert "import flows" not in path.read_text(encoding="utf-8").replace("from flows", "import flows"), path


def test_heavy_libraries_are_not_imported_at_the_top() -> None:
    """`commons verify` and the checks of the parameters work in the light install."""
    heavy = {"torch", "transformers", "trl", "mlflow", "great_expectations", "prefect", "dvc", "pandas"}
    light = [*(ROOT / "stages").glob("*.py"), *(ROOT / "stages").glob("*/parameters.py")]
    light += [ROOT / "stages/publish_release/verify.py", ROOT / "flows/commands.py"]
    for path in light:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not heavy & {name.split(".")[0] for name in names}, f"{path.relative_to(ROOT)}: {names}"


def test_the_picture_in_the_readme_is_the_graph() -> None:
    """README's picture = `dvc dag --mermaid`, with a matrix drawn as one node (its size changes with the benchmarks)."""
    drawn = subprocess.run(
        [sys.executable, "-m", "dvc", "dag", "--mermaid"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    names = dict(re.findall(r'(node\d+)\["([^"@]+)(?:@[^"]*)?"\]', drawn))
    graph = {(names[a], names[b]) for a, b in re.findall(r"(node\d+)-->(node\d+)", drawn)}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    picture = readme.split("```mermaid", 1)[1].split("```", 1)[0]
    assert set(re.findall(r"(\w+) --> (\w+)", picture)) == graph


def test_benchmarks_and_sources_named_in_the_parameters_have_their_file() -> None:
    for name in PARAMS["evaluate_model"]["benchmarks"]:
        assert (ROOT / "stages/evaluate_model/benchmarks" / f"{name.replace('-', '_')}.py").exists(), name
    source = PARAMS["ingest_deliberation"]["source"]
    assert (ROOT / "stages/ingest_deliberation/sources" / f"{source}.py").exists()
