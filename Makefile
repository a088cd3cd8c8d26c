# The verbs of this project; `make` alone lists them.
# Debian's own Python before others: it is built with optimisation, and a Python that is not costs a sixth of the speed.
PYTHON ?= $(shell for python in /usr/bin/python3 python3; do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; \
	done || echo python3)
BIN := .venv/bin
READY := .venv/.ready
COMPILED := .cache/compiled/.ready
# Whoever has compiled once goes on with what is compiled anew, for a stale library is refused at import.
AS_BEFORE := $(if $(wildcard $(COMPILED)),compiled,setup)

.DEFAULT_GOAL := help
.PHONY: help setup compiled interpreted demo test check render bench up faults pictures mutants clean

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv from requirements.lock, with hashes

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed: set PYTHON=/path/to/it")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo 'Python cannot make a virtual environment: apt-get install python3-venv'; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(READY)

compiled: setup $(COMPILED) ## Make machine code of the hot modules, from the same source (needs a C compiler; a minute)

$(COMPILED): $(READY) ops/compiling.py $(wildcard services/contract/*.py services/connectors/*.py services/filtering/*.py services/pseudonymisation/*.py services/runtime/*.py)
	$(BIN)/python -m ops.compiling
	@touch $(COMPILED)

interpreted: setup ## Run every module from its source again
	$(BIN)/python -m ops.compiling --remove
	@rm -f $(COMPILED)

demo: $(AS_BEFORE) ## Watch real changes cross a real Kafka: released, withheld, erased, and why (about a minute)
	$(BIN)/sanctuaire demo $(ARGS)

up: compiled ## Start broker and services on this machine, and stay up until Ctrl-C
	$(BIN)/sanctuaire up $(ARGS)

test: compiled ## Run every test, those on a real broker in turn and the others beside them
	$(BIN)/python -m ops.broker
	$(BIN)/python -m pytest --numprocesses 2 --no-loadscope-reorder $(ARGS)

faults: compiled ## Kill, freeze and rebalance under load, TIMES as often as CI does (3), and check what is left
	SANCTUAIRE_FAULTS_TIMES=$(or $(TIMES),3) $(BIN)/python -m pytest tests/faults $(ARGS)

check: $(AS_BEFORE) ## Format, lint, types, import rules, drift of what is rendered
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m ops.rendering --check

render: $(AS_BEFORE) ## Render schemas, AsyncAPI and diagrams from the contract
	$(BIN)/python -m ops.rendering

bench: compiled ## Measure each stage beside its peers, in one run on one Kafka
	$(BIN)/sanctuaire bench $(ARGS)

pictures: $(AS_BEFORE) ## Take the README's pictures of the operators' page anew, from the demo (needs chromium; a minute and a half)
	$(BIN)/python -m tests.browser.pictures $(ARGS)

mutants: interpreted ## Break the rules some thousand times, see which breaks no test notices (20 minutes; goes on where it was)
	@test -d .cache/mutmut || $(BIN)/uv pip install --quiet --require-hashes --target .cache/mutmut -r ops/mutants/mutmut.lock
	PYTHONPATH=.cache/mutmut CI=1 $(BIN)/python -m mutmut run --max-children $(or $(CHILDREN),1)
	PYTHONPATH=.cache/mutmut $(BIN)/python -m mutmut results
	$(BIN)/python -m ops.mutants

clean: ## Remove .venv, caches and the folder of `make up`
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache mutants run
