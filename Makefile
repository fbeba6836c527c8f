# make studio   serve the studio at http://127.0.0.1:7860   (HOME_DIR=... PORT=... override)
# make test     everything that CI checks                   make quick   the part that takes about five minutes
# make long     what CI has no time for: most runs on a SLURM, an sshd and a Ray of the tests' own (half an hour)
# make perf     measured figures and their limits           ONLY="clients start" for some of them

PYTHON   ?= python3
HOME_DIR ?= $(HOME)/.repair-studio
PORT     ?= 7860
VENV     := .venv
BIN      := $(VENV)/bin
NEEDED_KB := 4000000

.PHONY: studio test quick long lint perf clean
.DELETE_ON_ERROR:

studio: $(VENV)/installed
	@$(BIN)/python -m studio --home "$(HOME_DIR)" --port $(PORT)

# A test that fails is run once more, since one of 6,000 may meet a busy machine; the summary names each of these (RERUN).
test: $(VENV)/installed-tests lint
	@$(BIN)/python -m pytest -n 2 --dist worksteal --reruns 1 -r fER -m "not browser and not long"
	@$(BIN)/python -m pytest --reruns 1 -r fER -m browser

quick: $(VENV)/installed-tests lint
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow and not browser and not gpu"

long: $(VENV)/installed-tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile --reruns 1 -r fER -m long

perf: $(VENV)/installed-tests
	@$(BIN)/python tests/perf/figures.py $(ONLY)

lint: $(VENV)/installed-tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

$(VENV)/python: constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Repair Studio needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Install one and run: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }
	@free=$$(df -Pk . | awk 'NR==2 {print $$4}'); test -x $(BIN)/python -o "$$free" -gt $(NEEDED_KB) || { \
	  echo "Not enough disk: $$((free / 1024)) MiB free in $$(pwd), the install needs $$(($(NEEDED_KB) / 1024)) MiB. Free some space and run make again." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/installed: $(VENV)/python
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@ $(VENV)/installed

$(VENV)/installed-tests: $(VENV)/python
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	@touch $(VENV)/installed $@

clean:
	rm -rf $(VENV) build *.egg-info
