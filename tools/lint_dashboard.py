"""Checks the shape of a Grafana dashboard, and prints its queries as rules that promtool can check.

What Grafana puts in for its variables is put in here too. A rule file may be JSON.
"""

import json
import sys

VARIABLES = {"$__rate_interval": "5m", "$__range": "3h", "$namespace": "marketing"}
COLUMNS = 24


def complaints(dashboard):
    """What Grafana would bear in silence."""
    names = {variable["name"] for variable in dashboard["templating"]["list"]}
    if not {"datasource", "namespace"} <= names:
        yield f"the variables are {sorted(names)}"
    if "id" in dashboard:
        yield "an id belongs to one Grafana"
    taken = {}
    ids = [panel["id"] for panel in dashboard["panels"]]
    if len(set(ids)) != len(ids):
        yield "two panels have the same id"
    for panel in dashboard["panels"]:
        title, place = panel["title"], panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                other = taken.setdefault((x, y), title)
                if x >= COLUMNS or other is not title:
                    yield f"{title} lies over {other}, or beyond the edge"
                    break
        if panel["type"] == "row":
            continue
        if not panel.get("description") or not panel["targets"]:
            yield f"{title} has no description or no query"
        for part in [panel, *panel["targets"]]:
            if part["datasource"] != {"type": "prometheus", "uid": "${datasource}"}:
                yield f"{title} asks a data source of its own"
        if len({target["refId"] for target in panel["targets"]}) != len(panel["targets"]):
            yield f"two queries of {title} have the same refId"


def queries(dashboard):
    """Each query as Prometheus gets it."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            query = target["expr"]
            for variable, value in VARIABLES.items():
                query = query.replace(variable, value)
            if "$" in query:
                sys.exit(f"{panel['title']}: unknown variable in {query}")
            yield query


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        dashboard = json.load(file)
    found = list(complaints(dashboard))
    if found:
        sys.exit("\n".join(found))
    rules = [{"record": f"query_{number}", "expr": query} for number, query in enumerate(queries(dashboard))]
    json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, sys.stdout)


if __name__ == "__main__":
    main()
