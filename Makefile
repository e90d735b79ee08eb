# Onsil: `make demo` and `make test` do everything from a fresh checkout.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test torture mutants mutants-footprint bench lint format lock notices clean
.SILENT:

# ARGS is handed on: `make demo ARGS=--exit`, `make test ARGS="tests/ledger -x"`.
ARGS ?=
NAME ?=
BIN := .venv/bin

help:
	echo "make demo    install everything, run the whole loop on real readings, keep serving"
	echo "             (ARGS=--exit stops after the summary)"
	echo "make test    install everything and run all tests   (ARGS=… goes to pytest)"
	echo "make torture try to break the ledger, about half an hour   (ARGS=--short: minutes)"
	echo "make mutants change every line that decides about money; the tests must notice"
	echo "make mutants-footprint  the same for what counts tonnes   (ARGS=led_replacement: one module)"
	echo "make lint    ruff, pyright, import-linter"
	echo "make bench   measurements, one JSON line a figure    (NAME=ledger runs one)"
	echo "make setup   install only; then .venv/bin/onsil --help"
	echo "make format  put the code in form"
	echo "make lock    resolve the dependencies anew;  make notices  rewrite THIRD_PARTY.md"
	echo "make clean   remove what was installed here (the data folder stays)"

setup:
	scripts/bootstrap.sh run

demo:
	scripts/bootstrap.sh run
	exec $(BIN)/onsil demo $(ARGS)

test:
	scripts/bootstrap.sh test
	exec $(BIN)/python -m pytest -n 2 --dist loadscope $(ARGS)

torture:
	scripts/bootstrap.sh test
	exec $(BIN)/python tests/torture $(ARGS)

mutants:
	scripts/bootstrap.sh test
	$(BIN)/mutmut run $(ARGS)
	$(BIN)/mutmut results

mutants-footprint:
	scripts/bootstrap.sh test
	$(BIN)/python scripts/mutants_footprint.py $(ARGS)

bench:
	scripts/bootstrap.sh run
	exec $(BIN)/python -m bench $(NAME)

lint:
	scripts/bootstrap.sh run
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright
	$(BIN)/lint-imports

format:
	scripts/bootstrap.sh run
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:
	scripts/bootstrap.sh run
	.tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url --no-emit-find-links --group dev pyproject.toml --upgrade \
	  --output-file requirements.lock
	.tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url --no-emit-find-links --no-annotate --no-deps requirements-clients.in --upgrade \
	  --output-file requirements-clients.lock
	npm install --package-lock-only --ignore-scripts --no-audit --no-fund
	$(MAKE) notices

notices:
	scripts/bootstrap.sh run
	$(BIN)/python scripts/notices.py

clean:
	rm -rf .venv .tools .clients node_modules src/onsil/web/static/vendor .bootstrap.lock
	find src -name '*.mo' -delete
