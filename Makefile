# Balint: two commands to know are `make run` and `make test`.

.DEFAULT_GOAL := help
.PHONY: help run stop test check check-format check-lint check-types check-templates \
	check-imports check-migrations chromium bench bench-live confidentiality reminder-faults screenshots \
	messages lock clean venv-embedded venv-dev
.NOTPARALLEL: run test

PY := .venv/bin/python
# Checks and tests need no server and no secret to read the settings.
TEST_PY := BALINT_MODE=test $(PY)
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

# The first Python that is new enough, as $$python in a recipe.
FIND_PYTHON = python=; for name in python3 python3.14 python3.13 python3.12 python3.11; do \
		if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
		then python=$$name; break; fi; done

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: venv-embedded ## Start everything, with a demo; PORT=8000 unless set; Ctrl-C stops it
	@exec $(PY) -m balint.embedded

stop: ## Stop what `make run` started in another terminal
	@if [ -x $(PY) ]; then $(PY) -m balint.embedded stop; fi

test: venv-dev chromium check ## Every check and every test
	@$(PY) -m pytest -n 2

check: venv-dev ## Format, lint, types, templates, imports, migrations
	@$(MAKE) --no-print-directory --keep-going -j 2 $(SYNC) check-types check-format check-lint \
		check-templates check-imports check-migrations

check-format:
	@$(PY) -m ruff format --check --quiet . || { echo "Type: $(PY) -m ruff format ."; exit 1; }

check-lint:
	@$(PY) -m ruff check --quiet .

check-types:
	@$(TEST_PY) -m mypy

check-templates:
	@find templates */templates -name '*.html' 2>/dev/null | xargs .venv/bin/djade --check

check-imports:
	@$(TEST_PY) -c 'from importlinter.cli import lint_imports_command as lint; lint()' --no-logo

check-migrations:
	@$(TEST_PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

chromium: venv-dev
	@$(PY) -m tests.chromium

bench: venv-dev ## Figures, as JSON lines
	@$(PY) -m bench

bench-live: venv-dev ## 10,000 screens of 1,000 rooms on one process, as JSON lines; under 10 minutes
	@$(PY) -m bench.live

confidentiality: venv-dev chromium ## The proofs of confidentiality, as JSON lines; under 30 minutes
	@$(TEST_PY) -m tests.confidentiality

reminder-faults: venv-dev ## Reminders under 300 kills and failing servers, as JSON lines; under 15 minutes
	@$(TEST_PY) -m tests.reminder_faults

screenshots: venv-dev chromium ## The pictures of the README, from a running demo
	@$(PY) -m docs.screenshots

messages: venv-dev ## Collect the strings to translate, and compile the translations
	@$(PY) -m babel.messages.frontend --quiet extract --mapping-file=babel.cfg \
		--keyword=pgettext:1c,2 --keyword=ngettext:1,2 --keyword=npgettext:1c,2,3 \
		--keyword=gettext_lazy --keyword=ngettext_lazy:1,2 --keyword=pgettext_lazy:1c,2 \
		--add-comments=Translators --sort-by-file --no-location --omit-header \
		--output-file=locale/django.pot .
	@if ls locale/*/LC_MESSAGES/django.po >/dev/null 2>&1; then \
		$(PY) -m babel.messages.frontend --quiet update --domain=django \
			--input-file=locale/django.pot --output-dir=locale --ignore-pot-creation-date && \
		$(PY) -m babel.messages.frontend --quiet compile --domain=django --directory=locale; \
	else echo "Collected into locale/django.pot; there is no translation yet."; fi

COMPILE = $(PY) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml

lock: venv-dev ## Newest allowed versions into requirements/, with hashes
	@$(COMPILE) --extra dev --output-file requirements/dev.txt
	@$(COMPILE) --constraint requirements/dev.txt --extra embedded --output-file requirements/embedded.txt
	@$(COMPILE) --constraint requirements/dev.txt --output-file requirements/base.txt

clean: ## Stop, and remove all that was made here
	@if [ -x $(PY) ]; then python=$(PY); else $(FIND_PYTHON); fi; \
	if [ -n "$$python" ]; then "$$python" -m balint.embedded clean; fi
	@rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment; a lock is installed again only when it changed.
venv-embedded venv-dev: venv-%:
	@if ! $(PY) -c '' 2>/dev/null; then \
		$(FIND_PYTHON); \
		if [ -z "$$python" ]; then \
			echo "Balint needs Python 3.11 or newer, and found none. Please install it."; exit 1; \
		fi; \
		echo "Making .venv with $$($$python --version) …"; \
		"$$python" -m venv --clear .venv || { \
			echo "This Python lacks its venv module; on Debian and Ubuntu type:"; \
			echo "  sudo apt-get install -y python3-venv"; exit 1; }; \
	fi
	@lock=$$(cksum < requirements/$*.txt); \
	if [ "$$(cat .venv/lock-$* 2>/dev/null)" != "$$lock" ]; then \
		echo "Installing what Balint needs, as locked in requirements/$*.txt …"; \
		rm -f .venv/lock-$*; \
		{ $(PY) -m pip install --disable-pip-version-check --no-input --require-hashes \
			--requirement requirements/$*.txt && echo "$$lock" > .venv/lock-$*; } \
			| awk '/^Collecting/ { print "  " $$2; fflush() } /^Installing/ { print "  and puts it in place …"; fflush() }'; \
		[ -f .venv/lock-$* ] || exit 1; \
	fi
