# `make` alone lists the commands. Needs python3 (3.11 to 3.14; `make PYTHON=python3.13 …` chooses one) and a package index.
PYTHON ?= python3
PORT ?= 8000
REMOTE_PORT ?= 8001
export PORT REMOTE_PORT

PY := .venv/bin/python
# The stamps carry the interpreter's name, so that another PYTHON creates the environment again.
RUN := .venv/production.$(notdir $(PYTHON))
DEV := .venv/dev.$(notdir $(PYTHON))
REAL := .venvs/real/installed.$(notdir $(PYTHON))
DEPLOY := .venvs/deploy/installed.$(notdir $(PYTHON))
BROWSER := .venvs/browser/installed.$(notdir $(PYTHON))
AUDIT := .venvs/audit/installed.$(notdir $(PYTHON))
BENCH := .venvs/bench/installed.$(notdir $(PYTHON))
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

.PHONY: help run test check prove demo password manage backup restore fuzz chaos failover soak mutants bench bench-smoke audit lint types fmt fix lock \
	test-all test-browser test-once test-core test-real test-new test-new-simulator test-new-rules contracts \
	migrations settings messages catalogues lint-deploy

help: ## List these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

run: $(RUN) ## Start everything: two nodes, a worker each, sample content (PORT=8000 REMOTE_PORT=8001)
	@$(PY) -m tools.run

test: $(DEV) ## Run what a commit must pass: every law, on SQLite and on a real PostgreSQL
	@$(PY) -m tools.test --quick

check: $(DEV) ## Run what a change must pass, as CI does: all tests, and checks of the code
	@$(MAKE) -j3 test-once lint types contracts migrations settings catalogues test-core test-real test-browser lint-deploy fuzz
	@echo "All checks passed."

prove: mutants test-new chaos ## Look for what no test looks for: planted faults, new examples, a minute of chaos

fuzz: $(DEV) ## Ask the running API whatever its description allows, and what not (SEED=… repeats)
	@$(PY) -m tests.fuzz

chaos: $(DEV) ## Kill, cut off and confuse everything for a minute, then compare both ends (SEED=… repeats)
	@$(PY) -m tests.chaos

failover: $(DEV) ## Kill the primary database amid edits and a sync, promote its standby, then kill a worker's host
	@$(PY) -m tests.failover

mutants: $(DEV) ## Plant faults; each must be seen by the tests that it names (ONLY=name)
	@$(PY) -m tests.mutants

bench: $(BENCH) ## Measure us against what people would use instead; see bench/README.md (ONLY="list save")
	@.venvs/bench/bin/python -m bench $(ONLY)

demo: $(RUN) ## Do the main job without a person, one way and both ways, and compare both ends
	@$(PY) -m tools.demo

password: $(RUN) ## Give the administrator a new password, on both nodes
	@$(PY) -m tools.password

manage: $(RUN) ## Run a command on the first node, the store: make manage C="sync_status"
	@$(PY) -m tools.manage $(C)

# The node that the environment or .env describes; else the first one of `make run`.
NODE_COMMAND = $(PY) $(if $(or $(SECRET_KEY),$(SECRET_KEY_FILE),$(wildcard .env)),manage.py,-m tools.manage)

backup: $(RUN) ## Back up the node of .env, else the store of `make run` (FILE=…)
	@$(NODE_COMMAND) backup $(FILE)

restore: $(RUN) ## Restore FILE=… into that node, which is stopped (REPLACE=1 loses what it holds)
	@$(NODE_COMMAND) restore $(FILE) $(if $(REPLACE),--replace) $(if $(NODE),--node $(NODE))

messages: $(DEV) ## Collect the texts that people see into the catalogues, and compile them (needs GNU gettext)
	@$(PY) -m tools.scratch -m tools.messages

audit: $(AUDIT) ## Look for packages with known weaknesses, and for secrets in the code; a look-up that fails is an error
	@.venvs/audit/bin/python -m tools.audit

soak: $(DEV) ## Use a node in every way at the same time, for five minutes; it must not slow down or grow (SECONDS=300)
	@$(PY) -m tests.soak

