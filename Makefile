# Every target sets up what it needs: a Python >= 3.11 (with venv) and make are all that must be there.
# PYTHON=... names the interpreter; ARGS=... goes to the command: make demo ARGS=--once, make test ARGS="-k merge".

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test lint format run bench pictures clean

# More than there are cores here: most tests wait for a server now and then.
WORKERS ?= 4
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

# An unset or empty HOME would send caches to /.
ifeq ($(strip $(HOME)),)
export HOME := $(CURDIR)/.venv/home
endif

# Installed is what these files and this place say; when they change, the name changes and it is done again.
STATE := $(shell { pwd; cat pyproject.toml constraints.txt; } | cksum | tr ' ' '-')
DEV := .venv/.dev-$(STATE)
FIRST := .venv/.runtime-$(STATE)
# A tree that is ready for the tests is ready for the demo.
RUNTIME := $(if $(wildcard $(DEV)),$(DEV),$(FIRST))

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(RUNTIME) ## Tell the story: simulators, the service and one bridge; no accounts needed. ARGS=--once ends after it
	@exec "$(BIN)/crossledger" demo $(ARGS)

test: $(DEV) ## Run the tests
	@exec "$(BIN)/python" -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: $(DEV) ## Check style and types
	"$(BIN)/python" -m ruff check .
	"$(BIN)/python" -m ruff format --check .
	"$(BIN)/python" -m mypy

format: $(DEV) ## Put the code into the common form
	"$(BIN)/python" -m ruff check --fix .
	"$(BIN)/python" -m ruff format .

run: $(RUNTIME) ## Start the real service; the first time this writes .env with fresh secrets
	@test -e .env || "$(BIN)/python" -c "$$WRITE_ENV"
	@exec "$(BIN)/crossledger" serve $(ARGS)

bench: $(DEV) ## Measure, and print the table
	@exec "$(BIN)/python" -m tests.bench $(ARGS)

pictures: $(DEV) ## Take the pictures in docs/ anew, of a service at work; needs Chromium
	@exec "$(BIN)/python" -m tests.browser.pictures $(ARGS)

clean: ## Remove what the other targets made, but neither .env nor .data
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage build dist
	find app tests alembic -type d -name __pycache__ -exec rm -rf {} +

$(DEV): WANTED := .[dev]
$(FIRST): WANTED := .
$(FIRST) $(DEV):
	@$(FIND_PYTHON); $(INSTALL)
	@touch "$@"

define FIND_PYTHON
suits() { "$$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }; \
complete() { "$$1" -c 'import ensurepip, venv' 2>/dev/null; }; \
python=; old=; \
for name in $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11 python3.14 python); do \
  if suits "$$name"; then \
    if complete "$$name"; then python=$$name; break; else old=$$name; fi; \
  fi; \
done; \
if [ -z "$$python" ] && [ -n "$$old" ]; then \
  echo "$$old has no venv module. Install it (Debian and Ubuntu: the package python3-venv) and try again." >&2; exit 1; \
fi; \
if [ -z "$$python" ]; then \
  echo "There is no Python 3.11 or newer here. Install one, or name it: make PYTHON=/path/to/python3 ..." >&2; exit 1; \
fi
endef

define INSTALL
rm -f .venv/.runtime-* .venv/.dev-*; \
suits "$(BIN)/python" || { echo "Making .venv with $$("$$python" --version) ..."; "$$python" -m venv --clear .venv; } || exit 1; \
echo "Installing into .venv ..."; \
"$(BIN)/python" -m pip install -q -c constraints.txt -e '$(WANTED)' || exit 1
endef

define WRITE_ENV
import os, secrets
wanted = {"CROSSLEDGER_SECRET_KEY": 48, "CROSSLEDGER_ADMIN_TOKEN": 32}
lines = [f"{name}={secrets.token_urlsafe(size)}" for name, size in wanted.items() if not os.environ.get(name)]
if lines:
    # The bundled PostgreSQL cannot live below a directory with a space in its name; then it is below HOME.
    if not os.environ.get("CROSSLEDGER_DATA_DIR") and " " not in os.getcwd():
        lines.append("CROSSLEDGER_DATA_DIR=.data")
    with open(os.open(".env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")
    print("Wrote .env with fresh secrets; the admin token is its line CROSSLEDGER_ADMIN_TOKEN. Keep a copy of this file.")
endef
export WRITE_ENV
