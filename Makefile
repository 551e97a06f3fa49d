# One command per chore; `make help` lists them. What CI runs is what people run.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
LOCKED := --require-hashes --requirement
# For every platform and Python from 3.11, with hashes, and with nothing in it that tells where
# the packages came from. Pins that still fit are kept.
COMPILE = $(BIN)/uv --quiet pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(ARGS)
WORKERS ?= 3
ARGS ?=

.PHONY: help
help: ## List the chores
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort \
		| awk -F ':.*## ' '{ printf "  make %-11s %s\n", $$1, $$2 }'

.PHONY: setup
setup: $(VENV)/tests.stamp ## Make the environment in .venv, tools and tests included

.PHONY: demo
demo: $(VENV)/product.stamp ## Take example customers through all seven steps
	@$(BIN)/stappenplan demo $(ARGS)

.PHONY: run
run: $(VENV)/product.stamp ## Run all services on the embedded default, with a stand-in for KING
	@$(BIN)/stappenplan run --simulate-king

.PHONY: unit
unit: $(VENV)/tests.stamp ## Run the tests that need no server (half a minute); ARGS='-k name' for some
	@$(BIN)/pytest --numprocesses=$(WORKERS) --dist=worksteal -m unit tests/unit $(ARGS)

.PHONY: test
test: $(VENV)/tests.stamp ## Run all tests but the long faults, on real RabbitMQ and PostgreSQL
	@$(BIN)/pytest --numprocesses=$(WORKERS) --dist=loadfile -m 'not faults and not slow' $(ARGS)

.PHONY: slow
slow: $(VENV)/tests.stamp ## Run the tests that tell little more than quicker ones, and search at random
	@$(BIN)/pytest --numprocesses=$(WORKERS) --dist=loadfile -m slow tests $(ARGS)
	@$(BIN)/pytest --numprocesses=$(WORKERS) --dist=loadfile -m 'hypothesis and not faults' \
		--hypothesis-profile search tests/unit tests/hostile $(ARGS)

.PHONY: faults
faults: $(VENV)/tests.stamp ## Break every part under load; write tests/faults/LEDGER.md
	@STAPPENPLAN_TEST_LEDGER=1 $(BIN)/pytest --verbose -n 3 --dist loadgroup \
		tests/model tests/faults tests/crashes $(ARGS)

.PHONY: check
check: $(VENV)/tests.stamp ## Check format, lint, types, architecture and the contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --quiet tests/house tests/contract

.PHONY: bench
bench: $(VENV)/tests.stamp build/peers.stamp build/peers-node.stamp ## Measure speed beside FastStream, Celery, Dramatiq and Node
	@$(BIN)/python -m tests.benchmark --write $(ARGS)

.PHONY: bench-quick
bench-quick: $(VENV)/tests.stamp ## Say in three minutes what became slower since the release
	@$(BIN)/python -m tests.benchmark.quick $(ARGS)

.PHONY: format
format: $(VENV)/tests.stamp ## Format the code and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: lock
lock: ## Pin anew what pyproject.toml asks for; ARGS=--upgrade takes the newest releases
	@infra/make-environment $(VENV)
	$(COMPILE) --group bootstrap --output-file requirements-bootstrap.lock
	$(COMPILE) pyproject.toml --group build --output-file requirements.lock
	$(COMPILE) pyproject.toml --group build --group dev --constraints requirements.lock \
		--output-file requirements-dev.lock
	$(COMPILE) --group bench --constraints requirements.lock --output-file requirements-bench.lock

.PHONY: release
release: ## Check, test and tag the version in pyproject.toml; nothing is pushed
	@infra/release ready
	@$(MAKE) check
	@$(MAKE) test ARGS=  # The wheel's test is among them.
	@$(MAKE) slow ARGS=
	@infra/release tag

.PHONY: clean
clean: ## Remove the environment, caches and the data of the embedded default
	rm -rf $(VENV) .data build *.egg-info .pytest_cache .mypy_cache .ruff_cache \
		.hypothesis .import_linter_cache

# The product alone is enough for `demo` and `run`; tests and checks need more.

$(VENV)/product.stamp: requirements-bootstrap.lock requirements.lock pyproject.toml
	@echo "setting up $(VENV): the product (some seconds, once)"
	@infra/make-environment $(VENV)
	@infra/install $(VENV) $(LOCKED) requirements.lock
	@infra/install $(VENV) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/tests.stamp: $(VENV)/product.stamp requirements-dev.lock
	@echo "setting up $(VENV): tools and tests (some seconds, once)"
	@infra/install $(VENV) $(LOCKED) requirements-dev.lock
	@touch $@

build/peers.stamp: requirements-bench.lock
	@echo "setting up build/peers: what Stappenplan is measured beside"
	@infra/make-environment build/peers
	@infra/install build/peers $(LOCKED) requirements-bench.lock
	@touch $@

# Where there is no Node nothing is made, so that the next run looks again.
NODE_PEERS := tests/benchmark/contenders/node

build/peers-node.stamp: $(NODE_PEERS)/package.json $(NODE_PEERS)/package-lock.json
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
		echo "Node or npm is not here: the bench goes on without Node's peers"; \
	else \
		echo "setting up build/peers-node: what Stappenplan is measured beside"; \
		mkdir -p build/peers-node; \
		cp $^ build/peers-node; \
		npm ci --prefix build/peers-node --ignore-scripts --no-audit --no-fund --loglevel=error; \
		touch $@; \
	fi
