# Every target sets up what it needs: a virtual environment in .venv with the versions of constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
REPORT_OPTIONS := $(if $(SOURCE),--source '$(SOURCE)') $(if $(LAKEHOUSE),--lakehouse '$(LAKEHOUSE)') \
	$(if $(POLICY),--policy '$(POLICY)') $(if $(ENGINE),--engine '$(ENGINE)')

.PHONY: report test test-slow test-all test-deep coverage gates lab bench lint results-docs trino

report: .venv/ready  ## Run the notebooks and write reports/validation_report.html
	@$(BIN)/stedi run $(REPORT_OPTIONS)

PYTEST := $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder -rs

test: .venv/ready-dev  ## Run the tests, but for the slow ones
	@$(PYTEST) -m 'not slow'

test-slow: .venv/ready-dev  ## Run the slow tests: sweeps over many cases, Spark, scale, the installed package
	@$(PYTEST) -m slow

test-all: test test-slow  ## Run all tests

coverage: .venv/ready-dev  ## Run all tests and tell which lines of the program none of them has run
	@$(PYTEST) --cov --cov-report=term:skip-covered

test-deep: .venv/ready-dev  ## The SQL against plain Python 1,000 times, AWS cut off at every call, each policy on both engines
	@STEDI_DEEP=1 $(BIN)/pytest tests/test_oracle.py tests/test_aws_faults.py tests/test_aws_command.py

gates: .venv/ready-dev  ## Break the data and mutate the SQL, see every gate hold, write docs/gates.md
	@$(BIN)/python tests/gates.py

results-docs: .venv/ready-dev  ## Write docs/results.md and docs/results.schema.json from the models
	@$(BIN)/python tests/results_document.py

trino:  ## Get a grammar of Trino that a test holds Athena's statements against; needs npm
	@npm install --silent --no-audit --no-fund --prefix .cache/trino dt-sql-parser@4.5.1

lint: .venv/ready-dev  ## Check style, types, and which package imports which
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: .venv/ready-bench  ## Measure, and write docs/benchmarks.md; FULL=1 adds a thousand times the data
	@$(BIN)/python benchmarks/run.py $(if $(FULL),--full)

lab: .venv/ready-lab  ## Open the notebooks in JupyterLab
	@$(BIN)/jupyter lab notebooks

# JupyterLab is installed only for `make lab`: its presence slows every start of a kernel.
.venv/ready: EXTRAS =
.venv/ready-dev: EXTRAS = [aws,dev,spark]
.venv/ready-lab: EXTRAS = [lab]
.venv/ready-bench: EXTRAS = [bench]
.venv/ready .venv/ready-dev .venv/ready-lab .venv/ready-bench: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or newer is needed; $(PYTHON) is older. Name another: make PYTHON=python3.12'; exit 2; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@echo 'Installing into .venv; this takes a minute or two the first time.'
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.$(EXTRAS)'
	@$(BIN)/python -m compileall -q src  # packages were compiled when they were installed
	@touch $@
