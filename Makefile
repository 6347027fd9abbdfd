# Two commands do everything on a fresh machine: `make demo` and `make test`.
VENV ?= .venv
export VENV PYTHON TORCH_INDEX_URL MMCV_CUDA
BIN := $(VENV)/bin
# One thread a process keeps small trainings and tests fast on busy machines.
TEST_ENV := OMP_NUM_THREADS=1 PATH="$(abspath $(BIN)):$$PATH"

# `make -j` must not lint or test before the environment is there.
.NOTPARALLEL:
.PHONY: setup test lint unit demo clean

setup:
	@tools/setup_env.sh

test: setup lint unit

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/lint-imports --config setup.cfg
	$(BIN)/mypy
	$(BIN)/codespell

unit:
	$(TEST_ENV) $(BIN)/python -m pytest --cov --cov-report=term --cov-fail-under=90

demo: setup
	$(BIN)/python projects/synthetic_humans/demo.py --out work_dirs/demo

clean:
	rm -rf work_dirs/demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .coverage
