"""An SMTP server that wants STARTTLS and a login: `python -m tests.lab.mail_server ADDRESS CERT KEY FILE`.

Port 25. Each mail is appended to FILE: who logged in and whether it was in TLS, a line each, then the mail itself.
"""

from __future__ import annotations

import signal
import ssl
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


class Keeper:
    """Keeps what comes."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        """One mail."""
        head = f"login {session.auth_data}\ntls {session.ssl is not None}\nto {' '.join(envelope.rcpt_tos)}\n"
        with self._file.open("ab") as file:
            file.write(head.encode() + envelope.content + b"\n")
        return "250 kept"


def _login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword) -> AuthResult:
    good = (data.login, data.password) == (b"director", b"very secret")
    return AuthResult(success=good, auth_data=data.login.decode() if good else None, handled=False)


def main() -> None:
    """Serve until somebody ends it."""
    address, certificate, key, file = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    controller = Controller(
        Keeper(Path(file)), hostname=address, port=25, tls_context=context, require_starttls=True,
        authenticator=_login, auth_required=True,
    )  # fmt: skip
    controller.start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    controller.stop()


if __name__ == "__main__":
    main()
