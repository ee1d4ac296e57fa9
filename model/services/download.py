"""Files from the network: asked for once, gone on with where they broke off, and checked."""

import fcntl
import hashlib
import http.client
import os
import sys
import urllib.request
from contextlib import contextmanager

from tqdm import tqdm


def fetch(url, path, size, digest):
    """The path of a file of `size` bytes and this sha256, downloaded where it is not there yet.

    What has come so far lies beside it, as PATH.part; the next call asks for the rest only.
    Raises ValueError where the file cannot be had, or is another one.
    """
    part = path.with_name(path.name + ".part")
    for place in (path, part):
        if part.is_symlink() or (place.exists() and not place.is_file()):
            raise ValueError(f"download: got a link, folder or pipe at {place}; expected a file")
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with alone(part) as file:
                if not path.exists():  # or else another program has brought it
                    download(url, file, size)
                    try:
                        check(file, url, digest)
                    except ValueError:
                        file.truncate(0)
                        raise
                    os.replace(part, path)
                    return path
        with open(path, "rb") as file:
            check(file, path, digest)
    except (OSError, http.client.HTTPException) as error:
        got = " ".join(str(getattr(error, "reason", error)).split())
        if isinstance(error, http.client.HTTPException) or not got.isprintable():
            got = f"no HTTP, but {got[:60]!r},"
        raise ValueError(f"download: got {got} from {url}; expected {path}") from None
    return path


@contextmanager
def alone(part):
    """The file at `part`, while no other program has it. An empty one is not left behind."""
    while True:
        with open(part, "ab+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"waiting for the program that downloads {part}", file=sys.stderr)
                fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_nlink == 0:
                continue  # it was removed while we waited
            try:
                yield file
            finally:
                if os.fstat(file.fileno()).st_size == 0:
                    part.unlink()
            return


def download(url, file, size):
    """Adds to a file what is missing of the one at url. Raises ValueError where not all comes."""
    have = file.seek(0, os.SEEK_END)
    if have < size:
        asked = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
        with urllib.request.urlopen(asked, timeout=30) as answer:
            take(answer, url, file, have, size)
        have = file.tell()
    if have < size:
        got = f"{have:,} of {size:,} bytes"
        raise ValueError(f"download: got {got} from {url}; expected the rest: run it again")


def take(answer, url, file, have, size):
    """Adds an answer to the `have` bytes of a file, or begins it anew, if that is what came."""
    start = have if answer.status == 206 else 0  # the rest alone, or the whole file
    length, kind = answer.headers.get("Content-Length", ""), answer.headers.get_content_type()
    whole = start + int(length) if length.isdecimal() else size
    if whole != size:
        raise ValueError(f"download: got {whole:,} bytes from {url}; expected {size:,}")
    # A page that asks to log in must not replace what is here; nor may what has no length.
    unsure = start < have and not length.isdecimal()
    if answer.status not in (200, 206) or kind == "text/html" or unsure:
        got = f"status {answer.status}, {kind!r}, length {length!r}"
        raise ValueError(f"download: got {got} from {url}; expected what {file.name} lacks")
    if start < have:
        file.truncate(file.seek(0))
    name = url.split("/")[-1]
    with tqdm(total=size, initial=start, unit="B", unit_scale=True, desc=name, delay=0.5) as bar:
        # One byte more than there should be tells that it is another file.
        while block := answer.read(min(2**20, size + 1 - file.tell())):
            file.write(block)
            bar.update(len(block))


def check(file, place, digest):
    """Raises ValueError where an open file has another sha256."""
    file.seek(0)
    found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        got = f"sha256 {found[:12]}… from {place}"
        raise ValueError(f"download: got {got}; expected {digest[:12]}…")
