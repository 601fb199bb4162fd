# Every target wraps cargo or a script. `make help` lists them.

.DEFAULT_GOAL := help
.PHONY: help run dev token test test-postgres tools fuzz bench bench-store bench-http lint fmt docs openapi openapi-check clean

help: ## Explain the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Serve the API: with .env where there is one, otherwise with the development tenant
	@if [ -f .env ]; then exec cargo run -- serve; else exec cargo run -- serve --dev; fi

dev: ## Serve the API with the development tenant, whatever .env says
	@exec cargo run -- serve --dev

# Set here, since make knows AS as the assembler.
AS = uma
token: ## Print an access token of the development tenant: make token AS=ada
	@cargo run --quiet -- token --as $(or $(AS),uma)

test: ## Run all tests that this machine can run, and list those it cannot
	@tests/run

test-postgres: ## Run the tests that need PostgreSQL, which must be there
	CI=true cargo test --test todo_api -- postgres replicas

tools: ## Install what the tests with a browser, Node, Python, PostgreSQL or nginx need (as root: Debian packages too)
	@tests/tools/install

fuzz: ## Fuzz the parsers for a minute, coverage leading the way: make fuzz SECONDS=600
	@crates/poem-entra/fuzz/run $(or $(SECONDS),60)

bench: ## Measure what a token costs
	cargo bench --package poem-entra --bench validate

bench-store: ## Measure what a page costs in a small and in a large table, and a large delete-all
	cargo bench --package todo-api --bench store

bench-http: ## Measure requests on SQLite and PostgreSQL, with wrk: make bench-http SECONDS=5
	cargo build --release --bin todo-api
	benches/http target/release/todo-api $(or $(SECONDS),5)

lint: ## Check the format and the code, warnings denied
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features -- -D warnings
	cargo clippy --package poem-entra --no-default-features -- -D warnings

fmt: ## Format the code
	cargo fmt --all

docs: ## Build the documentation of the code, warnings denied
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps

openapi: ## Write openapi/openapi.json from the code
	cargo run --quiet -- openapi --output openapi/openapi.json

openapi-check: ## Fail, and show the difference, when openapi/openapi.json is not what the code says
	cargo run --quiet -- openapi --check --output openapi/openapi.json

clean: ## Remove what was built, and the data of the development tenant
	cargo clean
	rm -rf data
