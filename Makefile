# Everything a person types. `make help` lists it.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; exit; }; \
	done; echo python3)
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test check format torture bench docs clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: .venv/run.ready ## the practice site: simulator, engine and console in a scratch directory
	@$(BIN)/voltill demo

test: check ## the same as check

check: .venv/dev.ready ## format, lint, types and the whole test suite
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/pytest -q -n 2 --dist loadfile

format: .venv/dev.ready ## let ruff format and mend what it can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

torture: .venv/dev.ready ## the full proofs: every schedule, every kill point of every verb, thousands of sequences
	@$(BIN)/pytest -q -m torture

bench: .venv/dev.ready ## the figures of README, measured here, as a table
	@$(BIN)/python -m tests.bench

docs: .venv/dev.ready ## draw the screen of the README anew
	@$(BIN)/python -m scripts.draw_screens

clean: ## remove the environment and all caches
	@rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/%.ready: pyproject.toml constraints.txt scripts/bootstrap.py
	@$(PYTHON) scripts/bootstrap.py $*
