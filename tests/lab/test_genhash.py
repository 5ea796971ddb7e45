"""`pyhad --genhash` prints what the real genhash prints, and says so by its exit status when there is no page."""

from __future__ import annotations

import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.tools import needs

PYHAD = Path(sys.executable).with_name("pyhad")
PAGE = bytes(range(256)) * 3 + b"end"


class Page(http.server.BaseHTTPRequestHandler):
    """One page of bytes that cannot all be printed."""

    def do_GET(self) -> None:
        self.wfile.write(b"HTTP/1.0 200 OK\r\nServer: x\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE)

    def log_message(self, *_words: object) -> None:
        """Says nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=20)


@pytest.mark.behaviour("CLI-28")
@needs("genhash", "keepalived")
@pytest.mark.parametrize("options", [(), ("-v",), ("-V", "www.example", "-P", "1.1")])
def test_it_prints_what_genhash_prints(port: int, options: tuple[str, ...]) -> None:
    asked = ("-s", "127.0.0.1", "-p", str(port), "-u", "/page", *options)
    theirs, ours = run("genhash", *asked), run(str(PYHAD), "--genhash", *asked)
    assert (ours.returncode, ours.stderr) == (0, "")
    assert _timeless(ours.stdout) == _timeless(theirs.stdout)


def _timeless(text: str) -> str:
    return re.sub(r"= \d+ usecs", "= N usecs", text)


def test_no_page_is_no_success() -> None:
    done = run(str(PYHAD), "--genhash", "-s", "127.0.0.1", "-p", "1", "-u", "/")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Connection failed" in done.stderr
