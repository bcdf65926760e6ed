#!/bin/sh
# Runs `cargo "$@"`, which builds programs, and prints the folder that they are in, wherever cargo is configured to put it.
# cargo's own words go to standard error.
set -eu
messages=$(mktemp)
trap 'rm -f "$messages"' EXIT
trap 'exit 130' INT
"${CARGO:-cargo}" "$@" --message-format=json-render-diagnostics >"$messages"
python3 - "$messages" <<'END'
import json, os, sys
with open(sys.argv[1], encoding="utf-8") as lines:
    built = [message for message in map(json.loads, lines) if message.get("executable")]
folders = {os.path.dirname(m["executable"]) for m in built if m["target"]["kind"] == ["bin"] and not m["profile"]["test"]}
print(*folders, sep="\n")
END
