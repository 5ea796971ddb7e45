# The menu. No logic here beyond calling tools; `make demo` and `make test` set everything up by themselves.
PYTHON = .venv/bin/python

.PHONY: bench-failover bench-vrrp demo test check lint types imports unit sim house lab vm setup setup-run install uninstall clean

demo: setup-run
	@$(PYTHON) -m demo

test: export PYHAD_TESTS_COMPLETE = 1
test: setup check lab vm

check: setup lint types imports house unit sim

lint: setup
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .

types: setup
	.venv/bin/mypy
	.venv/bin/pyright

imports: setup
	.venv/bin/lint-imports

house unit sim: setup
	$(PYTHON) -m pytest -q tests/$@

lab: setup
	$(PYTHON) -m tests.second_try -q -n 3 --dist loadfile --no-loadscope-reorder tests/lab

vm: setup
	tests/vm/run

setup:
	@tools/setup test

setup-run:
	@tools/setup run

# On this machine, for good, with its systemd unit; nothing is started.
install:
	@tools/install

uninstall:
	@tools/install --remove

# Faults of pyhad and keepalived side by side, JOBS pairs of nodes at a time; half an hour.
bench-failover: setup
	@$(PYTHON) -m bench.failover --runs $(or $(RUNS),10) --jobs $(or $(JOBS),6)

# VRRP beside keepalived: CPU per advert, lateness, memory, start, take-over; a quarter of an hour.
bench-vrrp: setup
	@$(PYTHON) -m bench.vrrp --rounds $(or $(ROUNDS),1)

clean:
	rm -rf .venv .cache build dist *.egg-info
