import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from model import sample
from model.gpt2 import FILES, find
from model.services.download import fetch
from tests.model.test_windows import answering

__all__ = ["answering"]  # a fixture
ROOT = Path(__file__).parents[2]
CONTENT = bytes(range(256)) * 1000
SIZE, DIGEST = len(CONTENT), hashlib.sha256(CONTENT).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Serves `content`, at most `most` bytes a call, from where it is asked to if `ranges`, and
    says how much there is if `tells`, after a `pause` in seconds.
    """

    content, most, ranges, tells, asked, pause = CONTENT, SIZE, True, True, [], 0

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.asked.append(wanted)
        time.sleep(self.pause)
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
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
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
    with pytest.raises(ValueError, match=r"download: got a link, folder or pipe at "):
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


def three_at_once(url, path, digest=DIGEST):
    """What three programs get that want the same file."""

    def one(_):
        try:
            return fetch(url, path, SIZE, digest).read_bytes()
        except ValueError as error:
            return str(error)

    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(one, range(3)))


def test_of_three_at_once_one_downloads_and_the_others_wait(server, tmp_path, capfd):
    url, handler = server
    handler.pause = 0.3
    assert three_at_once(url, tmp_path / "file") == [CONTENT] * 3
    assert handler.asked == [None] and [path.name for path in tmp_path.iterdir()] == ["file"]
    waiting = f"waiting for the program that downloads {tmp_path}/file.part"
    assert capfd.readouterr().err.count(waiting) in (1, 2)  # who comes late finds the file


def test_who_waited_goes_on_where_another_one_broke_off(server, tmp_path):
    url, handler = server
    handler.pause, handler.most = 0.3, 100_000
    found = three_at_once(url, tmp_path / "file")
    assert handler.asked == [None, "bytes=100000-", "bytes=200000-"]
    assert found.count(CONTENT) == 1 and (tmp_path / "file").read_bytes() == CONTENT
    assert sum("expected the rest: run it again" in str(got) for got in found) == 2


def test_three_at_once_leave_nothing_of_another_file(server, tmp_path):
    url, handler = server
    handler.pause, handler.content = 0.1, CONTENT[::-1]
    found = three_at_once(url, tmp_path / "file")
    assert all(got.startswith("download: got sha256 ") for got in found)
    assert handler.asked == [None] * 3 and list(tmp_path.iterdir()) == []


def answer(head, body=b"<h1>please log in</h1>"):
    return f"HTTP/1.0 {head}".replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    "content, message",
    [
        (answer("200 OK\nContent-Type: text/html"), "got status 200, 'text/html', length ''"),
        (answer("200 OK\nContent-Type: text/html\nContent-Length: 665"), "'text/html'"),
        (answer("206 OK\nContent-Type: text/html"), "got status 206, 'text/html', length ''"),
        (answer("200 OK\nContent-Type: text/plain"), "got status 200, 'text/plain', length ''"),
        (answer("200 OK\nContent-Length: 13"), "got 13 bytes"),
        (answer("206 OK\nContent-Length: 666"), "got 966 bytes"),
        (answer("200 OK\nContent-Length: -1"), "length '-1'"),
        (answer("200 OK\nContent-Length: x\x1b[31m"), r"length 'x\x1b[31m'"),
        (answer("204 No Content\nContent-Length: 665"), "got status 204"),
        (answer("404 Not Found"), "got Not Found from"),
        (answer("404 \x1b[31mRed"), r"got no HTTP, but '\x1b[31mRed', from"),
        (answer("302 Found\nLocation: /runs"), "would lead to an infinite loop."),
        (b"", "Remote end closed connection without response"),
        (b"SSH-2.0-OpenSSH\x1b[31m\r\n", r"got no HTTP, but 'SSH-2.0-OpenSSH\x1b[31m', from"),
        (b"HTTP/1.0 200 OK\r\n" + b"a" * 100_000, "got no HTTP, but "),
        (b"\x00" * 100_000, "got no HTTP, but "),
    ],
)
def test_an_answer_that_is_not_the_file_gets_one_line_and_costs_nothing(
    answering, tmp_path, monkeypatch, capsys, content, message
):
    """300 bytes of config.json are there already, and stay."""
    url, part = answering(content), tmp_path / "runs/gpt2/config.json.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"{" * 300)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(find, "__defaults__", (url, Path("runs/gpt2")))
    monkeypatch.setattr(sys, "argv", ["sample", "--weights", "gpt2"])
    with pytest.raises(SystemExit) as ended:
        sample.main()
    out, err = capsys.readouterr()
    assert (ended.value.code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("sample: download: got ") and err[:-1].isprintable()
    assert message in err and "belong into runs/gpt2" in err
    assert part.read_bytes() == b"{" * 300 and list(part.parent.iterdir()) == [part]


def test_no_more_is_read_than_the_file_has(answering, tmp_path):
    url = answering(answer("200 OK", b"and so on " * 2_000_000))
    with pytest.raises(ValueError, match="got sha256"):
        fetch(url, tmp_path / "file", SIZE, DIGEST)
    for _ in range(100):
        if answering.broken:
            break
        time.sleep(0.1)
    assert answering.broken == 1 and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: os.symlink("mine", path)])
@pytest.mark.parametrize("name", ["file", "file.part"])
def test_what_is_no_file_is_neither_waited_for_nor_written_to(server, tmp_path, name, make):
    url, handler = server
    (tmp_path / "mine").write_bytes(b"mine")
    make(tmp_path / name)
    if name == "file" and (tmp_path / name).is_symlink():
        message = "got sha256"  # a link to the file is as good as the file
    else:
        message = "got a link, folder or pipe at "
    with pytest.raises(ValueError, match=message):
        fetch(url, tmp_path / "file", SIZE, DIGEST)
    assert handler.asked == [] and (tmp_path / "mine").read_bytes() == b"mine"
    assert {path.name for path in tmp_path.iterdir()} == {"mine", name}
