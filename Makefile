# Two commands on a fresh machine with Python 3.11+ and make:  make run   and   make test.
# Each target makes its own virtual environment from a lock file with hashes. Nothing else is needed.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SHELL  := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run plans load test browser pictures fuzz torture postgres bench check fix knowledge docs agreement case bless example calibration misspecification detector policies virtual cohort lock clean

help:  ## say what can be done here
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

# A stamp per lock file: pip runs again only when the lock or the project file changed.
$(VENV)/run.stamp: requirements/run.lock pyproject.toml
	@echo "Setting up the program in $(VENV) (once, about a minute) ..."
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "ranvier needs Python 3.11 or later; say which with: make run PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.lock $(VENV)/run.stamp
	@echo "Adding what tests and checks need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

# Other people's programs that the tests talk to (docs/peers.md). Where npm cannot be reached the tests that need them skip, and say so.
$(VENV)/peers.stamp: tests/peers/package-lock.json $(VENV)/dev.stamp
	@echo "Adding the peers of the tests (tests/peers) ..."
	@cd tests/peers && if PATH="$(abspath $(BIN)):$$PATH" npm ci --silent --fetch-retries=1 --fetch-timeout=60000; then touch "$(abspath $(VENV))/peers.stamp"; \
	  else echo "npm could not bring the peers: tests that talk to them will skip. When the network is there again: make test"; fi

# The browser of the tests. Where it cannot be installed from here the tests that need it skip, and say so.
$(VENV)/browser.stamp: $(VENV)/dev.stamp
	@if command -v chromium chromium-browser google-chrome > /dev/null; then touch $@; \
	elif command -v apt-get > /dev/null && test "$$(id -u)" = 0; then \
	  echo "Adding Chromium for the tests in the browser ..."; \
	  apt-get -qq update > /dev/null && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y chromium > /dev/null && touch $@ \
	    || echo "Chromium could not be installed: tests in the browser will skip. Install it, then: make test"; \
	else echo "Chromium is missing: tests in the browser will skip. Install it (package chromium), then: make test"; fi

run: $(VENV)/run.stamp  ## set up everything and start a clinic of invented patients (CHECK=1: start, look, stop)
	@$(BIN)/ranvier clinic $(if $(PORT),--port $(PORT)) $(if $(FRESH),--fresh) $(if $(CHECK),--check)

plans: $(VENV)/run.stamp  ## plan the shipped cases, on the screen and as HTML
	@$(BIN)/ranvier demo

test: $(VENV)/dev.stamp $(VENV)/peers.stamp $(VENV)/browser.stamp  ## set up everything and run all tests
	@$(BIN)/python -m pytest

postgres: $(VENV)/dev.stamp  ## the tests of the web once more, on a real PostgreSQL
	@$(BIN)/python tools/with_postgres.py $(BIN)/python -m pytest tests/web tests/smart

load: $(VENV)/dev.stamp  ## how fast are the pages of a clinic with 2,000 patients and ten years of daily diaries? (builds it once, half an hour and 7 GB; writes docs/measured/web.md; PG=1: on PostgreSQL)
	@test -e out/lives.ranvier || $(BIN)/python tools/load_web.py lives
	@$(if $(PG),$(BIN)/python tools/with_postgres.py) $(BIN)/python tools/load_web.py all --folder out/load$(if $(PG),-postgres) --write

browser: $(VENV)/browser.stamp  ## walk each person's day in a real browser, with pictures in out/pictures
	@RANVIER_BROWSER=1 RANVIER_PICTURES=out/pictures $(BIN)/python -m pytest tests/web/test_browser*.py tests/smart/test_smart_browser.py
	@$(BIN)/python tools/measure_drag.py

pictures: $(VENV)/browser.stamp  ## do the main pages look as when somebody last looked? what differs is in out/pictures/differ (ACCEPT=1: keep what is there now)
	@RANVIER_LOOK=1 $(if $(ACCEPT),ACCEPT=1) $(BIN)/python -m pytest tests/web/test_pictures.py

