.PHONY: setup run quick test faults check lock docs pictures bench

SAMPLE ?= 25
PROCESSES ?= 2

setup: .venv/ready

# Everything a checkout needs: the virtual environment from the hash-pinned lock, and RabbitMQ if AMQP_URI names none.
.venv/ready: requirements/dev.txt pyproject.toml scripts/setup
	scripts/setup

run: setup
	.venv/bin/leeward up --sample $(SAMPLE)

# A file's tests stay together; two files at a time, because they wait for brokers more than they reckon.
test: setup
	.venv/bin/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

# Rules, contracts and structure, on SQLite alone: no broker, no browser and no network. What takes long there too is left
# to `make test`: long stories in every order, every text in both languages, and the commands as processes.
UNHURRIED = billing/test_orders.py notifications/test_reaching.py notifications/test_templates.py \
	notifications/test_any_order.py notifications/test_introductions.py notifications/test_known_bounces.py \
	matching/test_on_hold.py matching/test_waiting.py matching/test_locations.py intake/test_retention_in_any_order.py \
	evaluation/test_any_order.py commands demo test_what_commands_are_given.py test_nobody_in_silence.py
quick: setup
	.venv/bin/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder \
		-k "not postgresql" $(UNHURRIED:%=--ignore tests/unit/%) --ignore tests/contracts/test_limits.py \
		tests/unit tests/contracts tests/system/test_structure.py

# Every fault of the list on both stores, in about ten minutes, into docs/faults.md.
faults: setup
	.venv/bin/python -m tests.faults

# What CI checks besides the tests.
check: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python -m contracts.generate --check
	.venv/bin/python -m web.site.catalogue --check
	.venv/bin/python -m leeward.subject_access.catalogue --check
	.venv/bin/python -m services.intake.diagram --check

# The published language's documents, generated from contracts/, the life of a referral, and the catalogues of the site and of what somebody is told is held.
docs: setup
	.venv/bin/python -m contracts.generate
	.venv/bin/python -m services.intake.diagram
	.venv/bin/python -m web.site.catalogue
	.venv/bin/python -m leeward.subject_access.catalogue

# The pictures of the staff's console in the README, taken anew with what is invented in tests/console/pictures.py.
pictures: setup
	.venv/bin/python -m tests.console.pictures docs/pictures

# The peers, in a virtual environment of their own: they share nothing with ours but the interpreter.
.venv-bench/ready: bench/requirements.txt
	.venv/bin/python -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bench/requirements.txt
	touch .venv-bench/ready

# Measures everything beside the peers and writes docs/benchmarks.md; some twenty-five minutes alone on two cores.
# BENCH="--only throughput --rounds 3" measures some of it.
bench: setup .venv-bench/ready
	.venv/bin/python -m bench run $(BENCH)

lock:
	scripts/lock
