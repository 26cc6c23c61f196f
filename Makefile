# Two commands matter: `make demo` and `make test`. `make help` lists all.
PYTHON ?= python3
UV := .tools/bin/uv
RUN := .venv/bin/
# Tests wait more than they compute: one worker more than this machine has cores.
WORKERS ?= $(shell expr $$(nproc) + 1)
# Tests start some hundreds of Python processes: none shall compile its modules again.
unexport PYTHONDONTWRITEBYTECODE
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv

.PHONY: help env demo test check fmt tools clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

$(UV): tools/uv.txt
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r tools/uv.txt
	@touch $@

.venv/.demo: $(UV) uv.lock pyproject.toml
	$(UV) sync --quiet --frozen --no-dev --extra demo --python $(PYTHON)
	@touch $@ && rm -f .venv/.dev

.venv/.dev: $(UV) uv.lock pyproject.toml
	$(UV) sync --quiet --frozen --all-extras --python $(PYTHON)
	@touch $@ .venv/.demo

env: .venv/.demo ## .venv from the lock file, without the tools for development

demo: .venv/.demo ## the whole system on this machine; Ctrl-C stops it
	@$(RUN)netmon demo $(DEMO_ARGS)

tools: ## Debian packages that tests need (root or sudo; else says what will be skipped)
	@tools/install-test-tools

test: .venv/.dev tools check ## all checks and all tests

check: .venv/.dev ## ruff, mypy, import-linter, pytest
	$(RUN)ruff format --check .
	$(RUN)ruff check .
	$(RUN)mypy
	$(RUN)lint-imports --no-cache
	$(RUN)pytest -n $(WORKERS) --dist loadgroup -m "not alone"
	$(RUN)pytest -m alone

fmt: .venv/.dev ## format and mend what ruff can mend
	$(RUN)ruff format .
	$(RUN)ruff check --fix .

clean: ## remove what make made
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache
