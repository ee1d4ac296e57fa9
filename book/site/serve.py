"""Shows the web book on this machine: python3 book/site/serve.py [PORT]

Listens on the loopback address only, where no other machine reaches it. Ctrl-C ends it.
"""

import functools
import re
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from common import ROOT, Problem, run_program  # noqa: E402

PORT = 8000
POLICY = re.compile(r'"Content-Security-Policy" content="([^"]+)"')


class Handler(SimpleHTTPRequestHandler):
    """Sends the files of site/, each with the policy that the front page carries."""

    policy = "default-src 'none'"

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript",
        ".js": "text/javascript",
        ".wasm": "application/wasm",
    }

    def end_headers(self):
        self.send_header("Content-Security-Policy", self.policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *words):
        """Says nothing of what is read."""


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A reader who has gone to another page meanwhile is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def server(folder, port):
    if not (folder / "index.html").exists():
        raise Problem(f"there is no {folder / 'index.html'}; expected one made by make book")
    Handler.policy = POLICY.search((folder / "index.html").read_text())[1]
    return Server(("127.0.0.1", port), functools.partial(Handler, directory=str(folder)))


def main(words):
    word = words[0] if words else str(PORT)
    if len(words) > 1 or not word.isdecimal() or not 0 <= int(word) < 65536:
        raise Problem(f"got {' '.join(words)!r}; expected a port such as {PORT}")
    with server(ROOT / "site", int(word)) as http:
        print(f"http://127.0.0.1:{http.server_port}/  (Ctrl-C ends it)", flush=True)
        http.serve_forever()


if __name__ == "__main__":
    run_program(main)
