"""Apple's side of the demo, by the control endpoint of fake-apple.

    python3 apple.py upload KEY APPLE        register a public key for the AsaCredential on standard input (JSON), beside others
    python3 apple.py remove KEY_ID APPLE     take a key away
    python3 apple.py api-key KEY APPLE       likewise for the AppStoreConnectCredential on standard input, a team key
    python3 apple.py revoke KEY_ID APPLE     revoke that one
    python3 apple.py tokens APPLE            how many tokens were issued
    python3 apple.py refusals APPLE          why requests were refused, which the real one keeps to itself
    python3 apple.py bill TOKENS APPLE       what was asked, as a table; fails unless TOKENS tokens cost what is promised
"""

import json
import pathlib
import sys
import urllib.request

# Past any proxy of the environment: the demo talks to loopback addresses only.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# The account, as its pages at Apple would show it. Tokens live for seconds, so that renewals can be watched.
ACCOUNT = {
    "platformOrgId": 40669820,
    "parentOrgId": 40669820,
    "organizations": [{"orgId": 40669821, "orgName": "Acme", "parentOrgId": 40669820}],
    "adAccounts": [{"id": 9001, "name": "Acme Europe"}],
    "tokenLifeSeconds": 12,
}


def control(apple, what, document=None, method=None):
    """GET, or POST or another method with a document."""
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(f"{apple}/control/{what}", body, method=method)
    with _OPENER.open(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def upload(key, apple):
    spec = json.load(sys.stdin)["spec"]
    known = [client for client in control(apple, "clients") if client["clientId"] == spec["clientId"]]
    keys = [{"keyId": spec["keyId"], "publicKey": pathlib.Path(key).read_text(encoding="ascii")}]
    keys += [key for client in known for key in client["keys"]]
    control(apple, "clients", {"clientId": spec["clientId"], "teamId": spec["teamId"], "keys": keys, **ACCOUNT})
    for name in ("clientId", "teamId", "keyId"):
        print(f"{name:<8} {spec[name]}")


def remove(key_id, apple):
    (client,) = control(apple, "clients")
    left = [key for key in client["keys"] if key["keyId"] != key_id]
    if len(left) == len(client["keys"]):
        sys.exit(f"there is no key {key_id}")
    control(apple, "clients", {**client, "keys": left})


def api_key(key, apple):
    spec = json.load(sys.stdin)["spec"]
    ids = {name: spec[name] for name in ("keyId", "issuerId")}
    control(apple, "api-keys", {**ids, "publicKey": pathlib.Path(key).read_text(encoding="ascii")})
    for name, value in ids.items():
        print(f"{name:<8} {value}")


def revoke(key_id, apple):
    control(apple, f"api-keys/app-store/{key_id}/standing", "revoked", "PUT")


def counts(apple):
    """Requests by endpoint and status."""
    return {(row["endpoint"], row["status"]): row["requests"] for row in control(apple, "counts")}


def tokens(apple):
    print(counts(apple).get(("token", 200), 0))


def refusals(apple):
    for refusal in control(apple, "refusals"):
        print(json.dumps(refusal))


# What is refused in this story: half of a change of key, and a revoked key's question and call.
REFUSED = {("token", 400), ("apps", 401), ("ci-products", 401)}


def bill(published, apple):
    asked = counts(apple)
    for (endpoint, status), requests in asked.items():
        print(f"{endpoint:<13} {status}  {requests:>4}")
    published = int(published)
    promised = {
        "a POST for each token": asked.get(("token", 200)) == published,
        "a GET that proves each token": asked.get(("me-v1", 200)) == published,
        "one question each for organizations and ad accounts": asked.get(("acls-v5", 200)) == asked.get(("acls-v1", 200)) == 1,
        "one refusal, of the change that was half done": asked.get(("token", 400)) == 1,
        "one question about the API key, and one after it was revoked": asked.get(("apps", 200)) == asked.get(("apps", 401)) == 1,
        "no other refusal": all(status == 200 for endpoint, status in asked if (endpoint, status) not in REFUSED),
    }
    broken = [promise for promise, kept in promised.items() if not kept]
    sys.exit(f"{published} tokens were published, but Apple did not see: {', '.join(broken)}" if broken else 0)


COMMANDS = {
    "upload": upload, "remove": remove, "api-key": api_key, "revoke": revoke, "tokens": tokens, "refusals": refusals, "bill": bill,
}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
