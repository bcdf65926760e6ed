#!/bin/sh
# The chart: its generated files are fresh, helm finds nothing in it, and what it renders to fits the schemas of each Kubernetes
# that it is for. helm and the schemas come by themselves, pinned, into the user's cache.
set -eu
cd "$(dirname "$0")/.."
chart=charts/asa-operator
helm=$(python3 tools/fetched.py helm)
programs=$(python3 tools/fetched.py lint)
rendered=$(mktemp -d)
trap 'rm -rf "$rendered"' EXIT
trap 'exit 130' INT

python3 tools/chart_readme.py --check
cmp crds/asa-operator.dev.yaml "$chart/files/crds/asa-operator.dev.yaml" \
    || { echo "$chart/files/crds is stale: run make generate" >&2; exit 1; }

# As it comes, with everything on, and with everything on in two namespaces where Secrets may not be watched.
everything="--values tests/chart/everything.yaml"
render() {
    file=$1
    shift
    "$helm" lint --strict --quiet "$chart" "$@" >&2
    "$helm" template lint "$chart" "$@" >"$rendered/$file.yaml"
}
render defaults
# shellcheck disable=SC2086 # Two words.
render everything $everything
# shellcheck disable=SC2086
render namespaces $everything --set 'rbac.namespaces={a,b}' --set rbac.secrets=get

# Says nothing of the kinds of the Prometheus operator, whose schemas are not Kubernetes'.
for version in 1.33 1.34 1.35 1.36; do
    "$programs/kubernetes-validate" --kubernetes-version "$version" --strict --quiet --no-warn "$rendered"/*.yaml
done
