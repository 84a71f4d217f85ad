# make run    the sample log, then the shell          make test   the test suite
# make lint   ruff and mypy                           make bench  ratios against hand-written SQL and peers
# make docs   the command and function reference      make house  the structure against its goals
# make nightly  the test suite with all mutations, generated pipelines and runs; nightly.txt says how it ended
# All make .venv on first use; nothing else is needed.

# Some machines forbid Python to keep compiled modules: every start of the command would compile two hundred of them anew.
unexport PYTHONDONTWRITEBYTECODE

VENV ?= .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
PRODUCT := $(VENV)/.product
EXTRAS := dev,all
# worksteal keeps a file on one worker while there is enough to do: what its tests share is made once.
PYTEST_ARGS ?= -n auto --dist worksteal

.PHONY: run test nightly lint bench docs house clean

run: $(PRODUCT)
	@$(PY) -m sample_data.demo

test: $(STAMP)
	$(PY) -m pytest $(PYTEST_ARGS)

nightly: $(STAMP)
	$(PY) -m pytest $(PYTEST_ARGS) --nightly

lint: $(STAMP)
	$(PY) -m ruff check .
	$(PY) -m mypy

bench: $(STAMP)
	$(PY) -m bench.run $(BENCH_ARGS)
	$(PY) -m bench.duties

docs: $(STAMP)
	$(PY) -m docs.reference
	$(PY) -m docs.transcripts

house: $(STAMP)
	@$(PY) -m bench.house $(HOUSE_ARGS)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

# Installed again when pyproject.toml changes, otherwise the stamps make the second call free. `make run` installs the
# product alone; what tests, lint, bench and docs need comes with the first of them.
FIND_PYTHON = for python in python3 python3.13 python3.12 python3.11 python3.14; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then echo "Python 3.11 or newer is needed and was not found" >&2; exit 1; fi

$(PRODUCT): pyproject.toml
	@$(FIND_PYTHON); $$found .ci/install.py $(VENV)
	@touch $@

$(STAMP): pyproject.toml
	@$(FIND_PYTHON); $$found .ci/install.py $(VENV) $(EXTRAS)
	@touch $(PRODUCT) $@
