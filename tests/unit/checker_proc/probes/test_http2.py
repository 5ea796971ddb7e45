"""One request over HTTP/2: against h2 as a server, and against bytes that no good server sends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, RequestReceived, StreamEnded
from h2.settings import SettingCodes
from hypothesis import given, settings, strategies as st

from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes.exchange import Exchange
from pyhad.checker_proc.probes.grpc_call import GrpcCall
from pyhad.checker_proc.probes.http2 import Http2Exchange
from pyhad.common.config.model import GrpcCheck, HttpCheck, HttpUrl, Regex, StatusRange, Target, Timing

TARGET = Target(address="127.0.0.1", port=80)
SETTINGS = b"\0\0\0\x04\0\0\0\0\0"
Fields = list[tuple[bytes, bytes]]
Answer = Callable[[H2Connection, Event], None]


def exchange(url: HttpUrl | None = None) -> Http2Exchange:
    urls = (url or HttpUrl(path="/"),)
    return Http2Exchange(
        HttpCheck(target=TARGET, timing=Timing(), alpha=False, urls=urls, http2=True),
        urls[0],
    )


def call(service: str = "a.B") -> GrpcCall:
    return GrpcCall(GrpcCheck(target=TARGET, timing=Timing(), alpha=False, service=service))


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def server() -> H2Connection:
    connection = H2Connection(H2Configuration(client_side=False, header_encoding=None))
    connection.initiate_connection()
    return connection


def talk(client: Exchange, connection: H2Connection, answer: Answer) -> Reason | None:
    """Carry bytes both ways until nobody says anything; the verdict."""
    for _ in range(2000):
        said = client.to_send()
        for event in connection.receive_data(said) if said else ():
            answer(connection, event)
        heard = connection.data_to_send()
        if heard and client.feed(heard):
            return client.verdict()
        if not (said or heard):
            break
    client.end()
    return client.verdict()


def replying(status: bytes, body: bytes = b"", trailers: Fields | None = None) -> Answer:
    def answer(connection: H2Connection, event: Event) -> None:
        if isinstance(event, StreamEnded):
            connection.send_headers(1, [(b":status", status)], end_stream=not body and trailers is None)
            for at in range(0, len(body), 1000):
                connection.send_data(1, body[at : at + 1000], end_stream=trailers is None and at + 1000 >= len(body))
            if trailers is not None:
                connection.send_headers(1, trailers, end_stream=True)

    return answer


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (HttpUrl(path="/"), None),
        (HttpUrl(path="/", digest=hashlib.md5(b"hello", usedforsecurity=False).hexdigest()), None),
        (HttpUrl(path="/", digest="0" * 32), Reason.HTTP_DIGEST),
        (HttpUrl(path="/", regex=Regex(pattern="^hello$")), None),
        (HttpUrl(path="/", regex=Regex(pattern="bye")), Reason.HTTP_REGEX),
        (HttpUrl(path="/", status=(StatusRange(first=300, last=399),)), Reason.HTTP_STATUS),
    ],
)
def test_an_answer_is_judged_as_over_http_1(url: HttpUrl, reason: Reason | None) -> None:
    assert talk(exchange(url), server(), replying(b"200", b"hello")) is reason


def test_a_head_and_an_answer_without_a_body_are_whole() -> None:
    assert talk(exchange(HttpUrl(path="/", method="HEAD")), server(), replying(b"200")) is None
    assert talk(exchange(), server(), replying(b"503")) is Reason.HTTP_STATUS


def test_what_is_asked_arrives_whole_whatever_the_windows_are() -> None:
    heard: list[bytes] = []
    fields: Fields = []

    def collect(connection: H2Connection, event: Event) -> None:
        if isinstance(event, RequestReceived):
            fields.extend(event.headers or [])
        if isinstance(event, DataReceived) and event.data:
            heard.append(event.data)
            connection.acknowledge_received_data(event.flow_controlled_length or 0, 1)
        replying(b"200")(connection, event)

    narrow = server()
    narrow.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 1000})
    body = "x" * 60_000
    assert talk(exchange(HttpUrl(path="/in", method="POST", body=body)), narrow, collect) is None
    assert b"".join(heard) == body.encode()
    assert dict(fields)[b"content-length"] == b"60000"


def test_a_long_body_comes_through_our_windows() -> None:
    body = bytes(1_000_000)
    url = HttpUrl(path="/", digest=hashlib.md5(body, usedforsecurity=False).hexdigest())
    waiting, asked = [body], list[Event]()

    def pour(connection: H2Connection, event: Event) -> None:
        if isinstance(event, RequestReceived):
            connection.send_headers(1, [(b":status", b"200")])
            asked.append(event)
        while asked and waiting[0]:
            room = min(connection.local_flow_control_window(1), 16_384)
            if not room:
                return
            piece, waiting[0] = waiting[0][:room], waiting[0][room:]
            connection.send_data(1, piece, end_stream=not waiting[0])

    assert talk(exchange(url), server(), pour) is None


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", Reason.HTTP_NO_DATA),
        (b"HTT", Reason.HTTP2_NOT_SPOKEN),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Reason.HTTP2_NOT_SPOKEN),
        (SETTINGS, Reason.HTTP_INCOMPLETE),
        (b"220 mx.example ESMTP\r\n", Reason.HTTP2_BROKEN),
        (SETTINGS + frame(0, 0, 1, b"x"), Reason.HTTP2_BROKEN),  # a body before its head
        (SETTINGS + frame(3, 0, 1, b"\0\0\0\x02"), Reason.HTTP2_RESET),
        (
            SETTINGS + frame(7, 0, 0, b"\0\0\0\0\0\0\0\x0b"),
            Reason.HTTP2_RESET,
        ),  # calm down
        (SETTINGS + frame(5, 4, 1, b"\0\0\0\x02\x82"), Reason.HTTP2_BROKEN),  # a push, which we refused
        (SETTINGS + frame(1, 5, 1, b"\x82"), Reason.HTTP2_BROKEN),  # fields without a :status
        (SETTINGS + frame(9, 4, 1, b"\x88"), Reason.HTTP2_BROKEN),  # a continuation of nothing
        (SETTINGS + frame(8, 0, 0, b"\x7f\xff\xff\xff"), Reason.HTTP2_BROKEN),  # a window beyond 2^31
        (SETTINGS + frame(4, 0, 0, b"\0\x05\0\0\0\x01"), Reason.HTTP2_BROKEN),  # frames of at most one byte
    ],
)
def test_a_server_that_breaks_the_protocol_has_its_reason(said: bytes, reason: Reason) -> None:
    client = exchange()
    if not client.feed(said):
        client.end()
    assert client.verdict() is reason


HEADERS_UNENDED = frame(1, 0, 1, b"\x88")


@pytest.mark.parametrize(
    ("first", "flood", "most", "reason"),
    [
        (SETTINGS, SETTINGS, 256, Reason.HTTP2_FLOOD),
        (SETTINGS, frame(6, 0, 0, bytes(8)), 256, Reason.HTTP2_FLOOD),
        (SETTINGS, frame(8, 0, 0, b"\0\0\0\x01"), 256, Reason.HTTP2_FLOOD),
        (SETTINGS, frame(0xFE, 0, 0, bytes(4096)), 3, Reason.HTTP2_FLOOD),
        (SETTINGS, frame(4, 0, 0, b"\0\xff\0\0\0\x01" * 600), 3, Reason.HTTP2_FLOOD),
        (SETTINGS + HEADERS_UNENDED, frame(9, 0, 1), 256, Reason.HTTP2_BROKEN),
        (SETTINGS + HEADERS_UNENDED, frame(9, 0, 1, bytes(16_384)), 5, Reason.HTTP_HEADERS_TOO_LONG),
        (SETTINGS + frame(1, 4, 1, b"\x88"), frame(0, 0, 1), 256, Reason.HTTP2_FLOOD),
        (SETTINGS + frame(1, 4, 1, b"\x88"), frame(0, 8, 1, b"\xff" + bytes(255)), 256, Reason.HTTP2_FLOOD),
        (SETTINGS + frame(1, 4, 1, b"\x88"), frame(0, 0, 1, b"x"), 300, Reason.HTTP2_FLOOD),
    ],
)
def test_no_flood_is_taken_for_long_and_little_of_it_is_answered(
    first: bytes, flood: bytes, most: int, reason: Reason
) -> None:
    client = exchange(HttpUrl(path="/", digest="0" * 32))
    request = len(client.to_send())
    assert request < 200
    client.feed(first)
    frames = 0
    while not client.feed(flood):
        frames += 1
        assert frames <= most
    assert client.verdict() is reason
    assert len(client.to_send()) <= 256 * 17 + 40


def test_fields_that_unfold_without_end_are_too_long() -> None:
    """HPACK: one field of 4 kB in the table, then named again by one byte each."""
    bomb = b"\x88\x40\x01a\x7f\x81\x1e" + bytes(4000 - 127 + 127) + b"\xbe" * 10_000
    client = exchange()
    client.feed(SETTINGS + frame(1, 4, 1, bomb))
    client.end()
    assert client.verdict() in (Reason.HTTP_HEADERS_TOO_LONG, Reason.HTTP2_BROKEN)


@pytest.mark.parametrize(
    ("status", "body", "trailers", "reason"),
    [
        (b"200", b"\0\0\0\0\x02\x08\x01", [(b"grpc-status", b"0")], None),
        (b"200", b"\0\0\0\0\x02\x08\x02", [(b"grpc-status", b"0")], Reason.GRPC_NOT_SERVING),
        (b"200", b"", [(b"grpc-status", b"5")], Reason.GRPC_SERVICE_UNKNOWN),
        (b"200", b"\0\0\0\0\x02\x08\x01", None, Reason.GRPC_BAD_REPLY),
        (b"404", b"", None, Reason.HTTP_STATUS),
    ],
)
def test_a_call_is_judged_by_its_status_and_message(
    status: bytes, body: bytes, trailers: Fields | None, reason: Reason | None
) -> None:
    assert talk(call(), server(), replying(status, body, trailers)) is reason


def test_a_call_asks_for_the_service() -> None:
    heard: list[bytes] = []

    def collect(connection: H2Connection, event: Event) -> None:
        if isinstance(event, DataReceived) and event.data:
            heard.append(event.data)
        replying(b"200", b"\0\0\0\0\x02\x08\x01", [(b"grpc-status", b"0")])(connection, event)

    assert talk(call("a.B"), server(), collect) is None
    assert heard == [b"\0\0\0\0\x05\x0a\x03a.B"]


FRAMES = st.builds(frame, st.integers(0, 11), st.integers(0, 63), st.integers(0, 3), st.binary(max_size=40))


@settings(deadline=None, print_blob=True)
@given(st.lists(st.one_of(FRAMES, st.just(SETTINGS), st.just(frame(1, 4, 1, b"\x88")), st.binary(max_size=40))))
def test_whatever_a_server_says_is_one_verdict(said: list[bytes]) -> None:
    for client in (exchange(), call()):
        client.to_send()
        for piece in said:
            client.feed(piece)
            client.to_send()
        client.end()
        assert client.verdict() is None or isinstance(client.verdict(), Reason)
