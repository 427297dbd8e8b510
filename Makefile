# Two commands: `make demo` and `make test`. Both set up what they need; `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(shell command -v python3.11 || command -v python3)
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help setup demo test check ui real serve clean

help:
	@printf 'make demo   set up, run the whole pipeline on the embedded sample, say what to look at\n'
	@printf 'make test   set up, run the tests\n'
	@printf 'make ui     open MLflow and Prefect on this machine (loopback)\n'
	@printf 'make check  format, lint and type check\n'
	@printf 'make real   run on real data (see examples/real-run/README.md)\n'
	@printf 'make clean  remove what runs made (not the inputs, not .venv)\n'

setup: $(READY)

# Hash-pinned, without a resolver, compiled (an import of everything costs 20 s of CPU otherwise). A CUDA build of torch (where the index has no CPU build) gets its libraries too.
$(READY): requirements.lock requirements-gpu.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "Found $$($(PYTHON) --version); wanted CPython 3.11: install it and run make again."; exit 2; }
	@echo "Setting up $(VENV) (once; about 5 minutes) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python infra/install_torch.py requirements.lock
	@$(PIP) install --quiet --require-hashes --no-deps -r requirements.lock
	@if ! $(BIN)/python -c 'import sys, importlib.metadata as m; sys.exit("+cpu" not in m.version("torch"))'; then \
		$(PIP) install --quiet --require-hashes --no-deps -r requirements-gpu.lock; fi
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m flows.doctor
	@touch $(READY)

demo: $(READY)
	@$(BIN)/commons run

test: $(READY)
	@$(BIN)/python -m pytest

check: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

ui: $(READY)
	@$(BIN)/commons ui

real: $(READY)
	@$(BIN)/commons run --params examples/real-run/params.yaml

serve: $(READY)
	@$(BIN)/commons serve

clean:
	rm -rf data/deliberation data/constitution data/corpus data/preferences data/scores data/comparison data/release
	rm -rf models .commons .dvc/cache .dvc/tmp
