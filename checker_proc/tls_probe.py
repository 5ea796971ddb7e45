"""SSL_GET: as HTTP_GET, through TLS (CHK-26). The handshake is a step of its own with a deadline of its own.

Nothing here waits: TLS says whether it wants to read or to write, and the loop calls when it can. No certificate is
verified; a close without close_notify is the end of the response, or a failure where `tls_compliant` is asked for.
"""

from __future__ import annotations

import socket
import ssl

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.deadlines import Deadlines
from pyhad.checker_proc.http_probe import READ_BYTES, HttpProbe
from pyhad.checker_proc.probe import Owner
from pyhad.checker_proc.sockets import begin_connect
from pyhad.common.config.model import HttpUrl, Target
from pyhad.common.loop import READ, WRITE, Loop


class TlsProbe(HttpProbe):
    """One request under way. It holds one descriptor until it is done."""

    __slots__ = ("_context", "_is_shaken", "_tls")

    def __init__(
        self,
        loop: Loop,
        deadlines: Deadlines,
        owner: Owner,
        sock: socket.socket,
        request: bytes,
        url: HttpUrl,
        context: ssl.SSLContext,
    ) -> None:
        super().__init__(loop, deadlines, owner, sock, request, url)
        self._context = context
        self._is_shaken = False
        self._tls: ssl.SSLSocket

    def _writable(self, _events: int) -> None:
        if not self._connected():
            return
        self._loop.unwatch(self._socket.fileno())  # from here it is TLS's, which closes it if it cannot begin
        try:
            self._tls = self._context.wrap_socket(
                self._socket,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
                server_hostname=self._url.sni or None,
            )
        except ssl.SSLError as error:  # it spoke and closed before we did
            self._tls_failed(error)
            return
        except OSError as error:
            self._fail(error.errno or 0)
            return
        self._socket = self._tls
        self._advance(0)

    def _advance(self, _events: int) -> None:
        """Go on where we are: handshake, request, response."""
        try:
            if not self._is_shaken:
                self._tls.do_handshake()
                self._is_shaken = True
                self._deadlines.add(self, self._timeout_ns, self._loop.now_ns())
            while self._unsent:
                self._unsent = self._unsent[self._tls.send(self._unsent) :]
            self._receive()
        except ssl.SSLWantReadError:
            self._loop.watch(self._socket.fileno(), self._advance, READ)
        except ssl.SSLWantWriteError:
            self._loop.watch(self._socket.fileno(), self._advance, WRITE)
        except ssl.SSLError as error:
            self._tls_failed(error)
        except OSError as error:
            self._fail(error.errno or 0)

    def _receive(self) -> None:
        """One record per turn is all that OpenSSL takes from the socket; the rest waits there for the next turn."""
        while True:
            data = self._tls.recv(READ_BYTES)
            if data and not self._reader.feed(data):
                if self._tls.pending():
                    continue
                self._loop.watch(self._socket.fileno(), self._advance, READ)
                return
            if not data:
                self._reader.end()
            self._conclude()
            return

    def _tls_failed(self, error: ssl.SSLError) -> None:
        if self._is_shaken and self._unsent:
            error = self._last_word(error)
        reason = _reason_of(error, is_shaken=self._is_shaken)
        if reason is Reason.TLS_TRUNCATED and not (self._unsent or self._url.tls_compliant):
            self._reader.end()
            self._conclude()
            return
        self._finish(ProbeFailed(reason=reason, latency_ns=self._loop.now_ns() - self._started_ns))

    def _last_word(self, error: ssl.SSLError) -> ssl.SSLError:
        """Who closes before our request came often said why (TLS 1.3 refuses a client only after the handshake)."""
        try:
            self._tls.recv(1)
        except ssl.SSLError as said:
            return said
        except OSError:  # nothing more to learn
            pass
        return error


def _reason_of(error: ssl.SSLError, *, is_shaken: bool) -> Reason:
    said = error.reason or ""
    if "ALERT" in said:
        return Reason.TLS_ALERT
    if not is_shaken:
        return Reason.TLS_HANDSHAKE
    if isinstance(error, ssl.SSLEOFError) or said == "UNEXPECTED_EOF_WHILE_READING":
        return Reason.TLS_TRUNCATED
    return Reason.TLS_BROKEN


def start(
    loop: Loop,
    deadlines: Deadlines,
    target: Target,
    request: bytes,
    url: HttpUrl,
    context: ssl.SSLContext,
    owner: Owner,
    now_ns: int,
) -> TlsProbe | ProbeFailed | ProbeImpossible:
    """Begin to connect and ask. A result instead of a probe is the end."""
    sock = begin_connect(target)
    if not isinstance(sock, socket.socket):
        return sock
    probe = TlsProbe(loop, deadlines, owner, sock, request, url, context)
    probe.begin(now_ns, target.connect_timeout_ns)
    return probe
