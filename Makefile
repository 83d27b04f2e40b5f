# Each target does the set-up it needs; `make` alone lists them. LANE=3.3.1 runs any of them on the other Airflow.
LANE ?= 3.2.1
DAG ?= us_price_updater
DATE ?= 2026-11-20
ifeq ($(LANE),3.2.1)
VENV := .venv
else
VENV := .venv-$(LANE)
endif
PYTHON := $(VENV)/bin/python

export LANE
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONPATH := $(CURDIR)
# An environment that forbids byte code makes every airflow command take 4 s instead of 1.5 s.
unexport PYTHONDONTWRITEBYTECODE PYTHONHOME VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-celery chaos fuzz bench lint up down dags-test bundle lock

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

setup: ## make the virtual environment from the lock (the other targets do it by themselves)
	@scripts/setup

demo: setup ## run every job end to end: no network, no Docker, no keys
	@$(PYTHON) -m local.demo

# Whole Airflows under load: on two cores they have the machine to themselves, one after another.
ALONE := tests/stack tests/alerts/test_real_airflow.py tests/aws/test_triggerer.py tests/test_readme.py
test: setup ## run all tests, in two processes; ARGS="tests/store -k splits -n 0" runs some, in one
	@$(PYTHON) -m pytest -n 2 --dist loadfile $(or $(ARGS),$(ALONE:%=--ignore=%))
	$(if $(ARGS),,@$(PYTHON) -m pytest $(ALONE))

test-celery: setup ## the tests of real Airflow components with CeleryExecutor and Redis; ARGS="-k killed"
	@INSIGHT_TEST_EXECUTOR=celery $(PYTHON) -m pytest tests/stack $(ARGS)

chaos: setup ## kill runs and servers at hundreds of points, and compare what is left; ARGS="us-first kill" is a part
	@$(PYTHON) -m tests.chaos $(ARGS)

fuzz: setup ## whole jobs over damaged answers, 10,000 of each source; ARGS="--source krx --payloads 500"
	@$(PYTHON) -m tests.fuzz $(ARGS)

lint: setup ## ruff, mypy, shellcheck and the Compose file
	@scripts/lint

up: setup ## start Airflow's UI on 127.0.0.1 with the demonstration's data
	@$(PYTHON) -m local.stack up

down: setup ## stop whatever `make up` or `make demo` started
	@$(PYTHON) -m local.stack down

dags-test: setup ## run one Dag once: DAG=kr_price_updater DATE=2026-11-20
	@$(PYTHON) -m local.run_dag $(DAG) $(DATE)

bundle: setup ## make what is uploaded to MWAA, in build/ (docs/mwaa.md); SETTINGS=FILE goes into startup.sh
	@$(PYTHON) -m local.bundle --lane $(LANE) $(if $(SETTINGS),--settings "$(SETTINGS)")

bench: setup ## measure the store beside its peers (an hour or two; QUICK=1: two minutes); ARGS="--only daily --rounds 7", ARGS=--resume
	@LANE=peers scripts/setup
	@$(PYTHON) -m bench $(if $(QUICK),--quick) $(ARGS)

lock: setup ## write the lock files and requirements.txt anew; ARGS=--upgrade takes newer versions
	@scripts/lock $(ARGS)
