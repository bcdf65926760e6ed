#!/bin/sh
# Installs the chart on a real node and lives through its life. Arguments go to the program, see `e2e --help`.
set -eu
cd "$(dirname "$0")/.."
tools/require.sh e2e
programs=$(tools/build.sh build --workspace --bins)
tools/control-plane.sh "$programs"
exec "$programs/e2e" --fake-apple "$programs/fake-apple" "$@"
