# Every target wraps cargo or a script. `make help` lists them.

.DEFAULT_GOAL := help
.PHONY: help run dev doctor token test test-postgres tools fuzz attack mutants bench bench-http bench-curve bench-validate bench-store bench-limits instructions instructions-renew lint fmt docs openapi openapi-check clients image-sizes pictures clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Serve the API: with .env if there is one, otherwise with the development tenant
	@if [ -f .env ]; then exec cargo run -- serve; else exec cargo run -- serve --dev; fi

dev: ## Serve the API with the development tenant, whatever .env says
	@exec cargo run -- serve --dev

doctor: ## Check the settings, the authority and the database, and say what to fix
	@if [ -f .env ]; then exec cargo run --quiet -- doctor; else exec cargo run --quiet -- doctor --dev; fi

# Set here because AS is make's built-in variable for the assembler.
AS = uma
token: ## Print an access token of the development tenant: make token AS=ada
	@cargo run --quiet -- token --as $(or $(AS),uma)

test: ## Run all tests that this machine can run, and list the skipped ones
	@tests/run

test-postgres: ## Run the tests that need PostgreSQL, which must be installed
	CI=true cargo test --test todo_api -- postgres replicas

tools: ## Install the optional test tools; needs root if Debian packages are missing
	@tests/tools/install

fuzz: ## Fuzz the parsers, guided by coverage, for a minute or SECONDS: make fuzz SECONDS=600
	@crates/poem-entra/fuzz/run $(or $(SECONDS),60)

attack: ## Attack the server for two minutes or SECONDS: make attack SECONDS=600 SEED=7 RELEASE=1
	ATTACK_SECONDS=$(or $(SECONDS),120) ATTACK_SEED=$(or $(SEED),$(shell date +%s)) \
		cargo test $(if $(RELEASE),--release) --test todo_api -- attack:: --nocapture

mutants: ## Check that the tests of poem-entra find mistakes: make mutants SHARD=0/8 FILE=keys
	@SHARD='$(SHARD)' FILE='$(FILE)' crates/poem-entra/mutants/run

# The harness need not be fast. It builds the servers in release mode.
HTTP_BENCH = cargo bench --profile dev --package todo-api --bench http --

bench: ## Compare the speed with other servers; needs wrk: make bench ROUNDS=5 SECONDS=4
	@$(HTTP_BENCH) compare $(or $(ROUNDS),5) $(or $(SECONDS),4)

bench-http: ## Measure only this server; needs wrk: make bench-http ROUNDS=3 SECONDS=3
	@$(HTTP_BENCH) own $(or $(ROUNDS),3) $(or $(SECONDS),3)

bench-curve: ## Measure with more and more connections, tokens and rows; needs wrk
	@$(HTTP_BENCH) curve $(or $(ROUNDS),3) $(or $(SECONDS),3)

bench-validate: ## Measure the cost of validating a token
	cargo bench --package poem-entra --bench validate

bench-store: ## Measure the cost of a page in a small and a large table, and of a large delete-all
	cargo bench --package todo-api --bench store

bench-limits: ## Measure what attackers do to others, and what connections cost: make bench-limits RELEASE=1
	cargo test $(if $(RELEASE),--release) --test todo_api -- floods --nocapture --test-threads=1

COUNT = cargo run --quiet --package instructions --config benches/instructions/profile.toml --

instructions: ## Count instructions with Valgrind, and fail if a count differs from the baseline
	$(COUNT) check

instructions-renew: ## Write the instruction counts to benches/instructions/baseline.txt
	$(COUNT) renew

lint: ## Check the formatting and run the lints; warnings are errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features -- -D warnings
	cargo clippy --package poem-entra --no-default-features -- -D warnings
	cargo clippy --package todo-api --no-default-features -- -D warnings

fmt: ## Format the code
	cargo fmt --all

docs: ## Build the code documentation; warnings are errors
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps

openapi: ## Write openapi/openapi.json from the code
	cargo run --quiet -- openapi --output openapi/openapi.json

openapi-check: ## Fail and show the difference if openapi/openapi.json does not match the code
	cargo run --quiet -- openapi --check --output openapi/openapi.json

clients: ## Generate and compile clients in several languages, in target/clients; needs make tools
	@tests/generated/clients generate $(NAME)

image-sizes: ## Build what the images contain, and fail if the tenant's is 40 MB or larger
	@deploy/image-sizes

pictures: ## Renew the pictures in the README of the development tenant; needs make tools
	CI=true PICTURES=$(CURDIR)/crates/entra-dev/docs cargo test --test todo_api -- pictures_of

clean: ## Remove the build output and the development tenant's files, but not the todos
	cargo clean
	rm -rf data/dev-tenant
