"""What the kernel's datagrams about processes say. Layout: linux/netlink.h, connector.h, cn_proc.h."""

from __future__ import annotations

import struct

import pytest

from pyhad.common.scripts.process_events import Born, Confirmed, Gone, News, Renamed, parse


def datagram(what: int, *data: int) -> bytes:
    event = struct.pack("=IIQ", what, 0, 123456789) + struct.pack("=4I", *(*data, 0, 0, 0, 0)[:4]) + bytes(8)
    connector = struct.pack("=IIIIHH", 1, 1, 7, 0, len(event), 0)
    return struct.pack("=IHHII", 16 + len(connector) + len(event), 3, 0, 0, 0) + connector + event


@pytest.mark.parametrize(
    ("what", "data", "news"),
    [
        (0, (0,), Confirmed()),
        (1, (10, 10, 11, 11), Born(10, 11)),
        (1, (12, 10, 11, 11), Born(10, 11)),  # a thread of 10 forked
        (1, (10, 10, 13, 10), None),  # a thread is born
        (2, (11, 11), Renamed(11)),
        (0x200, (11, 11), Renamed(11)),
        (0x80000000, (11, 11, 0, 17), Gone(11)),
        (0x80000000, (13, 10, 0, 17), None),  # a thread ended
        (4, (11, 11), None),
    ],
)
def test_each_kind_of_news(what: int, data: tuple[int, ...], news: News | None) -> None:
    assert parse(datagram(what, *data)) == news


def test_a_short_datagram_says_nothing() -> None:
    assert parse(datagram(2, 11, 11)[:60]) is None
    assert parse(b"") is None
