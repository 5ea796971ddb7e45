"""Mail through TLS: the relay's certificate is verified, and a password goes out after that only."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")

SEND = """
import sys
from pyhad.common.config.model.alerts import MailSecurity, MailSettings
from pyhad.common.scripts.mail import send
from pyhad.common.scripts.orders import Mail
settings = MailSettings(
    host="localhost", port=int(sys.argv[1]), security=MailSecurity(sys.argv[2]), sender="k@example.org", helo="node",
    recipients=("a@example.org",), user="user", password="secret", timeout_ns=5_000_000_000,
)
print(send(settings, [Mail(subject="s", body="b", at_s=0)]))
"""


class Relay:
    """Offers STARTTLS, or is in TLS from the first byte, and wants a login."""

    def __init__(self, folder: Path, *, wrapped: bool) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "cert", folder / "key")
        self.wrapped = wrapped
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.said: list[tuple[bool, str]] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        try:
            connection = self.listener.accept()[0]
            if self.wrapped:
                connection = self.context.wrap_socket(connection, server_side=True)
            connection.sendall(b"220 relay\r\n")
            self._dialogue(connection)
        except OSError:
            return

    def _dialogue(self, connection: socket.socket) -> None:
        with contextlib.ExitStack() as open_ones:
            self._talk(connection, open_ones)

    def _talk(self, connection: socket.socket, open_ones: contextlib.ExitStack) -> None:
        open_ones.callback(lambda: connection.close())
        while line := connection.recv(65536).decode():
            self.said.append((isinstance(connection, ssl.SSLSocket), line.strip()))
            word = line[:8].upper()
            if word.startswith("EHLO"):
                connection.sendall(b"250-relay\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n")
            elif word == "STARTTLS":
                connection.sendall(b"220 go\r\n")
                connection = self.context.wrap_socket(connection, server_side=True)
            elif word.startswith("AUTH"):
                connection.sendall(b"235 welcome\r\n")
            elif word.startswith("DATA"):
                connection.sendall(b"354 go on\r\n")
            elif word.startswith("QUIT"):
                connection.sendall(b"221 bye\r\n")
                return
            else:
                connection.sendall(b"250 yes\r\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(tmp_path / "key"),
         "-out", str(tmp_path / "cert")],
        check=True, capture_output=True,
    )  # fmt: skip
    return tmp_path


def send(relay: Relay, security: str, trusted: Path | None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SSL_CERT_FILE": str(trusted) if trusted is not None else "/dev/null"}
    command = [sys.executable, "-c", SEND, str(relay.port), security]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_goes_through_tls_with_a_login(folder: Path, security: str) -> None:
    relay = Relay(folder, wrapped=security == "tls")
    done = send(relay, security, folder / "cert")
    assert done.stdout == "[]\n", done.stderr
    login = f"AUTH PLAIN {base64.b64encode(chr(0).join(('', 'user', 'secret')).encode()).decode()}"
    assert (True, login) in relay.said
    assert [word for secure, word in relay.said if not secure] == (
        [] if security == "tls" else ["ehlo node", "STARTTLS"]
    )
    relay.listener.close()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_relay_that_nobody_vouches_for_gets_neither_mail_nor_password(folder: Path, security: str) -> None:
    relay = Relay(folder, wrapped=security == "tls")
    done = send(relay, security, None)
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr
    assert [word for secure, word in relay.said if secure] == []
    relay.listener.close()
