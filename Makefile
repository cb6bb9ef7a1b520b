# Thin wrappers of `python -m harness`; `make help` lists them.
# Narrow a run with SCENARIOS= MODES= SIZES= DEVICES= INPUTS= PASSES=, comma-separated.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HARNESS := $(BIN)/python -m harness
DOCS := build/docs

# option(name, value): --name=value, or nothing when the value is empty
option = $(if $(2),--$(1)=$(2))
SELECTION := $(call option,scenarios,$(SCENARIOS)) $(call option,modes,$(MODES)) \
	$(call option,sizes,$(SIZES)) $(call option,devices,$(DEVICES)) $(call option,inputs,$(INPUTS))

.DEFAULT_GOAL := install
.PHONY: install help bench parity report list selfcheck test test-e2e test-all differences slow lint corpus \
	compat rooms docs format lock clean

# Two workers on two cores: most tests wait for TensorFlow. A worker and its children take 2 GB.
PYTEST := $(BIN)/python -m pytest --numprocesses=logical --maxprocesses=4

install: $(VENV)/linked ## install everything into .venv, also the command (the default)
	@echo "installed $(BIN)/eager-vs-graph"
	@$(MAKE) --no-print-directory help

help: ## show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "make %-9s %s\n", $$1, $$2}'

bench: $(VENV)/linked ## time every mode, write the report (QUICK=1: a first answer in a minute)
	$(HARNESS) bench $(SELECTION) $(call option,passes,$(PASSES)) $(call option,budget,$(BUDGET)) $(if $(QUICK),--quick)

parity: $(VENV)/linked ## compare outputs and state only, time nothing
	$(HARNESS) parity $(SELECTION)

report: $(VENV)/linked ## render the newest run again (RUN=results/<id> for another)
	$(HARNESS) report $(RUN)

list: $(VENV)/linked ## show scenarios, sizes and modes
	$(HARNESS) list

selfcheck: $(VENV)/linked ## measure the harness itself, ten minutes (QUICK=1: two)
	$(HARNESS) selfcheck $(if $(QUICK),--quick)

test: $(VENV)/linked ## run the fast tests, which start no process (TESTS=tests/unit/test_cells.py: these)
ifdef TESTS
	$(PYTEST) --dist=worksteal $(TESTS)
else
	$(PYTEST) --dist=worksteal tests/unit
	$(PYTEST) --dist=worksteal tests/tensorflow
endif

# The tests of a file share runs that take a minute, so a file stays on one worker.
test-e2e: $(VENV)/linked ## run the tests that start processes, the documentation, the wheel
	$(PYTEST) --dist=loadfile --no-loadscope-reorder $(OPTIONS) tests/e2e

test-all: test test-e2e ## run every test

differences: $(VENV)/linked ## ask about other people's reports, write docs/differences.md
	$(BIN)/python tests/reports_of_others/differences.py --write

slow: $(VENV)/linked ## ask why other people's programs are slow, write docs/why.md
	$(BIN)/python tests/reports_of_others/slow_reports.py --scenarios --write

lint: $(VENV)/linked ## ruff, strict typing, and who may import whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

corpus: $(VENV)/linked ## try programs of other packages, which are installed into build/corpus (ONLY=text)
	$(BIN)/python tests/corpus/run.py $(call option,only,$(ONLY))

compat: $(VENV)/linked ## run a short suite with other versions, which are installed into build/compat (ONLY=text)
	$(BIN)/python tests/compat/run.py $(call option,only,$(ONLY))

rooms: $(VENV)/linked ## count the rooms of the code, its floors and its circles of imports
	$(BIN)/python tests/support/rooms.py

docs: $(DOCS)/installed ## build the site into build/docs/site; a link that leads nowhere is an error
	mkdir -p $(DOCS)/sources
	ln -sfn ../../../harness $(DOCS)/sources/eager_vs_graph
	$(DOCS)/env/bin/mkdocs build --clean

format: $(VENV)/linked ## let ruff format the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: $(VENV)/installed ## resolve the dependencies anew into requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--group dev --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--group docs --output-file docs/requirements.lock

clean: ## remove the environment and caches (never results)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

# uv installs the lock file several times faster than pip; it comes from the same registry.
$(VENV)/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: $(PYTHON) is $$($(PYTHON) -V 2>&1), but should be Python 3.11 or newer; set PYTHON="; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes --requirement requirements.lock
	touch $@

# The site reads the sources and needs no TensorFlow, so that it has a small environment of its own.
$(DOCS)/installed: docs/requirements.lock
	$(PYTHON) -m venv $(DOCS)/env
	$(DOCS)/env/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	VIRTUAL_ENV=$(DOCS)/env $(DOCS)/env/bin/uv pip install --quiet --require-hashes --requirement docs/requirements.lock
	touch $@

# The folders of the repository as the package eager_vs_graph: a tree of links, which editors and mypy
# follow. A folder's time changes when a file comes or goes, and then the links are made again.
$(VENV)/linked: $(VENV)/installed pyproject.toml $(shell find harness reports scenarios -type d -not -name __pycache__)
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation \
		--config-settings editable_mode=strict --editable .
	touch $@
