"""Files from the network: asked for once, gone on with where they broke off, and checked."""

import hashlib
import http.client
import os
import urllib.request

from tqdm import tqdm


def fetch(url, path, size, digest):
    """The path of a file of `size` bytes and this sha256, downloaded where it is not there yet.

    What has come so far lies beside it, as PATH.part; the next call asks for the rest only.
    Raises ValueError where the file cannot be had, or is another one.
    """
    part = path.with_name(path.name + ".part")
    try:
        if path.exists():
            check(path, path, digest)
            return path
        download(url, part, size)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ValueError(f"download: got {reason} from {url}; expected {path}") from None
    have = part.stat().st_size
    if have < size:
        got = f"{have:,} of {size:,} bytes"
        raise ValueError(f"download: got {got} from {url}; expected the rest: run it again")
    try:
        check(part, url, digest)
    except ValueError:
        part.unlink()
        raise
    os.replace(part, path)
    return path


def download(url, part, size):
    """Adds to `part` what is missing of the file at url."""
    part.parent.mkdir(parents=True, exist_ok=True)
    have = part.stat().st_size if part.exists() else 0
    if have >= size:
        return
    asked = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        if answer.status != 206:  # not the rest alone, but the whole file from its start
            have = 0
        whole = have + int(answer.headers.get("Content-Length", size - have))
        if whole != size:
            raise ValueError(f"download: got {whole:,} bytes from {url}; expected {size:,}")
        bar = tqdm(total=size, initial=have, unit="B", unit_scale=True, desc=part.stem, delay=0.5)
        with open(part, "ab" if have else "wb") as file, bar:
            while block := answer.read(2**20):
                file.write(block)
                bar.update(len(block))


def check(path, place, digest):
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        got = f"sha256 {found[:12]}… from {place}"
        raise ValueError(f"download: got {got}; expected {digest[:12]}…")
