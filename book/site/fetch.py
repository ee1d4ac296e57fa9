"""Fetches what others made, in fixed versions: packages of npm by npm, wheels by pip.

They are kept in .git/stepgrad, so that the next build needs no network.
"""

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from common import Problem, cache, last_line

# name: (version, sha512 as npm writes it)
NPM = {
    "pyodide": (
        "314.0.7",
        "0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A==",
    ),
    "axe-core": (
        "4.14.1",
        "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    ),
}
WHEELS = Path(__file__).resolve().parent / "wheels.txt"
SECONDS = 300
PAUSES = (3, 10)  # seconds before another try


def run(command, folder):
    """Runs a package client, and again where it fails; raises Problem with its last line."""
    for pause in (*PAUSES, None):
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except FileNotFoundError:
            raise Problem(f"{command[0]} is not installed; expected it on the PATH") from None
        except subprocess.TimeoutExpired:
            raise Problem(f"{command[0]} took more than {SECONDS} s; expected a download") from None
        if not done.returncode:
            return
        if pause is None:
            raise Problem(f"{command[0]}: {last_line(done.stdout, done.stderr)}")
        time.sleep(pause)


def package(name, root):
    """The folder of an unpacked npm package."""
    version, checksum = NPM[name]
    place = cache(root) / f"{name}-{version}"
    if not place.exists():
        with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
            run(["npm", "pack", "--silent", f"{name}@{version}"], scratch)
            (archive,) = Path(scratch).glob("*.tgz")
            found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
            if found != checksum:
                raise Problem(f"{name}: got sha512 {found[:12]}…; expected {checksum[:12]}…")
            with tarfile.open(archive) as tar:
                tar.extractall(scratch, filter="data")
            shutil.move(f"{scratch}/package", place)
    return place


def wheels(root):
    """The wheels that wheels.txt lists with their checksums."""
    name = f"wheels-{hashlib.sha256(WHEELS.read_bytes()).hexdigest()[:12]}"
    place = cache(root) / name
    if not place.exists():
        with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes"]
            run([*pip, "--only-binary", ":all:", "-d", "wheels", "-r", str(WHEELS)], scratch)
            shutil.move(f"{scratch}/wheels", place)
    return sorted(place.glob("*.whl"))
