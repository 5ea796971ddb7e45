"""sendmmsg: every packet arrives, and what the kernel refuses is told with its place."""

from __future__ import annotations

import errno
import socket

from pyhad.vrrp_proc.mailing import Mailing


def test_all_packets_leave_in_their_order_again_and_again() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hearer, socket.socket(type=socket.SOCK_DGRAM) as speaker:
        hearer.bind(("127.0.0.1", 0))
        hearer.settimeout(5)
        # A datagram socket takes its port from the address, which packets of VRRP do not have: connect instead.
        speaker.connect(hearer.getsockname())
        mailing = Mailing([(b"\x31first", "127.0.0.1"), (b"\x31second one", "127.0.0.1")])
        for message in mailing._messages:
            message.head.name, message.head.name_bytes = None, 0
        for _ in range(2):
            assert mailing.send(speaker.fileno()) == []
            assert [hearer.recv(100), hearer.recv(100)] == [b"\x31first", b"\x31second one"]


def test_one_that_is_refused_does_not_keep_the_others() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hearer, socket.socket(type=socket.SOCK_DGRAM) as speaker:
        hearer.bind(("127.0.0.1", 0))
        hearer.settimeout(5)
        speaker.connect(hearer.getsockname())
        mailing = Mailing([(b"a" * 66_000, "127.0.0.1"), (b"good", "127.0.0.1"), (b"b" * 66_000, "127.0.0.1")])
        for message in mailing._messages:
            message.head.name, message.head.name_bytes = None, 0
        assert mailing.send(speaker.fileno()) == [(0, errno.EMSGSIZE), (2, errno.EMSGSIZE)]
        assert hearer.recv(100) == b"good"


def test_a_closed_socket_refuses_each() -> None:
    assert Mailing([(b"x", "127.0.0.1"), (b"y", "127.0.0.1")]).send(-1) == [(0, errno.EBADF), (1, errno.EBADF)]


def test_ipv4_packets_are_numbered_and_ipv6_packets_are_left_alone() -> None:
    ipv4, ipv6 = bytes.fromhex("45c0002412340000ff70"), bytes.fromhex("6000000000101234")
    mailing = Mailing([(ipv4, "224.0.0.18"), (ipv6, "ff02::12"), (ipv4, "10.0.0.9")])
    assert mailing.packets() == [ipv4, ipv6, ipv4]
    assert [place for _, place in mailing.letters()] == ["224.0.0.18", "ff02::12", "10.0.0.9"]
    mailing.number([0xABCD, 1, 2])
    assert mailing.packets() == [
        bytes.fromhex("45c00024abcd0000ff70"),
        ipv6,
        bytes.fromhex("45c0002400020000ff70"),
    ]


def test_addresses_of_both_families_are_packed_as_the_kernel_wants_them() -> None:
    mailing = Mailing([(b"\x45", "224.0.0.18"), (b"\x60", "ff02::12"), (b"\x60", "fe80::1%lo")])
    assert mailing._names[0].raw == bytes.fromhex("0200 0000 e0000012 0000000000000000")
    assert mailing._names[1].raw == bytes.fromhex("0a00 0000 00000000 ff020000000000000000000000000012 00000000")
    assert mailing._names[2].raw == bytes.fromhex("0a00 0000 00000000 fe800000000000000000000000000001 01000000")
