# The verbs. Each is a script of its own; read it to see what it does.
# They need Rust; what else a verb misses it installs by package name.
# Knobs are environment variables, named at the top of each script.

SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup run test vm lint package bench fuzz soak clean

help:
	@echo 'make setup   install what the other verbs need'
	@echo 'make run     build, start a broker and show it at work; Ctrl-C ends it'
	@echo 'make test    every test: units, model, whole system, fuzz corpus, real kernels, make run'
	@echo 'make vm      boot real kernels and run what tests/vm/boots lists in them (TEST=6.1/reading for one)'
	@echo 'make lint    format, clippy, documentation, licences, scripts, units, man pages'
	@echo 'make package build the Debian packages: target/package/streamem*.deb'
	@echo 'make bench   measure, beside other ways to pass frames on'
	@echo 'make fuzz    look for inputs that break a parser (SECONDS_EACH=60)'
	@echo 'make soak    a broker and ten consumers for an hour: is anything lost, does anything grow? (HOURS=1)'
	@echo 'make clean   remove what was built'

setup:
	scripts/setup.sh build worker run test lint

run:
	scripts/setup.sh build
	scripts/run.sh

test:
	scripts/setup.sh build test
	scripts/test.sh

vm:
	scripts/setup.sh build vm
	scripts/vm.sh $(TEST)

lint:
	scripts/setup.sh build lint
	scripts/lint.sh

package:
	scripts/setup.sh build package
	scripts/package.sh

bench:
	scripts/setup.sh build bench
	scripts/bench.sh

fuzz:
	scripts/setup.sh build fuzz
	scripts/fuzz.sh

soak:
	scripts/setup.sh build
	scripts/soak.sh

clean:
	cargo clean
	rm -rf tests/bench/target tests/fuzz/target
