# make train    trains this step's model and prints names that it invents
# make test     runs this step's tests, in an environment of its own (.venv)
# make lint     formatting and common mistakes, by ruff
# make check    on main: proves every step, its tests and its printed numbers
# ARGS passes options on: make train ARGS="--names my_names.txt"
# WITH=torch adds torch, a large download that some tests compare with: make test WITH=torch

PYTHON ?= python3
VENV ?= .venv
LINT_VENV ?= .venv-lint
ARGS ?=
WITH ?=
export PYTHONDONTWRITEBYTECODE = 1

# An environment survives git checkout; its stamps carry a checksum of what it was made for.
SUM := $(shell cksum < pyproject.toml | cut -d' ' -f1)
READY = $(VENV)/made-for-$(SUM)
# $(call install,FOLDER,GROUPS) installs what pyproject.toml lists there; group project: what programs import
LIST = import sys, tomllib; p = tomllib.load(open("pyproject.toml", "rb")); \
  groups = p["dependency-groups"] | {"project": p["project"]["dependencies"]}; \
  print(*[line for name in sys.argv[1:] for line in groups[name]], sep="\n")
install = $(PYTHON) -c '$(LIST)' $(2) > $(1)/requirements.txt && \
  $(1)/bin/python -m pip install -q -r $(1)/requirements.txt

.PHONY: help train test lint check tags
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# \(make\|ARGS\|WITH\)/\1/p' Makefile

train: tags $(READY)$(addprefix -with-,$(WITH))
	@$(VENV)/bin/python -m model.train $(ARGS)

test: tags $(READY)$(addprefix -with-,$(WITH))
	@$(VENV)/bin/python -m pytest tests $(wildcard book/tests) $(ARGS)

lint: $(LINT_VENV)/made-for-$(SUM)
	@$(LINT_VENV)/bin/ruff format --check . && $(LINT_VENV)/bin/ruff check .

check:
	@if [ -f book/check.py ]; then $(PYTHON) book/check.py $(ARGS); \
	else echo "make check proves all steps and lives on main: git switch main" >&2; exit 2; fi

# The tags step-00, step-01, … are read off main; a copy without git works without them.
tags:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "got Python %d.%d; expected 3.11 or newer: make PYTHON=python3.11 …" % sys.version_info[:2])'
	@$(PYTHON) steps.py tag --quiet || true

$(READY):
	@echo "setting up $(VENV) …" >&2
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@$(call install,$(VENV),project test)
	@touch $@

$(READY)-with-torch: $(READY)
	@echo "adding torch to $(VENV) …" >&2
	@$(call install,$(VENV),torch)
	@touch $@

$(LINT_VENV)/made-for-$(SUM):
	@rm -rf $(LINT_VENV) && $(PYTHON) -m venv $(LINT_VENV)
	@$(call install,$(LINT_VENV),lint)
	@touch $@
