"""Checks the tree of dependencies against deny.toml where cargo-deny is not installed.

Reads two lists of it, [bans] deny and [licenses] allow, one entry per line; cargo tells the rest.
"""

import os
import re
import subprocess
import sys

CARGO = os.environ.get("CARGO", "cargo")
TREE = ["tree", "--workspace", "--locked", "--target", "all", "--edges", "normal,build,dev", "--prefix", "none"]


def tree():
    """The packages in use on any platform: name, version and license."""
    command = [CARGO, *TREE, "--format", "{p}|{l}|"]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    packages = set()
    for line in filter(None, lines):
        package, license_, _ = line.split("|")
        name, version, *_ = package.split()
        packages.add((name, version, license_))
    return sorted(packages)


def entries(text, section, name):
    """The lines of the list `name` in a section."""
    body = text.split(f"\n[{section}]\n")[1].split("\n[")[0]
    return re.search(rf"^{name} = \[\n(.*?)^\]", body, re.MULTILINE | re.DOTALL).group(1).splitlines()


def is_allowed(expression, allowed):
    """Evaluates an SPDX expression; the old form with a slash means OR."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def either():
        result = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            result |= both()
        return result

    def both():
        result = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            result &= one()
        return result

    def one():
        token = tokens.pop(0)
        if token == "(":
            result = either()
            tokens.pop(0)
            return result
        if tokens and tokens[0] == "WITH":
            tokens.pop(0)
            token += f" WITH {tokens.pop(0)}"
        return token in allowed

    return bool(expression) and either() and not tokens


def main():
    with open("deny.toml", encoding="utf-8") as file:
        text = file.read()
    packages = tree()
    complaints = []
    for line in entries(text, "bans", "deny"):
        ban = re.search(r'crate = "([^"]+)".*reason = "([^"]+)"', line)
        if not ban:
            continue
        versions = [version for name, version, _ in packages if name == ban[1]]
        if len(versions) > ("deny-multiple-versions = true" in line):
            complaints.append(f"{ban[1]} {', '.join(versions)}: {ban[2]} (cargo tree --workspace --invert {ban[1]})")
    allowed = {entry[1] for entry in (re.match(r'\s*"([^"]+)",', line) for line in entries(text, "licenses", "allow")) if entry}
    for name, version, license_ in packages:
        if not is_allowed(license_, allowed):
            complaints.append(f"{name} {version}: license {license_ or 'unknown'} is not in the list of deny.toml")
    if complaints:
        sys.exit("\n".join(complaints))
    print(f"{len(packages)} packages: no banned one, every license allowed")


if __name__ == "__main__":
    main()
