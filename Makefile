# `make demo` and `make test` are all a newcomer needs: each makes .venv with pinned versions first.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= 2
TIER ?= quick
RUN_OPTIONS ?=

.PHONY: help demo test lint check clean environment ship-weights

help:
	@echo "make demo         simulate, record, sort, score and draw at the quick tier; ends with where to look"
	@echo "make test         the whole test suite (SLURM tests excepted: they need root, see docs/cluster.md)"
	@echo "make lint         ruff, snakefmt, import rules, config files in step with the models"
	@echo "make ship-weights make the weights that results/$(TIER) has trained those that simsort comes with"
	@echo "make environment  only make $(VENV)"
	@echo "variables:        CORES=$(CORES)  TIER=$(TIER)  PYTHON=$(PYTHON)  RUN_OPTIONS='--config seed=7'"

environment: $(VENV)/.complete

$(VENV)/.complete: envs/requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "spikeline needs python >= 3.11, and '$(PYTHON)' was not found. Install it (Debian: apt install python3 python3-venv) or run make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "spikeline needs python >= 3.11, and '$(PYTHON)' is $$($(PYTHON) --version). Run make PYTHON=/path/to/python3.11"; exit 1; }
	@for tool in g++ make; do command -v $$tool >/dev/null || { echo "NEURON compiles ion channels with g++ and make, and '$$tool' was not found. Install them (Debian: apt install g++ make; macOS: xcode-select --install)"; exit 1; }; done
	@echo "making $(VENV) with the pinned versions of envs/requirements.txt (a few minutes, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r envs/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: environment
	@$(BIN)/snakemake --workflow-profile workflow/profiles/default --configfile config/$(TIER).yaml --cores $(CORES) --quiet rules host $(RUN_OPTIONS)
	@$(BIN)/snakemake --workflow-profile workflow/profiles/default --configfile config/$(TIER).yaml --cores 1 $(RUN_OPTIONS) --quiet all --report results/$(TIER)/report.html
	@$(BIN)/spikeline verify results/$(TIER)
	@echo
	@echo "Look at:  results/$(TIER)/report.html      every figure with its caption"
	@echo "          results/$(TIER)/figures/         the same as PDF and PNG, each with its CSV"
	@echo "          results/$(TIER)/summary.json     the headline numbers"
	@echo "Next:     README.md, 'Your own data' and 'Your cluster'"

test: environment
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slurm" --numprocesses $(CORES) --dist loadfile --no-loadscope-reorder
	@echo
	@echo "Next:     tests/ mirrors package/spikeline/; tests/slurm needs a cluster (docs/cluster.md); make lint checks style"

lint: environment
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/snakefmt --check Snakefile rules
	@$(BIN)/lint-imports
	@$(BIN)/spikeline config check

ship-weights: environment
	@$(BIN)/spikeline ship-weights results/$(TIER)/sorting/simsort/weights
	@echo
	@echo "Next:     sortings with simsort are out of date now and run again; commit package/spikeline/sorting/simsort/weights"

clean:
	rm -rf $(VENV) results .snakemake
