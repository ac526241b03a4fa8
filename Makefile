# `make run` and `make test` do everything on a fresh machine: they install what is missing, then build, then run.
# CI runs `make test` too, and a check alone has its own name: `make clippy`, `make e2e` and so on.

CARGO_HOME ?= $(HOME)/.cargo
# The site takes wasm-bindgen and wasm-opt from PATH, so the versions of this project have to come first.
export PATH := $(CURDIR)/end2end/node_modules/.bin:$(CARGO_HOME)/bin:$(PATH)

STEP := .ci/step
WASM := --locked --lib --no-default-features --features hydrate --target wasm32-unknown-unknown
CHECKS := format types wasm-guard deny clippy clippy-wasm unit it it-postgres build compat schemathesis e2e bench-page bench-start

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run build test fmt bench bench-uniform faults fuzz screenshots tools-build tools-test tools-bench tools-fuzz $(CHECKS)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build config.toml ## Build everything and serve on http://localhost:8000
	@exec target/release/mediamanager-auth

build: tools-build ## Build the release program and its site
	@.ci/build

config.toml:
	@.ci/write-config

test: tools-test $(CHECKS) ## Everything CI runs, fast checks first
	@echo "All checks passed."

fmt: ## Format the Rust code
	cargo fmt
	cargo fmt --manifest-path fuzz/Cargo.toml

tools-build:
	@.ci/tools build

tools-test:
	@.ci/tools test

tools-fuzz:
	@.ci/tools fuzz

tools-bench:
	@.ci/tools bench

format: ## Is the Rust code formatted?
	@$(STEP) "format" cargo fmt --check
	@$(STEP) "format of the fuzz targets" cargo fmt --manifest-path fuzz/Cargo.toml --check

types: ## Do the browser tests type-check, and are the scripts sound?
	@$(STEP) "types of the browser tests" npm --prefix end2end run --silent types
	@$(STEP) "shell scripts" .ci/if-there shellcheck $(filter-out %.mjs,$(wildcard .ci/*))

wasm-guard: ## Is the browser's side free of server code?
	@$(STEP) "no server code in the browser" .ci/wasm-guard

deny: ## Licences, advisories and sources of the dependencies
	@$(STEP) "dependencies" .ci/if-there cargo-deny check

clippy: ## Lints of the server's side
	@$(STEP) "clippy, server" cargo clippy --locked --all-targets -- -D warnings

clippy-wasm: ## Lints of the browser's side
	@$(STEP) "clippy, browser" cargo clippy $(WASM) -- -D warnings

unit: ## Unit tests
	@$(STEP) "unit tests" cargo test --locked --lib --bins

it: ## Integration tests on SQLite
	@$(STEP) "integration tests on SQLite" env -u TEST_POSTGRES_URL cargo test --locked --test it

it-postgres: ## Integration tests on a PostgreSQL of their own
	@$(STEP) "integration tests on PostgreSQL" .ci/with-postgres cargo test --locked --test it

compat: build ## Does MediaManager's own library live with us on one database?
	@$(STEP) "together with MediaManager" .ci/with-postgres .ci/with-python tests/mediamanager/requirements.txt python tests/mediamanager/check.py

schemathesis: build ## Does whatever can be made up from the OpenAPI description get an answer that is in it?
	@$(STEP) "requests from the description" .ci/with-python tests/schemathesis/requirements.txt python tests/schemathesis/check.py

e2e: build ## Browser tests, with and without script
	@$(STEP) "browser tests" npm --prefix end2end test --silent

bench-page: build ## Bytes, requests and first paint of the login page, with their budgets
	@$(STEP) "size of the login page" npm --prefix end2end run --silent bench-page

bench-start: build ## Time and memory of a start, with their goals
	@$(STEP) "start of the program" npm --prefix end2end run --silent bench-start

bench: tools-bench build ## What functions cost and what the server bears, with their bars. Takes ten minutes of a quiet machine
	@$(STEP) "release build of the bare server" cargo build --release --locked --example bare
	@$(STEP) "functions" cargo bench --locked --bench functions
	@$(STEP) "server under load" .ci/with-postgres npm --prefix end2end run --silent bench-load

bench-uniform: build ## Does an answer take as long whoever has the address? Takes two minutes of a quiet machine
	@$(STEP) "time of answers" npm --prefix end2end run --silent bench-uniform

faults: build ## Is anything lost or revived when the program is killed 200 times under load? Takes four minutes
	@$(STEP) "kills under load" .ci/with-postgres env PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1 python3 tests/faults/kill.py

fuzz: tools-fuzz ## Look for inputs that break a rule of tests/it/properties, a minute for each parser; not in CI
	@.ci/fuzz

screenshots: build ## Pictures of every page, in end2end/screenshots
	@npm --prefix end2end run --silent screenshots
