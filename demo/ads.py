"""Calls an API of Apple's with nothing but the files of a mounted Secret.

    python3 ads.py FOLDER CONTEXT URL        for example: ads.py token x_ap_context_org https://…/campaigns

CONTEXT is the file with the header X-AP-Context; '' for App Store Connect, which takes none.
"""

import pathlib
import sys
import urllib.error
import urllib.request

# Past any proxy of the environment: the demo talks to loopback addresses only.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_SECONDS = 5


def call(folder, context, url):
    """Reads the headers from their files and sends a GET. Returns status and body."""
    entry = lambda name: pathlib.Path(folder, name).read_text(encoding="ascii")
    headers = {"Authorization": entry("authorization")}
    if context:
        headers["X-AP-Context"] = entry(context)
    try:
        with _OPENER.open(urllib.request.Request(url, headers=headers), timeout=_SECONDS) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


if __name__ == "__main__":
    status, body = call(*sys.argv[1:])
    print(body)
    sys.exit(status != 200)
