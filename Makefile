# Each target does its own set-up on a machine with Python 3.11+ and git.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: app test check format bench endurance clean

app: .venv/installed  ## start the app
	$(BIN)/streamlit run app/Home.py

test: .venv/developing  ## the whole suite, with a real browser where Chromium is installed
	$(BIN)/python -m tests

check: .venv/developing  ## style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/developing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

endurance: .venv/developing  ## kill, damage and fill up runs for a quarter of an hour, and compare every byte
	$(BIN)/python -m tests.endurance

bench: .venv/peers  ## measure what has no result for this machine yet; hours on a quiet one, and it goes on where it stopped
	$(BIN)/python -m benchmarks

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
		{ echo "Python 3.11 or newer is needed; name it with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -r requirements.txt
	touch $@

.venv/developing: .venv/installed
	$(BIN)/pip install --quiet -e '.[dev]'
	touch $@

.venv/peers: .venv/developing
	$(BIN)/pip install --quiet -e '.[peers]'
	touch $@

clean:
	rm -rf .venv test-output
