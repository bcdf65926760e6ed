#!/bin/sh
# The alerts are well-formed and do what tests/alerts/ says, and Prometheus can read each query of the dashboard.
#
# PROMTOOL names the promtool to use; without it the pinned one is used, which is built the first time.
set -eu
cd "$(dirname "$0")/.."
files=charts/asa-operator/files

promtool=${PROMTOOL:-$("${CARGO:-cargo}" run --quiet --package cluster -- tools promtool)}
queries=$(mktemp)
output=$(mktemp)
trap 'rm -f "$queries" "$output"' EXIT

# promtool tells of each success; only what failed is of interest.
quietly() {
    "$promtool" "$@" >"$output" 2>&1 || { cat "$output" >&2; exit 1; }
}

quietly check rules --lint all --lint-fatal "$files/alerts.yaml"
quietly test rules tests/alerts/*.yaml
python3 tools/lint_dashboard.py "$files/dashboard.json" >"$queries"
quietly check rules "$queries"
