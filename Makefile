# Needs make and Python 3.11 or newer; everything else is installed into .venv.
PYTHON ?= $(shell python3.11 -c '' 2>/dev/null && echo python3.11 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
# Two processes, because each may run a simulation on several threads; a file stays in one, with what it compiled.
TEST_ARGS ?= -n 2 --dist loadfile

# A stamp is newer than the files that say what to install: a second call finds nothing to do.
USER_STAMP := $(VENV)/.installed-plot
DEV_STAMP := $(VENV)/.installed-dev
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable

.DEFAULT_GOAL := help
.PHONY: demo test check docs bench peers clean help

demo: $(USER_STAMP)  ## Set up and run the main job (digits on a mesh of 100,000 neurons)
	$(BIN)/treplica demo

test: $(DEV_STAMP)  ## Set up for development and run the tests (TEST_ARGS="-k name" picks some)
	$(BIN)/python -m pytest $(TEST_ARGS)

check: $(DEV_STAMP)  ## Format, lint, types, import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet tests/unit/test_layers.py

docs: $(DEV_STAMP)  ## Build the documentation site into site/
	$(BIN)/mkdocs build --strict

bench: peers  ## Measure beside NEST and Brian2; rewrites benchmarks/README.md
	$(BIN)/python benchmarks/update.py

# Brian2 needs numpy < 2.3, so it has an environment of its own.
PEER := benchmarks/.envs/brian2
PEER_INSTALL := -m pip install --disable-pip-version-check --quiet
peers: $(DEV_STAMP) benchmarks/.envs/torch/.installed  ## Install the peers that benchmarks compare with
	$(PYTHON) -m venv $(PEER)
	$(PEER)/bin/python $(PEER_INSTALL) 'brian2==2.9.*' 'numpy<2.3' networkx setuptools

# PyTorch comes first, by the constraint. The peers follow without their requirements: of these, benchmarks need what is
# named here, and torchvision and torchaudio, which nothing here uses, do not load beside a CPU build of PyTorch.
benchmarks/.envs/torch/.installed: constraints.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python $(PEER_INSTALL) --constraint constraints.txt torch
	$(@D)/bin/python $(PEER_INSTALL) --constraint constraints.txt torch numpy nir==1.0.8 nirtorch==2.6 loguru tqdm
	$(@D)/bin/python $(PEER_INSTALL) --no-deps snntorch==1.0.0 spikingjelly==2.0.0 norse==1.1.0
	@touch $@

clean:  ## Remove caches and built files (.venv and runs/ stay)
	rm -rf site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name $(VENV) -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +

help:  ## List the targets
	@sed -n 's/^\([a-z]*\):.*##/\1:/p' $(MAKEFILE_LIST) | awk -F': *' '{ printf "make %-6s %s\n", $$1, $$2 }'

# `activate` is the last file that venv writes, so a broken-off creation is repeated.
$(BIN)/activate:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Treplica needs Python 3.11 or newer; '$(PYTHON)' is: $$($(PYTHON) --version 2>&1 | head -1)" >&2; \
	  echo "Install it, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(USER_STAMP): pyproject.toml constraints.txt | $(BIN)/activate
	@echo "Installing treplica with its plots into $(VENV) ..."
	$(INSTALL) '.[plot]'
	@touch $@

# The development set contains the user's.
$(DEV_STAMP): pyproject.toml constraints.txt | $(BIN)/activate
	@echo "Installing treplica and the development tools into $(VENV) (some minutes on a first run) ..."
	$(INSTALL) '.[dev]'
	@touch $(USER_STAMP) $@
