import hashlib
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from model.download import fetch
from model.gpt2 import FILES, find

ROOT = Path(__file__).parent.parent
CONTENT = bytes(range(256)) * 1000
SIZE, DIGEST = len(CONTENT), hashlib.sha256(CONTENT).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Serves `content`, at most `most` bytes a call, from where it is asked to if `ranges`, and
    says how much there is if `tells`.
    """

    content, most, ranges, tells, asked = CONTENT, SIZE, True, True, []

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.asked.append(wanted)
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and self.ranges else 0
        self.send_response(206 if start else 200)
        if self.tells:
            self.send_header("Content-Length", str(len(self.content) - start))
        self.end_headers()
        self.wfile.write(self.content[start : start + self.most])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    """(address, the class whose attributes say how it behaves)"""
    handler = type("Handler", (Server,), {"asked": []})
    with HTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/file", handler
        running.shutdown()


def test_downloaded_once(server, tmp_path):
    url, handler = server
    path = tmp_path / "new/file"
    assert fetch(url, path, SIZE, DIGEST) == fetch(url, path, SIZE, DIGEST) == path
    assert path.read_bytes() == CONTENT and handler.asked == [None]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("ranges", [True, False])
def test_goes_on_where_it_broke_off(server, tmp_path, ranges):
    """A server that knows no Range sends the whole file again."""
    url, handler = server
    handler.most, path = 100_000, tmp_path / "file"
    with pytest.raises(ValueError, match=r"download: got .* from http"):
        fetch(url, path, SIZE, DIGEST)
    part = tmp_path / "file.part"
    assert not path.exists() and part.read_bytes() == CONTENT[:100_000]
    handler.most, handler.ranges = SIZE, ranges
    assert fetch(url, path, SIZE, DIGEST).read_bytes() == CONTENT
    assert handler.asked == [None, "bytes=100000-"] and not part.exists()


def test_a_server_that_does_not_say_how_much_there_is(server, tmp_path):
    url, handler = server
    handler.tells, path = False, tmp_path / "file"
    assert fetch(url, path, SIZE, DIGEST).read_bytes() == CONTENT
    handler.content = b"please log in"
    with pytest.raises(ValueError, match="got 13 of 256,000 bytes from"):
        fetch(url, tmp_path / "other", SIZE, DIGEST)


def test_a_folder_in_the_place_of_the_file(tmp_path):
    with pytest.raises(ValueError, match=r"download: got .*Is a directory"):
        fetch("http://127.0.0.1:1/", tmp_path, SIZE, DIGEST)


def test_all_files_of_gpt2_into_one_folder(server, tmp_path, monkeypatch):
    """Here all three are the same file."""
    url, handler = server
    monkeypatch.setattr("model.gpt2.FILES", dict.fromkeys(FILES, (SIZE, DIGEST)))
    folder = find("gpt2", url.removesuffix("file"), tmp_path / "gpt2")
    assert {path.name for path in folder.iterdir()} == set(FILES) and len(handler.asked) == 3
    assert find("gpt2", "http://127.0.0.1:1/", folder) == folder


def test_another_file_is_not_kept(server, tmp_path):
    url, handler = server
    handler.content = CONTENT[::-1]
    with pytest.raises(ValueError, match=r"download: got sha256 \w{12}… from http.*; expected"):
        fetch(url, tmp_path / "file", SIZE, DIGEST)
    handler.content = b"please log in"
    with pytest.raises(ValueError, match=r"download: got 13 bytes from http.*; expected 256,000"):
        fetch(url, tmp_path / "file", SIZE, DIGEST)
    assert list(tmp_path.iterdir()) == []


def test_a_file_put_there_by_hand_is_checked_and_left_alone(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"download: got sha256 \w{12}… from .*file; expected"):
        fetch("http://127.0.0.1:1/", path, SIZE, DIGEST)
    assert path.read_bytes() == b"mine"


def test_without_a_network_one_line_says_what_belongs_where(tmp_path):
    with pytest.raises(ValueError) as caught:
        find("gpt2", "http://127.0.0.1:1/", tmp_path / "gpt2")
    assert str(caught.value).startswith("download: got ") and "\n" not in str(caught.value)
    for name in FILES:
        assert name in str(caught.value)
    assert str(caught.value).endswith(f"belong into {tmp_path}/gpt2")


def test_weights_of_a_folder_need_no_network(tmp_path):
    assert find(str(tmp_path)) == tmp_path
    command = [sys.executable, "-m", "model.sample", "--weights", "nowhere"]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "at nowhere/merges.txt; expected GPT-2's merges.txt" in done.stderr
