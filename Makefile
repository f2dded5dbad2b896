# Everything that is done with this project by hand or by a machine. `make help` lists it.

VENV := .venv
BIN := $(VENV)/bin
BUILD := build
UV_VERSION := 0.13.9
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip --quiet
COMPILE := $(BUILD)/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header $(if $(UPGRADE),--upgrade)

# Tests wait more than they compute, so they run side by side; those that measure how long others wait run alone afterwards.
PROCESSES := 2
ALONE := tests/siege

export CHROMIUM

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types contracts budgets bench format docs lock clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "make %-10s %s\n", $$1, $$2 }'

demo: $(VENV)/run.stamp ## a test server with a terminal in the browser, and the curl to try it
	@$(BIN)/countertop demo $(if $(PORT),--port $(PORT)) $(if $(DATA),--data $(DATA))

test: $(VENV)/dev.stamp ## every test that this machine can run; ARGS="-k name" narrows it
	@scripts/find-chromium
ifdef ARGS
	@$(BIN)/python -m pytest $(ARGS)
else
	@$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder --ignore $(ALONE)
	@$(BIN)/python -m pytest $(ALONE)
endif

check: lint types contracts budgets test ## everything that has to hold before a commit: lint, types, contracts, budgets, tests

lint: $(VENV)/dev.stamp ## style and formatting
	@echo "== lint"
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: $(VENV)/dev.stamp ## static types, tests included
	@echo "== types"
	@$(BIN)/mypy

contracts: $(VENV)/dev.stamp ## who may import whom
	@echo "== contracts"
	@$(BIN)/lint-imports --no-logo

budgets: $(VENV)/dev.stamp ## sizes, names, dependencies, documentation
	@echo "== budgets"
	@$(BIN)/python -m pytest -q tests/architecture

bench: $(VENV)/dev.stamp ## the speed claims, measured here; ARGS="post poll" chooses rows
	@$(BIN)/python -m bench $(ARGS)

format: $(VENV)/dev.stamp ## put the sources into shape
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

docs: $(VENV)/dev.stamp ## the pages that are made from the code
	@mkdir -p $(BUILD) && $(BIN)/countertop docs settings > $(BUILD)/settings.md && mv $(BUILD)/settings.md docs/reference/settings.md
	@$(BIN)/countertop docs compatibility > $(BUILD)/page.md && mv $(BUILD)/page.md docs/explanation/compatibility.md

lock: $(BUILD)/uv/stamp ## resolve the dependencies of pyproject.toml into requirements/; UPGRADE=1 takes the newest
	$(COMPILE) pyproject.toml --extra dev --extra cluster --group build --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --constraints requirements/dev.txt --output-file requirements/run.txt
	$(COMPILE) --group build --constraints requirements/dev.txt --output-file requirements/build.txt

clean: ## remove what builds and tests leave behind; the environment and data stay
	rm -rf $(BUILD) dist test-results .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment: made once, brought up to date when a lock or pyproject.toml changes. Running the product needs a part of it only.

$(VENV)/pyvenv.cfg:
	@python=$$(scripts/find-python) && echo "Making $(VENV) with $$($$python --version) …" && $$python -m venv $(VENV)

$(VENV)/run.stamp: $(VENV)/pyvenv.cfg requirements/run.txt requirements/build.txt pyproject.toml
	@echo "Installing what the product runs on …"
	@$(PIP) install --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/pyvenv.cfg requirements/dev.txt pyproject.toml
	@echo "Installing what the product, its tests and its checks run on …"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $(VENV)/run.stamp $@

$(BUILD)/uv/stamp: $(VENV)/pyvenv.cfg
	@$(BIN)/python -m venv $(BUILD)/uv
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(BUILD)/uv/bin/python -m pip --quiet install uv==$(UV_VERSION)
	@touch $@
