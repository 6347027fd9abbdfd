# Two commands do everything on a fresh machine: `make demo` and `make test`.
VENV ?= .venv
export VENV PYTHON TORCH_INDEX_URL MMCV_CUDA
BIN := $(VENV)/bin
# One thread a process keeps small trainings and tests fast on busy machines.
TEST_ENV := OMP_NUM_THREADS=1 PATH="$(abspath $(BIN)):$$PATH"

# `make -j` must not lint or test before the environment is there.
.NOTPARALLEL:
.PHONY: setup test lint unit demo app app-networks test-app chromium clean

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

# The web page: `make app`, with the networks of `make demo`, or
# `make app CONFIG=... CHECKPOINT=...`; further options of tools/app.py are ARGS='--port 8000'.
# Its packages go to folders of their own and never touch what $(VENV) was proven with.
DEMO ?= work_dirs/demo
CONFIG ?= configs/body/i2l-meshnet_res18_2xb8-8e_synthetic-64x64.py
CHECKPOINT ?= $(DEMO)/checkpoint.pth
ROOT_CONFIG := configs/body/rootnet_res18_2xb8-8e_synthetic-64x64.py
DET_CONFIG := configs/detectors/rtmdet-nano_2xb8-12e_synthetic-160x128.py
# Of the demo, whose networks know each other; with another CONFIG, ARGS names what else there is.
NETWORKS := --config $(CONFIG) --checkpoint $(CHECKPOINT)
ifeq ($(origin CONFIG),file)
NETWORKS += $(if $(wildcard $(DEMO)/rootnet.pth),--root-config $(ROOT_CONFIG) --root-checkpoint $(DEMO)/rootnet.pth)
NETWORKS += $(if $(wildcard $(DEMO)/detector.pth),--det-config $(DET_CONFIG) --det-checkpoint $(DEMO)/detector.pth)
endif

app: app-networks setup $(VENV)/app/.ready
	PYTHONPATH="$(abspath $(VENV)/app)" $(BIN)/python tools/app.py $(NETWORKS) $(ARGS)

app-networks:
	@[ -e "$(CHECKPOINT)" ] || { echo 'app: there is no $(CHECKPOINT); run `make demo` first, or give networks of your own: make app CONFIG=... CHECKPOINT=...' >&2; exit 1; }

# The tests of the page and of scenes' HTML files in a real Chromium.
test-app: chromium setup $(VENV)/app/.ready $(VENV)/browser/.ready
	PYTHONPATH="$(abspath $(VENV)/app):$(abspath $(VENV)/browser)" $(TEST_ENV) $(BIN)/python -m pytest -rs \
		tests/apis/app tests/visualization/test_scene_html.py $(wildcard tests/visualization/test_scene_html_*.py)

chromium:
	@command -v chromedriver >/dev/null && { command -v chromium || command -v google-chrome; } >/dev/null || \
		{ echo 'test-app: needs Chromium and its driver (Debian: apt install chromium chromium-driver)' >&2; exit 1; }

$(VENV)/%/.ready: requirements/%.txt | setup
	rm -rf $(@D)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --target $(@D) -r $<
	touch $@

clean:
	rm -rf work_dirs/demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .coverage
