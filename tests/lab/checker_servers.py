"""Real servers for the checker to ask, each a process of its own, and what all tests with them expect."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.lab.checker_stand_in import Director

TLS = Path(__file__).parents[1] / "data" / "tls"


def expect(director: Director, said: dict[str, tuple[bool, str]]) -> None:
    """All verdicts come to be so, and the log names the same reasons."""
    for name, one in said.items():
        director.until(lambda name=name, one=one: director.verdicts and director.says(name) == one)
    down = {name: reason for name, (up, reason) in said.items() if not up}
    director.until(lambda: down.keys() <= {line["server"] for line in director.lines("check_failed")})
    assert {line["server"]: line["reason"] for line in director.lines("check_failed")} == down
    assert director.is_alive()


@contextlib.contextmanager
def running(*command: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def until_open(port: int) -> None:
    for _ in range(2000):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.1):
            return
        threading.Event().wait(0.02)
    raise AssertionError(f"nothing listens at {port}")


NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  ssl_certificate {folder}/tls/server.pem; ssl_certificate_key {folder}/tls/server.key;
  {servers}
}}
"""


@contextlib.contextmanager
def nginx(folder: Path, servers: str, *ports: int) -> Iterator[None]:
    """One nginx with these `server` blocks; what is in tests/data/tls lies in `{folder}/tls`."""
    shutil.copytree(TLS, folder / "tls", dirs_exist_ok=True)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, servers=servers))
    with running("nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")):
        for port in ports:
            until_open(port)
        yield
