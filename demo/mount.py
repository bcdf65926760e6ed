"""The kubelet's part: keeps the entries of a Secret as files, as in a volume of a pod.

    python3 mount.py SECRET FOLDER LOG       until SIGTERM, or until the API server ends

All files change at once: each is a link into `..data`, which is a link to the newest version. LOG gets a line for every
version, the moment at which its token was issued.
"""

import base64
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys


def versions(secret):
    """The Secret as it is and as it becomes, by kubectl's watch: one JSON document after another."""
    command = ["kubectl", "get", "secrets", f"--field-selector=metadata.name={secret}", "--watch", "--output=json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as kubectl:
        signal.signal(signal.SIGTERM, lambda *_: kubectl.terminate())
        document = ""
        for line in kubectl.stdout:
            document += line
            if line.rstrip() == "}":  # the only brace in the first column
                yield json.loads(document)
                document = ""


def mount(secret, folder):
    """Writes a version beside the present one and swaps the link, which no reader can see half done."""
    version = folder / f"..{secret['metadata']['resourceVersion']}"
    version.mkdir(mode=0o700, exist_ok=True)
    for name, value in secret["data"].items():
        (version / name).write_bytes(base64.b64decode(value))
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(pathlib.Path("..data", name))
    current = folder / "..data"
    previous = current.resolve() if current.is_symlink() else None
    (folder / "..next").symlink_to(version.name)
    os.replace(folder / "..next", current)
    # A reader may still hold the version before; the one before that goes.
    for old in folder.glob("..[0-9]*"):
        if old.name != version.name and old.resolve() != previous:
            shutil.rmtree(old)


def main(name, folder, log):
    folder = pathlib.Path(folder)
    folder.mkdir(mode=0o700)
    with open(log, "w", encoding="ascii") as lines:
        for secret in versions(name):
            mount(secret, folder)
            print(base64.b64decode(secret["data"]["issued_at"]).decode(), file=lines, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
