# `make run` and `make test` do their own set-up: they need Python 3.11 or newer, make and a package registry.
# Another interpreter: make test PYTHON=python3.13

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
EDITABLE := $(PIP) --no-deps --no-build-isolation --editable .
LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
	--no-annotate --no-emit-index-url --quiet

OPENID := tests/support/openid
UI := src/datareplicator/server/ui/index.html
UI_SOURCES := $(shell find ui -type f -not -path '*/node_modules/*' -not -path '*/screenshots/*' -not -name '*.test.*' \
	-not -name openapi.json -not -name schema.ts)
NO_NPM := echo "No npm (Node.js 20 or newer): the web interface is neither built nor tested."

.PHONY: run test tools lint format types pytest ui wheel docs lock bench clean help

help:  ## This list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

run: $(VENV)/.run  ## Replicate the bundled sample study of 20 subjects into 1,000, with a report
	@$(BIN)/datareplicator demo --subjects 1000 --output out/demo --overwrite

test: tools lint types pytest ui wheel  ## All checks: style, import rules, types, tests, doctests, the interface, the wheel

tools:  ## Programs that some tests drive (PostgreSQL, a browser), where they can be installed
	@scripts/install_tools

lint: $(VENV)/.dev  ## Style and import rules
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## Lay out the code, and correct what can be corrected by rule
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.dev  ## Static types
	$(BIN)/pyright --warnings

pytest: $(VENV)/.dev  ## Tests and doctests
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(OPENID)/node_modules/.installed; fi
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

fuzz: $(VENV)/.dev  ## Many requests made up from the service's OpenAPI document: none may end in a defect
	SCHEMATHESIS_EXAMPLES=100 $(BIN)/pytest tests/server/openapi

$(OPENID)/node_modules/.installed: $(OPENID)/package.json $(OPENID)/package-lock.json
	cd $(OPENID) && npm ci --silent
	@touch $@

ui: $(VENV)/.dev  ## Build the web interface; its types, its tests, and its journey in a browser
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(UI) && scripts/test_ui; else $(NO_NPM); fi

$(UI): ui/node_modules/.installed $(UI_SOURCES)
	cd ui && npm run --silent build

ui/node_modules/.installed: ui/package.json ui/package-lock.json ui/.npmrc
	cd ui && npm ci --silent
	@touch $@

wheel: $(VENV)/.dev  ## Build the wheel and look inside
	$(BIN)/python scripts/check_wheel.py

docs: $(VENV)/.dev  ## Write the generated reference pages anew
	$(BIN)/python scripts/write_reference.py

# Amazon's library, which only tests need, holds python-dateutil back: so the other lock files take theirs freely.
lock: UPGRADE ?= --upgrade
lock: $(VENV)/.dev  ## Resolve the dependencies anew into requirements/
	$(PIP) uv
	$(LOCK) $(UPGRADE) --extra server --group build --group dev --output-file requirements/dev.txt
	sed '/^python-dateutil==/d' requirements/dev.txt | grep -v '^ ' | sed 's/ \\$$//' > requirements/.constraints
	$(LOCK) $(UPGRADE) --extra server --group build --constraint requirements/.constraints --output-file requirements/server.txt
	$(LOCK) $(UPGRADE) --group build --constraint requirements/.constraints --output-file requirements/run.txt
	rm requirements/.constraints

bench: $(VENV)/.dev  ## The figures of docs/benchmarks.md that need no outside data
	$(BIN)/python -m benchmarks

clean:  ## Remove what the targets above made
	rm -rf $(VENV) out dist ui/node_modules ui/screenshots $(dir $(UI)) .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it with: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing (on Debian: apt install python3-venv)." >&2; exit 1; }

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes --requirement requirements/run.txt
	$(EDITABLE)
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes --requirement requirements/dev.txt
	$(EDITABLE)
	@touch $@ $(VENV)/.run
