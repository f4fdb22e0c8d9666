# Everything a person types. Each target sets up what it needs; `make setup` alone makes only the environment.
PYTHON ?= python3
VENV := .venv
RIVALS := .venv-bench
KUBERNETES := .kubernetes
BIN := $(VENV)/bin

# The tests start hundreds of processes, and each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo up down status test faults year lint bench lock

help:
	@echo "make demo    set everything up, publish a post of each format to 25 accounts, show the figures"
	@echo "make test    set everything up, run lint, types, import contracts and every test"
	@echo "make up      run the whole system on private servers until Ctrl-C; WITH=prometheus: one that scrapes it as well"
	@echo "make down    stop what make up started     make status  show what runs"
	@echo "make lint    the checks without the tests   make setup   the Python environment only"
	@echo "make faults  kill workers and the broker, cut lines; then 10,000 publications in the midst of faults"
	@echo "make year    a simulated year of schedules with outages: nothing doubled, burst out or lost without a word"
	@echo "make bench   measure the job engine beside its rivals, or with BENCH=cache another suite; takes long"

$(VENV)/.ready: requirements.lock pyproject.toml deploy/local/setup.sh
	@sh deploy/local/setup.sh "$(PYTHON)" "$(VENV)"
	@touch $@

setup: $(VENV)/.ready

demo: setup
	@$(BIN)/instadistro demo

up: setup
	@$(BIN)/instadistro up $(addprefix --with ,$(WITH))

down: setup
	@$(BIN)/instadistro down

status: setup
	@$(BIN)/instadistro status

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Kustomize and the published schemas, for the tests of deploy/k8s: 60 MB that nothing else needs.
$(KUBERNETES)/.ready: tests/kubernetes/requirements.lock tests/kubernetes/install.py | setup
	@echo "test: fetching Kustomize and Kubernetes' schemas into $(KUBERNETES)"
	@$(BIN)/python tests/kubernetes/install.py $(KUBERNETES)
	@touch $@

test: lint $(KUBERNETES)/.ready
	@$(BIN)/python -c 'import sys; from deploy.local.packages import main; sys.exit(main())'
	@$(BIN)/pytest -n 2 --dist loadfile

faults: setup
	@$(BIN)/pytest tests/faults
	@$(BIN)/python -P -m tests.faults.publishing

year: setup
	@$(BIN)/python -P -m tests.simulation

# The rivals have an environment of their own: nothing of theirs can come near the project's.
$(RIVALS)/.ready: benchmarks/requirements.lock
	@echo "bench: installing the rivals into $(RIVALS)"
	@$(PYTHON) -m venv --clear $(RIVALS)
	@$(RIVALS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

bench: setup $(RIVALS)/.ready
	@$(BIN)/instadistro bench $(BENCH)

# Pins every package with its hashes and without any index address, for all Python versions the project supports.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --no-header
lock: setup
	@$(COMPILE) --extra dev pyproject.toml -o requirements.lock
	@$(COMPILE) benchmarks/requirements.in -o benchmarks/requirements.lock
	@$(COMPILE) --no-deps tests/kubernetes/requirements.in -o tests/kubernetes/requirements.lock
