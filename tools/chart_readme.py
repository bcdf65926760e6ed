"""Writes the table of values into the chart's README, between the two marks there; with --check only compares.

Reads values.yaml as it is written there: a comment of whole lines above each key, and each leaf's value on the key's line.
A value without a comment is an error.
"""

import re
import sys

CHART = "charts/asa-operator"
MARKS = ("<!-- values: written by make generate -->\n", "<!-- end of values -->\n")
LINE = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z]+):(?: (?P<value>.+))?$")


def rows(lines):
    """Path, value and comment of each leaf."""
    path, comment = [], []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith("#"):
            comment.append(text[1:].strip())
            continue
        if text:
            found = LINE.match(line)
            if not found:
                sys.exit(f"{CHART}/values.yaml:{number}: not `key:` or `key: value`: {text}")
            path = [*path[: len(found["indent"]) // 2], found["key"]]
            if found["value"]:
                if not comment:
                    sys.exit(f"{CHART}/values.yaml:{number}: {'.'.join(path)} has no comment")
                yield ".".join(path), found["value"], " ".join(comment)
        comment = []


def table(lines):
    """The rows as Markdown."""
    yield "| value | default | what it says |\n| --- | --- | --- |\n"
    for path, value, comment in rows(lines):
        cells = (f"`{path}`", f"`{value}`", comment)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def main():
    with open(f"{CHART}/values.yaml", encoding="utf-8") as file:
        wanted = "".join(table(file.read().splitlines()))
    with open(f"{CHART}/README.md", encoding="utf-8") as file:
        readme = file.read()
    before, rest = readme.split(MARKS[0])
    _, after = rest.split(MARKS[1])
    written = before + MARKS[0] + "\n" + wanted + "\n" + MARKS[1] + after
    if sys.argv[1:] == ["--check"]:
        if written != readme:
            sys.exit(f"{CHART}/README.md is stale: run make generate")
    else:
        with open(f"{CHART}/README.md", "w", encoding="utf-8") as file:
            file.write(written)


if __name__ == "__main__":
    main()
