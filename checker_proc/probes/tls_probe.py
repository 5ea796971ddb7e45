"""SSL_GET: as HTTP_GET, through TLS (CHK-26). The handshake is a step of its own with a deadline of its own.

Nothing here waits: TLS says whether it wants to read or to write, and the loop calls when it can. No certificate is
verified; a close without close_notify is the end of the response, or a failure where `tls_compliant` is asked for.
"""

from __future__ import annotations

import socket
import ssl

from pyhad.checker_proc.core.certificate import end_of_validity_s
from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible, ProbeSucceeded
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes.deadlines import Deadlines
from pyhad.checker_proc.probes.exchange import Exchange
from pyhad.checker_proc.probes.http_probe import READ_BYTES, HttpProbe
from pyhad.checker_proc.probes.probe import Owner
from pyhad.checker_proc.probes.sockets import begin_connect
from pyhad.common.config.model import Target
from pyhad.common.loop import READ, WRITE, Loop
from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsManner:
    """How TLS is spoken."""

    context: ssl.SSLContext
    sni: str = ""
    """Name sent in the handshake; empty: none is."""
    is_compliant: bool = False
    """An end of the connection without close_notify is a failure."""
    needs_http2: bool = False
    """The context offers HTTP/2 by ALPN, and the server has to choose it (RFC 9113 3.3)."""


class TlsProbe(HttpProbe):
    """One exchange under way. It holds one descriptor until it is done."""

    __slots__ = ("_certificate_until_s", "_is_shaken", "_manner", "_tls")

    def __init__(
        self,
        loop: Loop,
        deadlines: Deadlines,
        owner: Owner,
        sock: socket.socket,
        exchange: Exchange,
        manner: TlsManner,
    ) -> None:
        super().__init__(loop, deadlines, owner, sock, exchange)
        self._manner = manner
        self._is_shaken = False
        self._certificate_until_s = 0
        self._tls: ssl.SSLSocket

    def _writable(self, events: int) -> None:
        if not self._connected(events):
            return
        self._loop.unwatch(self._socket.fileno())  # from here it is TLS's, which closes it if it cannot begin
        try:
            self._tls = self._manner.context.wrap_socket(
                self._socket,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
                server_hostname=self._manner.sni or None,
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
                if not self._shaken():
                    return
            while True:
                while self._unsent:
                    self._unsent = self._unsent[self._tls.send(self._unsent) :]
                self._receive()
                if self.is_done or not self._unsent:
                    return
        except ssl.SSLWantReadError:
            self._loop.watch(self._socket.fileno(), self._advance, READ)
        except ssl.SSLWantWriteError:
            self._loop.watch(self._socket.fileno(), self._advance, WRITE)
        except ssl.SSLError as error:
            self._tls_failed(error)
        except OSError as error:
            self._fail(error.errno or 0)

    def _shaken(self) -> bool:
        """The handshake is done; the next step has its own deadline. False when it did not bring what is needed."""
        self._is_shaken = True
        now_ns = self._loop.now_ns()
        if self._manner.needs_http2 and self._tls.selected_alpn_protocol() != "h2":
            self._finish(ProbeFailed(reason=Reason.HTTP2_NOT_OFFERED, latency_ns=now_ns - self._started_ns))
            return False
        certificate = self._tls.getpeercert(binary_form=True)  # asked now: after an error it is not to be had
        self._certificate_until_s = end_of_validity_s(certificate) if certificate else 0
        self._deadlines.add(self, self._timeout_ns, now_ns)
        return True

    def _receive(self) -> None:
        """One record per turn is all that OpenSSL takes from the socket; the rest waits there for the next turn."""
        exchange = self._exchange
        while True:
            data = self._tls.recv(READ_BYTES)
            if data and not exchange.feed(data):
                self._unsent = exchange.to_send()
                if self._unsent:  # it may wait for this before it says more
                    return
                if self._tls.pending():
                    continue
                self._loop.watch(self._socket.fileno(), self._advance, READ)
                return
            if not data:
                exchange.end()
            self._conclude()
            return

    def _success(self, latency_ns: int) -> ProbeSucceeded:
        return ProbeSucceeded(
            latency_ns=latency_ns, remark=self._exchange.remark, certificate_until_s=self._certificate_until_s
        )

    def _tls_failed(self, error: ssl.SSLError) -> None:
        if self._is_shaken and self._unsent:
            error = self._last_word(error)
        reason = _reason_of(error, is_shaken=self._is_shaken)
        if reason is Reason.TLS_TRUNCATED and not (self._unsent or self._manner.is_compliant):
            self._exchange.end()
            self._conclude()
            return
        latency_ns, detail = self._loop.now_ns() - self._started_ns, (error.reason or "").lower()
        self._finish(ProbeFailed(reason=reason, latency_ns=latency_ns, detail=detail))

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
    said = error.reason or str(error).upper().replace(" ", "_")  # it has no name for each, but a text
    if "NO_APPLICATION_PROTOCOL" in said:  # RFC 7301 3.2; only asked for where HTTP/2 is needed
        return Reason.HTTP2_NOT_OFFERED
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
    exchange: Exchange,
    manner: TlsManner,
    owner: Owner,
    now_ns: int,
) -> TlsProbe | ProbeFailed | ProbeImpossible:
    """Begin to connect and ask. A result instead of a probe is the end."""
    sock = begin_connect(target)
    if not isinstance(sock, socket.socket):
        return sock
    probe = TlsProbe(loop, deadlines, owner, sock, exchange, manner)
    probe.begin(now_ns, target.connect_timeout_ns)
    return probe