fuzz: $(VENV)/dev.stamp  ## rubbish in every field of every address, twenty times as much as in the tests
	@RANVIER_FUZZ=20 $(BIN)/python -m pytest tests/web/test_fuzz.py

torture: $(VENV)/dev.stamp  ## kill server and database in the middle of writes, 100 times each
	@$(BIN)/python -m tests.web.torture --times $(or $(TIMES),100)
	@$(BIN)/python -m tests.web.torture --times $(or $(TIMES),100) --postgres

bench: $(VENV)/dev.stamp  ## measure, and write bench/latest.json
	@$(BIN)/python bench/run.py

check: $(VENV)/dev.stamp  ## format, lint, types, floors, knowledge, docs; changes nothing
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/check_knowledge.py
	@$(BIN)/python tools/make_docs.py --check
	@$(BIN)/python tools/make_safety.py --check
	@$(BIN)/python tools/make_static.py --check

fix: $(VENV)/dev.stamp  ## repair what a machine may repair
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

knowledge: $(VENV)/dev.stamp  ## check every file in knowledge/: units, sources, places, status, review dates
	@$(BIN)/python tools/check_knowledge.py

docs: $(VENV)/dev.stamp  ## make docs/made anew from knowledge, schemas, tests and docstrings
	@$(BIN)/python tools/make_static.py
	@$(BIN)/python tools/make_docs.py
	@$(BIN)/python tools/make_safety.py

agreement: $(VENV)/dev.stamp  ## hold our estimates against other programs' (needs ../shared/golden); writes docs/made/agreement.md
	@$(BIN)/python tools/agreement.py

case: $(VENV)/dev.stamp  ## one shipped case in full, with its tree of reasons: make case ID=slow-decline
	@$(BIN)/python tools/bless.py --show $(or $(ID),wears-off-at-four-weeks)

bless: $(VENV)/dev.stamp  ## show changed answers to the shipped cases and ask, one by one (or: make bless YES=ID)
	@$(BIN)/python tools/bless.py $(foreach id,$(YES),--yes $(id))

example: $(VENV)/dev.stamp  ## make the picture and the worked example of the README anew
	@$(BIN)/python tools/make_example.py

calibration: $(VENV)/dev.stamp  ## would our intervals tell the truth? 8000 simulated people, 6000 more by NUTS alone; writes docs/measured (two hours; goes on where it was stopped)
	@$(BIN)/python tools/calibrate.py

misspecification: $(VENV)/dev.stamp  ## forecasts held against truths that no model of ours holds; writes docs/measured (about 20 minutes)
	@$(BIN)/python tools/misspecify.py

virtual: $(VENV)/dev.stamp  ## hold localiser and block rules against simulated nerves; writes docs/virtual (about two minutes)
	@$(BIN)/python tools/virtual_validation.py --write

detector: $(VENV)/dev.stamp  ## false alarms and delays of the chart on simulated diaries; writes docs/measured (about ten minutes)
	@$(BIN)/python tools/measure_detector.py --write

policies: $(VENV)/dev.stamp  ## policies on virtual people, on truths that the model holds and others; writes docs/measured (about half an hour)
	@$(BIN)/python tools/measure_policies.py --write --again 303

cohort: $(VENV)/dev.stamp  ## hold virtual people against trials and policies against truths; writes docs/measured/cohort.md (ten minutes)
	@$(BIN)/python tools/cohort_validation.py --write

# The larger lock first: the smaller one takes the same versions, so that both fit into one environment.
lock:  ## renew the lock files (maintainers; needs uv on the path)
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml requirements/build.in --group dev -o requirements/dev.lock
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml requirements/build.in -c requirements/dev.lock -o requirements/run.lock

clean:  ## remove what make made
	@rm -rf $(VENV) tests/peers/node_modules .kernels out .pytest_cache .mypy_cache .ruff_cache .hypothesis
