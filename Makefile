# Two commands: `make run` serves, `make test` checks everything. Both set up what they need, once.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8000
ROUNDS ?= 10
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
RULES := $(BIN)/ruff check . && $(BIN)/ruff format --check --quiet . && $(BIN)/lint-imports --no-cache

# The tests start many processes: what these import is compiled once, also where that is switched off.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test explore check-code bench scale soak sbom clean help

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/runs ## Serve on http://127.0.0.1:8000 (PORT=… changes it)
	@$(BIN)/tolami serve --port $(PORT)

test: $(VENV)/tests $(VENV)/tools ## Run every check: ruff, mypy, import-linter, tolami check, pytest with coverage
	@$(RULES)
	@$(BIN)/tolami check
	@$(BIN)/mypy >$(VENV)/mypy 2>&1 & types=$$!; \
	$(BIN)/python -m tests.coverage --numprocesses 4 --dist worksteal; tests=$$?; \
	wait $$types; types=$$?; cat $(VENV)/mypy; exit $$((tests || types))

explore: $(VENV)/tests ## Ask the properties new examples, ROUNDS times (10)
	@for round in $$(seq $(ROUNDS)); do \
	$(BIN)/pytest --quiet --hypothesis-profile explore -m hypothesis --numprocesses 2 || exit 1; done

check-code: $(VENV)/tests ## Run the checks that need no running code
	@$(RULES)
	@$(BIN)/mypy

bench: $(VENV)/tests ## Measure the cost of a call beside a bare Flask route, and of tokens and recording beside none
	@$(BIN)/python -m tests.benchmarks.served
	@$(BIN)/python -m tests.benchmarks.calls
	@$(BIN)/python -m tests.benchmarks.cost

scale: $(VENV)/tests ## Ten million cards in PostgreSQL: report, feedback, purge, authorised calls
	@$(BIN)/python -m tests.benchmarks.scale

soak: $(VENV)/tests ## Ten minutes of mixed load on two workers: errors, how long answers take, memory
	@$(BIN)/python -m tests.benchmarks.soak

sbom: $(VENV)/tools ## Write sbom.cdx.json: every package of an installation with its version and licence (CycloneDX)
	@$(BIN)/python -m venv --clear --without-pip $(VENV)/sbom
	@$(BIN)/python -m pip --python $(VENV)/sbom/bin/python install --quiet --constraint constraints.txt .
	@$(VENV)/tools/bin/cyclonedx-py environment --pyproject pyproject.toml --output-file sbom.cdx.json $(VENV)/sbom

clean: ## Remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "tolami needs Python 3.11 or later; found $$($(PYTHON) --version). Set PYTHON=…"; exit 1; }
	@echo "Creating the environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/runs: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing …"
	@$(PIP) --editable .
	@touch $@

$(VENV)/tests: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing, with what the checks need …"
	@$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/runs

# In an environment of its own: with what it brings along, every import of jsonschema takes two seconds.
$(VENV)/tools: $(BIN)/python constraints.txt
	@$(PYTHON) -m venv --clear $@
	@$@/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt cyclonedx-bom
	@touch $@
