#!/bin/sh
# deny.toml holds: by cargo-deny where it is installed, else its bans and licenses by what cargo itself tells.
set -eu
cd "$(dirname "$0")/.."
if "${CARGO:-cargo}" deny --version >/dev/null 2>&1; then
    exec "${CARGO:-cargo}" deny --workspace check bans licenses sources
fi
exec python3 tools/lint_dependencies.py
