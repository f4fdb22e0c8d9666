# Everything a person types. Each target sets up what it needs; `make setup` alone makes only the environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo up down status test lint lock

help:
	@echo "make demo    set everything up, publish one post to 25 accounts, show the figures"
	@echo "make test    set everything up, run lint, types, import contracts and every test"
	@echo "make up      run the whole system on private servers until Ctrl-C"
	@echo "make down    stop what make up started     make status  show what runs"
	@echo "make lint    the checks without the tests   make setup   the Python environment only"

$(VENV)/.ready: requirements.lock pyproject.toml deploy/local/setup.sh
	@sh deploy/local/setup.sh "$(PYTHON)" "$(VENV)"
	@touch $@

setup: $(VENV)/.ready

demo: setup
	@$(BIN)/instadistro demo

up: setup
	@$(BIN)/instadistro up

down: setup
	@$(BIN)/instadistro down

status: setup
	@$(BIN)/instadistro status

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: lint
	@$(BIN)/python -c 'import sys; from deploy.local.packages import main; sys.exit(main())'
	@$(BIN)/pytest -n 2 --dist loadfile

# Pins every package with its hashes and without any index address, for all Python versions the project supports.
lock: setup
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-annotate --no-header --extra dev pyproject.toml -o requirements.lock
