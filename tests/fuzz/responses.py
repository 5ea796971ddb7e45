"""What servers may answer to checks: each reader of it is given bytes, whole or in pieces, and must end in one verdict.

The first byte chooses who is asked, the second in how large pieces the answer comes. A reader that raises, that takes
longer than a moment, that says more than a little, or that keeps more than it may, fails.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable

from pyhad.checker_proc.core import dns, udp
from pyhad.checker_proc.core.certificate import end_of_validity_s
from pyhad.checker_proc.core.http import ResponseReader
from pyhad.checker_proc.core.http_body import KEPT_MAX
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.core.smtp import SmtpDialogue
from pyhad.checker_proc.probes.exchange import Exchange, Http1Exchange
from pyhad.checker_proc.probes.grpc_call import GrpcCall
from pyhad.checker_proc.probes.http2 import Http2Exchange
from pyhad.checker_proc.probes.tls_probe import _reason_of
from pyhad.common.config.model import GrpcCheck, HttpCheck, HttpUrl, Regex, Target, Timing, TlsClient, UdpCheck
from pyhad.common.tls import client_context

LONGEST_S = 1.0
"""Of processor time, for an input of a few thousand bytes."""
MOST_SAID = 16 * 1024
"""To a server that floods: answers to its pings and settings."""
TARGET = Target(address="127.0.0.1", port=80)
URLS = (
    HttpUrl(path="/"),
    HttpUrl(path="/", digest="0" * 32),
    HttpUrl(path="/", regex=Regex(pattern="a+b")),
    HttpUrl(path="/", method="HEAD"),
)
HELLO2 = b"\0\0\0\x04\0\0\0\0\0" + b"\0\0\x01\x01\x04\0\0\0\x01\x88"
"""Settings, and the head of an answer with status 200."""
GRPC_OK = b"\0\0\x0f\1\5\0\0\0\1@\x0bgrpc-status\x010"
"""The end of a call."""
_CONTEXT = client_context(TlsClient(), http2=True)
_UDP = UdpCheck(target=TARGET, timing=Timing(), alpha=False, needs_reply=True, pattern=b"\1", mask=b"\xf0")


def response(data: bytes) -> None:
    """One answer of one server."""
    if len(data) < 2:
        return
    begin = time.process_time()
    size = data[1] or len(data)
    pieces = [data[at : at + size] for at in range(2, len(data), size)]
    READERS[data[0] % len(READERS)](pieces)
    took_s = time.process_time() - begin
    assert took_s < LONGEST_S, f"{took_s:.1f} s for {len(data)} bytes"


def _carry(exchange: Exchange, pieces: list[bytes], first: bytes = b"") -> None:
    exchange.to_send()
    said = 0
    for piece in [first, *pieces] if first else pieces:
        over = exchange.feed(piece)
        said += len(exchange.to_send())
        if over:
            break
    else:
        exchange.end()
    assert said <= MOST_SAID
    verdict = exchange.verdict()
    assert verdict is None or isinstance(verdict, Reason)


def _http1(url: HttpUrl) -> Callable[[list[bytes]], None]:
    return lambda pieces: _carry(Http1Exchange(b"GET /", url), pieces)


def _http2(url: HttpUrl, first: bytes) -> Callable[[list[bytes]], None]:
    check = HttpCheck(target=TARGET, timing=Timing(), alpha=False, urls=(url,), http2=True)
    return lambda pieces: _carry(Http2Exchange(check, url), pieces, first)


def _grpc(pieces: list[bytes]) -> None:
    _carry(GrpcCall(GrpcCheck(target=TARGET, timing=Timing(), alpha=False, service="a.B")), pieces, HELLO2)


def _kept(pieces: list[bytes]) -> None:
    reader = ResponseReader(wants_digest=True, wants_body=True)
    for piece in pieces:
        reader.feed(piece)
    reader.end()
    assert reader.is_done
    assert len(reader.body.kept or b"") <= KEPT_MAX


def _smtp(pieces: list[bytes]) -> None:
    dialogue = SmtpDialogue("h")
    said = b"".join(dialogue.feed(piece) for piece in pieces)
    dialogue.end()
    assert dialogue.is_done
    assert b"HELO h\r\nQUIT\r\n".startswith(said)


def _datagrams(pieces: list[bytes]) -> None:
    for piece in pieces:
        for reason in (dns.judge_reply(piece, 258), udp.judge_reply(_UDP, piece)):
            assert reason is None or isinstance(reason, Reason)


def _certificate(pieces: list[bytes]) -> None:
    assert end_of_validity_s(b"".join(pieces)) >= 0


def _tls(pieces: list[bytes]) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = _CONTEXT.wrap_bio(incoming, outgoing)
    for piece in pieces:
        incoming.write(piece)
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLError as error:
            reason = _reason_of(error, is_shaken=False)
            break
    else:
        return
    assert isinstance(reason, Reason)


READERS: tuple[Callable[[list[bytes]], None], ...] = (
    *(_http1(url) for url in URLS),
    *(_http2(url, b"") for url in URLS),
    *(_http2(url, HELLO2) for url in URLS),
    _grpc,
    _kept,
    _smtp,
    _datagrams,
    _certificate,
    _tls,
)


def seeds() -> list[bytes]:
    """Answers that get far, for each who is asked."""
    answers = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        HELLO2 + b"\0\0\5\0\1\0\0\0\1hello",
        b"\0\0\5\0\0\0\0\0\1hello\0\0\x08\6\0\0\0\0\0abcdefgh\0\0\4\x08\0\0\0\0\0\0\0\1" + GRPC_OK,
        b"\0\0\x07\0\0\0\0\0\1\0\0\0\0\2\x08\1" + GRPC_OK,
        b"\0\0\6\4\0\0\0\0\0\0\1\0\0\x10\0\0\0\4\3\0\0\0\0\1\0\0\0\x08\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"220-mx\r\n220 ready\r\n250 hello\r\n221 bye\r\n",
        b"\x01\x02\x81\x80\0\1\0\0\0\0\0\0",
        bytes.fromhex("302a3028a0030201020201053000300030203017") + b"\x17\x0d260101000000Z\x17\x0d300102030405Z",
        bytes.fromhex("160303004a0200004603030000") + bytes(64),
    )  # fmt: skip
    return [bytes((who, size)) + answer for who in range(len(READERS)) for size in (0, 3) for answer in answers]