lint: $(DEV) ## Look for faults and for layout that differs
	@$(PY) -m ruff check . && $(PY) -m ruff format --check .

types: $(DEV) ## Check the types
	@$(PY) -m tools.scratch -m mypy

fmt: $(DEV) ## Lay the code out
	@$(PY) -m ruff format .

fix: $(DEV) ## Repair what can be repaired automatically, then lay the code out
	@$(PY) -m ruff check --fix . && $(PY) -m ruff format .

lock: $(DEV) ## Lock the newest packages that pyproject.toml allows (KEEP=1 keeps the pins that still fit)
	@sh tools/lock.sh $(if $(KEEP),,--upgrade)

# Fails where a benchmark is broken; whatever it measures is right.
bench-smoke: $(BENCH)
	@.venvs/bench/bin/python -m bench --smoke $(ONLY)

# --- the parts of `make check` and `make prove` ----------------------------------------------------------------------
# Every test on both databases: longer than CI may take.
test-all: $(DEV)
	@$(PY) -m tools.test

# Those of the core are in test-core.
test-once: $(DEV)
	@$(PY) -m tools.test --once --ignore=tests/syncer/core

# `SEED=…` repeats what was red.
test-new: SEED := $(or $(SEED),$(shell od -An -N4 -tu4 /dev/urandom | tr -d ' '))
test-new: $(DEV)
	@echo "New examples, SEED=$(SEED)"
	@$(MAKE) -j2 SEED=$(SEED) test-new-simulator test-new-rules

test-new-simulator: NEW := tests/simulator/test_simulator.py
test-new-rules: NEW := tests/simulator/peers tests/syncer/core tests/backoffice/test_retry.py tests/backoffice/test_masking.py
test-new-simulator test-new-rules:
	@SIMULATOR_SEED=$(SEED) SIMULATOR_EXAMPLES=300 PEERS_SEED=$(SEED) PEERS_EXAMPLES=100 \
		$(PY) -m pytest -q --hypothesis-profile=new --hypothesis-seed=$(SEED) -o faulthandler_timeout=0 $(NEW)

# The core is pure, so that every branch of it can be tested.
test-core: $(DEV)
	@$(PY) -m pytest -q tests/syncer/core --cov=syncer.core --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100

# Against servers that are not ours, one of which needs Node.js.
test-real: $(REAL)
	@$(PY) -m pytest -q tests/real

# The files that deploy: by linters, and the proxy by requests.
lint-deploy: $(DEPLOY)
	@$(PY) -m pytest -q tests/deploy

# In a real browser, which it finds or installs. SCREENSHOTS=docs/images draws the pictures of the docs again.
test-browser: $(BROWSER)
	@.venvs/browser/bin/python -m pytest -q tests/browser

contracts: $(DEV)
	@.venv/bin/lint-imports

catalogues: $(DEV)
	@$(PY) -m tools.scratch -m tools.messages --check

migrations: $(DEV)
	@$(PY) -m tools.scratch manage.py makemigrations --check --dry-run

settings: $(DEV)
	@$(PY) -m tools.scratch manage.py check --deploy --fail-level WARNING

# --- the virtual environment -----------------------------------------------------------------------------------------
$(RUN): requirements/production.txt
	@sh tools/setup.sh "$(PYTHON)" production $@

$(DEV): requirements/dev.txt
	@sh tools/setup.sh "$(PYTHON)" dev $@

$(REAL): requirements/real.txt tests/real/package-lock.json | $(DEV)
	@sh tests/real/install.sh $(PY) $@

$(DEPLOY): requirements/deploy.txt | $(DEV)
	@sh tools/venv.sh $(PY) deploy $@

$(BROWSER): requirements/browser.txt tests/browser/package-lock.json | $(DEV)
	@sh tests/browser/install.sh $(PY) $@

$(AUDIT): requirements/audit.txt | $(DEV)
	@sh tools/venv.sh $(PY) audit $@

$(BENCH): requirements/bench.txt | $(DEV)
	@sh bench/install.sh $(PY) $@
