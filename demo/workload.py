"""A workload: calls both Ads APIs in turn, ten times a second, and reads the Secret's files anew for each call.

    python3 workload.py FOLDER APPLE         for example: workload.py token http://127.0.0.1:8090

Prints "CALLS REFUSED TOKENS" after every tenth call and at each new token, until SIGTERM; then once more, and SECONDS.
"""

import itertools
import pathlib
import signal
import sys
import time

import ads

PERIOD = 0.1


class Stopped(Exception):
    """SIGTERM came."""


def stop(*_):
    raise Stopped


def main(folder, apple):
    apis = itertools.cycle([
        ("x_ap_context_org", f"{apple}/api/v5/campaigns"),
        ("x_ap_context_ad_account", f"{apple}/v1/campaigns"),
    ])
    calls, refused, tokens = 0, 0, set()
    signal.signal(signal.SIGTERM, stop)
    start = time.monotonic()
    try:
        for number, (context, url) in enumerate(apis):
            time.sleep(max(0.0, start + number * PERIOD - time.monotonic()))
            try:
                status, _ = ads.call(folder, context, url)
            except OSError:
                status = None
            calls, refused = calls + 1, refused + (status != 200)
            known = len(tokens)
            tokens.add(pathlib.Path(folder, "access_token").read_text(encoding="ascii"))
            if len(tokens) > known or calls % 10 == 0:
                print(calls, refused, len(tokens), flush=True)
    except Stopped:
        print(calls, refused, len(tokens), round(time.monotonic() - start, 1), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
