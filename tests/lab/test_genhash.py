"""`pyhad --genhash` prints what the real genhash prints, and says so by its exit status when there is no page."""

from __future__ import annotations

import contextlib
import http.server
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.tools import needs

PYHAD = Path(sys.executable).with_name("pyhad")
PAGE = bytes(range(256)) * 3 + b"end"


class Page(http.server.BaseHTTPRequestHandler):
    """One page of bytes that cannot all be printed, and one that never ends."""

    def do_GET(self) -> None:
        if self.path == "/slow":
            with contextlib.suppress(OSError):
                self.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
                for _ in range(200):
                    self.wfile.write(b"x")
                    time.sleep(0.05)
            return
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
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


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


def test_an_answer_that_trickles_is_not_waited_for(port: int) -> None:
    done = run(str(PYHAD), "--genhash", "-s", "127.0.0.1", "-p", str(port), "-u", "/slow", "-t", "0.5")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "Connection failed: timed out\n")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("-p", "70000"), "a number from 1 to 65535, not 70000"),
        (("-p", "1", "-m", "-1"), "a number from 0 to 2147483647, not -1"),
        (("-p", "1", "-t", "nan"), "seconds above 0, at most 86400, not nan"),
    ],
)
def test_what_cannot_be_is_refused_by_name(options: tuple[str, ...], complaint: str) -> None:
    done = run(str(PYHAD), "--genhash", "-s", "127.0.0.1", "-u", "/", *options)
    assert done.returncode == 2
    assert complaint in done.stderr


def test_a_name_that_tls_does_not_take_is_an_error(port: int) -> None:
    done = run(str(PYHAD), "--genhash", "-s", "127.0.0.1", "-p", str(port), "-u", "/", "-S", "-I", "-V", "a..b")
    assert done.returncode == 1
    assert done.stderr.startswith("Connection failed: ")
    assert "Traceback" not in done.stderr
