# People and CI use the same few targets. Everything they need is installed by `make setup`.
SHELL := /bin/bash
.DEFAULT_GOAL := help

BIN := .venv/bin

.PHONY: help setup demo test check compat fuzz chaos bench bench-ironic bench-fleet clean

help:
	@echo "make demo    deploy a real operating system onto a virtual server (KEEP=1 leaves it running)"
	@echo "make test    everything: check, unit to lab tests"
	@echo "make check   lint, types, layers, changelog fragments"
	@echo "make compat  the real clients only: openstacksdk, its functional tests, the baremetal command"
	@echo "make fuzz    30,000 hostile requests (CASES=, SEED=), 100 random lives of nodes"
	@echo "make chaos   500 deployments while processes, database and BMCs fail (DEPLOYMENTS=, SEED=)"
	@echo "make bench   figures of the hot paths, as ratios"
	@echo "make bench-ironic   the v1 API beside Ironic 39, measured in the same run"
	@echo "make bench-fleet    10,000 simulated servers, users at work, 1,000 deployments; Ironic 39 with 300 beside (20 minutes)"

setup:
	@./setup.sh

demo: setup
	@$(BIN)/bessemer-demo $(if $(KEEP),--keep)

test: setup check
	$(BIN)/pytest -q -m "not lab" -n auto --dist loadfile tests
	$(BIN)/pytest -q -m lab tests

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

compat: setup
	$(BIN)/pytest -q tests/compat

fuzz: setup
	PYTHONPATH=tests $(BIN)/python -m property.api.fuzz $(if $(CASES),--cases $(CASES)) $(if $(SEED),--seed $(SEED))
	LIVES=100 STEPS=50 $(BIN)/pytest -q -p no:cacheprovider tests/property/provision/test_life.py

chaos: setup
	PYTHONPATH=tests $(BIN)/python -m engine.chaos.play $(if $(DEPLOYMENTS),--deployments $(DEPLOYMENTS)) $(if $(SEED),--seed $(SEED))

bench: setup
	$(BIN)/python -m bench.api
	@for bench in bench/*.py; do echo "== $$bench"; $(BIN)/python $$bench || exit 1; done

bench-ironic: setup
	$(BIN)/python -m bench.ironic

bench-fleet: setup
	$(BIN)/python -m bench.fleet

clean:
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis
