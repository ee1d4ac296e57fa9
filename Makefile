# make train    trains this step's model and prints names that it invents
# make test     runs this step's tests, in an environment of its own (.venv)
# make lint     formatting and common mistakes, by ruff
# make kernels  the floor of every kernel, and each compiled for five GPUs, on Linux
# make check    on main: proves every step, its tests and its printed numbers
# make book     on main: the book as pages for a browser, in site/; make serve shows them
# ARGS passes options on: make train ARGS="--names my_names.txt"
# WITH=torch adds torch, a large download that some tests compare with: make test WITH=torch
# WITH=triton adds Triton and torch, for kernels on a GPU or interpreted: make test WITH=triton

PYTHON ?= python3
VENV ?= .venv
LINT_VENV ?= .venv-lint
ARGS ?=
WITH ?=
export PYTHONDONTWRITEBYTECODE = 1

# An environment survives git checkout; its stamps carry a checksum of what it was made for.
SUM := $(shell cksum < pyproject.toml | cut -d' ' -f1)
READY = $(VENV)/made-for-$(SUM)

.PHONY: help train test lint kernels check book serve book-test python tags
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# \(make\|ARGS\|WITH\)/\1/p' Makefile

train: tags $(READY)$(addprefix -with-,$(WITH))
	@$(VENV)/bin/python -m model.train $(ARGS)

test: tags $(READY)$(addprefix -with-,$(WITH))
	@$(VENV)/bin/python -m pytest tests $(wildcard book/tests) $(ARGS)
ifeq ($(WITH),triton)
	@KERNELS_DEVICE=interpret $(VENV)/bin/python -m pytest tests/kernels $(ARGS) || [ $$? -eq 5 ]
endif

lint: python $(LINT_VENV)/made-for-$(SUM)
	@$(LINT_VENV)/bin/ruff format --check . && $(LINT_VENV)/bin/ruff check .

kernels: tags $(READY)-with-triton
	@$(VENV)/bin/python -m kernels.roofline
	@$(VENV)/bin/python -m kernels.compiled $(ARGS)

check:
	@if [ -f book/check.py ]; then $(PYTHON) book/check.py $(ARGS); \
	else echo "make check proves all steps and lives on main: git switch main" >&2; exit 2; fi

book serve book-test:
	@if [ -f book/site/run.py ]; then $(PYTHON) book/site/run.py $@ $(ARGS); \
	else echo "make $@ shows the book, which lives on main: git switch main" >&2; exit 2; fi

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "got Python %d.%d; expected 3.11 or newer: make PYTHON=python3.11 ..." % sys.version_info[:2])'

# The tags step-00, step-01, ... are read off main; a copy without git works without them.
tags: python
	@$(PYTHON) steps.py tag --quiet || true

$(READY):
	@$(PYTHON) environment.py '$@' project test

$(READY)-with-torch $(READY)-with-triton: $(READY)-with-%: $(READY)
	@$(PYTHON) environment.py '$@' $*

$(LINT_VENV)/made-for-$(SUM):
	@$(PYTHON) environment.py '$@' lint
