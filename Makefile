# Tidegate. `make demo` and `make test` do all their set-up; everything else assumes that one of them has run, or `make setup`.
SHELL := /bin/bash
SWIFT ?= swift

.PHONY: help setup setup-tests build demo test unit dist bench allocations accuracy format lint sanitize clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## installs the system packages that the build needs, where they are missing
	@scripts/setup build

setup-tests: setup
	@scripts/setup tests

build: setup ## the release build that demo, tests and benchmarks share: .build/release/tidegate
	@scripts/build

demo: setup ## the story on an embedded Kafka cluster and a private Redis; ONCE=1 runs it unattended and exits 0 or 1
	@scripts/setup demo
	@scripts/build --product tidegate
	@.build/release/tidegate demo $(if $(filter 1,$(ONCE)),--once)

test: setup-tests build ## everything: unit tests, real clients, Redis, a real Kafka where there is one
	@scripts/test $(FILTER)

unit: build ## the tests that need no server
	@scripts/test unit

dist: setup ## .build-dist/tidegate: for machines without Swift
	@scripts/dist

bench: setup dist ## figures of codecs, relay, masking, Kafka and Redis
	@scripts/setup bench
	@scripts/bench

allocations: setup ## whether what must not allocate does not: the codec benchmarks, in seconds
	@scripts/setup bench
	@scripts/bench allocations

accuracy: setup ## recall and precision of the detectors, beside Presidio's on the same texts; OPTIONS="--split tuning --misses 3"
	@scripts/setup accuracy
	@scripts/build --product tidegate
	@.build-accuracy/bin/python Benchmarks/accuracy $(OPTIONS)

format: ## rewrites the sources in the house's format
	@$(SWIFT) format --in-place --recursive --parallel --configuration .swift-format $$(scripts/sources)

lint: ## the format, and what reviews would otherwise look for
	@scripts/lint

sanitize: setup ## unit tests under the address and the thread sanitizer
	@scripts/sanitize

clean: ## removes every build folder
	rm -rf .build .build-*
