import hashlib
import threading
from http.server import HTTPServer

import pytest

from model.services import download
from tests.services.test_download import CONTENT, DIGEST, SIZE, Server


def test_insist(tmp_path):
    """Write insist(url, path, size, digest, tries) in model/services/download.py: what fetch does,
    but a download that breaks off is gone on with by itself. After `tries` calls of fetch that did
    not bring the file, the ValueError of the last one is raised.
    """
    assert hasattr(download, "insist"), "model/services/download.py has no insist yet"
    handler = type("Handler", (Server,), {"asked": [], "most": 100_000})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url, path = f"http://127.0.0.1:{server.server_port}/file", tmp_path / "file"
        try:
            with pytest.raises(ValueError, match="got 200,000 of 256,000 bytes"):
                download.insist(url, path, SIZE, DIGEST, 2)
            assert download.insist(url, path, SIZE, DIGEST, 2).read_bytes() == CONTENT
            assert handler.asked == [None, "bytes=100000-", "bytes=200000-"]
            other = hashlib.sha256(b"another file").hexdigest()
            with pytest.raises(ValueError, match="got sha256"):
                download.insist(url, tmp_path / "other", SIZE, other, 3)
        finally:
            server.shutdown()
    assert not (tmp_path / "other").exists()
