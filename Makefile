# `make` lists what there is. Everything runs in .venv, which any target sets up.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/ready
PIP := $(RUN) -m pip install --quiet --disable-pip-version-check
PEERS := .venv-bench
PEERS_READY := $(PEERS)/ready

STEMS := $(patsubst recipes/%.py,%,$(sort $(wildcard recipes/[0-9][0-9]_*.py)))
NUMBERS := $(foreach stem,$(STEMS),$(firstword $(subst _, ,$(stem))))

.PHONY: help setup lock all test soak lint quick bench reproduce confirm readme report \
	notebooks screenshots ledger clean $(NUMBERS) $(addprefix reproduce-,$(NUMBERS))
.DELETE_ON_ERROR:

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(MAKEFILE_LIST) \
		| awk -F'|' '{ printf "make %-12s %s\n", $$1, $$2 }'
	@echo "make 24           one recipe by its number (make reproduce-24: all its seeds)"
	@echo "recipes: $(STEMS)"

setup: $(READY) ## the virtual environment .venv with everything in it

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

lock: ## requirements.lock from requirements.txt, for Python 3.10 to 3.13 (needs uv)
	grep -v '^-e' requirements.txt | uv pip compile - -o requirements.lock --universal \
		--python-version 3.10 --generate-hashes --no-header --no-annotate

all: $(READY) ## every recipe that has no valid run, two at a time, then the report
	$(RUN) -m common.batch
	$(RUN) -m publish page
	@echo "Figures and metrics.json of each recipe are in runs/"

test: $(READY) ## the tests: a few minutes, no network
	$(RUN) -m pytest -q -n auto --dist worksteal

soak: $(READY) ## kill trainings at random times, compare every bit; memory of all
	$(RUN) -m pytest -q -s -m soak

lint: $(READY) ## format, style, unsafe calls, packages that fit together
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m pip check --disable-pip-version-check

quick: $(READY) ## every recipe in seconds, on a little of the data
	$(RUN) -m common.batch --quick

reproduce: $(READY) ## measure over all seeds what has no valid result (hours)
	$(RUN) -m $(if $(CLUSTER),cluster --address $(CLUSTER),common.batch) --reproduce
	$(RUN) -m publish readme

confirm: $(READY) ## after a change of plumbing or versions: are the figures the same?
	$(RUN) -m publish confirm
	$(RUN) -m publish readme

readme: $(READY) ## fill README's tables and the index from results/
	$(RUN) -m publish readme

report: $(READY) ## report/index.html, and all figures beside the lecture's
	$(RUN) -m publish page

notebooks: $(READY) ## notebooks/NN_topic.ipynb from every recipe
	$(RUN) -m publish notebooks

screenshots: $(READY) ## README's pictures of the report (needs Chromium or Chrome)
	$(RUN) -m publish screenshots

bench: $(READY) $(PEERS_READY) ## training beside PyTorch, JAX, scikit-learn (an hour)
	$(RUN) -m bench

$(PEERS_READY): requirements-bench.txt
	$(PYTHON) -m venv $(PEERS)
	echo '*' > $(PEERS)/.gitignore
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check \
		-r requirements-bench.txt
	@touch $@

ledger: $(READY) ## every number of the lectures, by document and slide
	$(RUN) -m publish ledger

clean: ## delete runs and the virtual environment, keep results
	rm -rf runs report notebooks $(VENV)

define recipe_targets
$(1): $(READY)
	$(RUN) $(wildcard recipes/$(1)_*.py)

reproduce-$(1): $(READY)
	$(RUN) -m common.batch --reproduce $(1)
	$(RUN) -m publish readme
endef
$(foreach number,$(NUMBERS),$(eval $(call recipe_targets,$(number))))
