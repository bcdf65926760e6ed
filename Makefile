# The few commands of this repository. `make` alone lists them; each says itself what it lacks.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
export CARGO ?= cargo

.PHONY: help
help: ## List these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Watch a credential's life on a real API server: half a minute once built
	@tools/require.sh demo
	@programs=$$(tools/build.sh build --workspace --bins) && tools/control-plane.sh "$$programs" && exec demo/run.sh "$$programs"

# A credential's life once more as the chart's ServiceAccount of `rbac.secrets: get`.
.PHONY: test
test: ## Run all tests, those against a real API server too
	@tools/require.sh test
	@programs=$$(tools/build.sh test --workspace --no-run) && tools/control-plane.sh "$$programs" && "$$programs/cluster" tools promtool >/dev/null
	$(CARGO) test --workspace
	ASA_OPERATOR_TEST_SECRETS=get $(CARGO) test --test life

.PHONY: image
image: ## Build the container image TAG=asa-operator:dev, with docker, podman or buildah
	@tools/require.sh image
	tools/image.sh $(or $(TAG),asa-operator:dev)

# Twice, from two copies in different folders, which takes two builds of several minutes.
.PHONY: image-reproducible
image-reproducible: ## Show that two builds of the last commit's image are the same bytes
	@tools/require.sh image
	tools/image-reproducible.sh

.PHONY: e2e
e2e: ## Install on a real node, renew, crash ten times, uninstall: as root, a quarter of an hour
	@tools/e2e.sh --crashes 10 --ends 10

.PHONY: e2e-quick
e2e-quick: ## The same with one crash: as root, ten minutes
	@tools/e2e.sh --crashes 1 --ends 1

.PHONY: bench
bench: ## Measure a fleet of credentials on a real API server: a quarter of an hour
	@tools/require.sh test
	$(CARGO) bench --bench fleet

.PHONY: fuzz
fuzz: ## Try arbitrary keys, answers and states, TIME=60 seconds for each or one TARGET
	@tools/require.sh fuzz
	tools/fuzz.sh $(or $(TIME),60) $(TARGET)

.PHONY: generate
generate: ## Write what is generated: crds/, the chart's copy, its table of values
	yaml=$$($(CARGO) run --quiet --bin asa-operator -- crd) && echo "$$yaml" > crds/asa-operator.dev.yaml
	cp crds/asa-operator.dev.yaml charts/asa-operator/files/crds/
	python3 tools/chart_readme.py

.PHONY: lint
lint: lint-files lint-charts lint-format lint-dependencies lint-alerts lint-clippy lint-docs lint-generated ## Check form, lints, docs, licenses, chart, alerts and generated files

.PHONY: lint-files
lint-files:
	@tools/require.sh lint
	tools/lint-files.sh

.PHONY: lint-charts
lint-charts:
	@tools/require.sh lint
	tools/lint-charts.sh

.PHONY: lint-format
lint-format:
	$(CARGO) fmt --all --check

.PHONY: lint-dependencies
lint-dependencies:
	tools/lint-dependencies.sh

# PROMTOOL=promtool takes one that is there.
.PHONY: lint-alerts
lint-alerts:
	tools/lint-alerts.sh

.PHONY: lint-clippy
lint-clippy:
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

# These docs are for those who work here, so private items are shown and may be linked.
.PHONY: lint-docs
lint-docs:
	RUSTDOCFLAGS='-D warnings -A rustdoc::private-intra-doc-links' $(CARGO) doc --workspace --no-deps --document-private-items --locked

# By the program that the tests use too, which saves building it a second time with other features.
.PHONY: lint-generated
lint-generated:
	@programs=$$(tools/build.sh test --workspace --no-run --locked) || exit 1; \
	"$$programs/asa-operator" crd | diff crds/asa-operator.dev.yaml - \
		|| { echo 'crds/ is stale: run make generate' >&2; exit 1; }
