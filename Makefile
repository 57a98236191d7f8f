# `make` alone lists the targets. Each makes the .venv that it needs; a second run finds it ready.

# The Python that .venv is made with: the first of these that will do, or `make PYTHON=... test`.
PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11 python
# More arguments for pytest: `make test ARGS="-k sqlite -x"`, `make test ARGS="-n 0 --pdb"`.
ARGS ?=

VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check --quiet --quiet

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint types layers packaging check bench format clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | \
	while IFS='|' read -r target text; do printf '%-18s %s\n' "$$target" "$$text"; done

demo: $(VENV)/.demo ## store, find and print some records
	@$(RUN) -m simstore.demo

test: $(VENV)/.test ## run the tests
	@$(RUN) -m pytest -n auto --dist worksteal -m "not packaging" $(ARGS)

lint: $(VENV)/.check ## ruff: rules and format
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .

types: $(VENV)/.check ## mypy --strict on the package and the tests
	@$(RUN) -m mypy

layers: $(VENV)/.check ## import-linter: who may import whom
	@$(VENV)/bin/lint-imports --no-logo

packaging: $(VENV)/.check ## build, install and type-check the distributions
	@$(RUN) -m pytest -m packaging $(ARGS)

check: ## everything that .ci/run does
	@.ci/run

bench: $(VENV)/.test ## measure (see benchmarks/README.md)
	@$(RUN) -m benchmarks $(ARGS)

format: $(VENV)/.check ## let ruff lay out the code
	@$(RUN) -m ruff format .

clean: ## remove .venv and everything that is made
	rm -rf $(VENV) build dist .coverage htmlcov
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------------------------- .venv
# One stamp for each set of packages, younger than pyproject.toml once they are installed.

$(VENV)/.demo: pyproject.toml $(VENV)/pyvenv.cfg
	@echo "installing simstore into $(VENV)"
	@$(PIP) install --editable .
	@touch $@

# pip learned --group in 25.1; the one that comes with Python may be older.
$(VENV)/.test: pyproject.toml $(VENV)/pyvenv.cfg
	@echo "installing simstore and its tests' packages into $(VENV)"
	@$(PIP) install --upgrade "pip>=25.1"
	@$(PIP) install --editable ".[all]" --group test
	@touch $@ $(VENV)/.demo

$(VENV)/.check: pyproject.toml $(VENV)/.test
	@echo "installing the checkers into $(VENV)"
	@$(PIP) install --group check
	@touch $@

# Each candidate is tried before it is trusted: a version manager may have a shim without a
# Python behind it, and Debian has Pythons without venv.
$(VENV)/pyvenv.cfg:
	@bare=; for python in $(PYTHON); do \
	    $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
	    $$python -c 'import ensurepip, venv' >/dev/null 2>&1 || { bare="$$bare $$python"; continue; }; \
	    echo "making $(VENV) with $$($$python --version)"; \
	    exec $$python -m venv --clear $(VENV); \
	done; \
	if [ -n "$$bare" ]; then \
	    echo "simstore:$$bare cannot make a virtual environment." >&2; \
	    echo "Install its venv module (Debian, Ubuntu: apt install python3-venv) and try again." >&2; \
	else \
	    echo "simstore needs Python 3.11 or newer; none of these is: $(PYTHON)" >&2; \
	    echo "Install one, or name it: make PYTHON=/path/to/python3 test" >&2; \
	fi; exit 1
