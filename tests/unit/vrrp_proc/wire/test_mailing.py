"""sendmmsg: every packet arrives, and what the kernel refuses is told with its place."""

from __future__ import annotations

import errno
import socket

from pyhad.vrrp_proc.wire.mailing import Mailing, internet_address, link_address

LOCAL = internet_address("127.0.0.1")


def test_all_packets_leave_in_their_order_again_and_again() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hearer, socket.socket(type=socket.SOCK_DGRAM) as speaker:
        hearer.bind(("127.0.0.1", 0))
        hearer.settimeout(40)
        # A datagram socket takes its port from the address, which packets of VRRP do not have: connect instead.
        speaker.connect(hearer.getsockname())
        mailing = Mailing([(b"\x31first", LOCAL), (b"\x31second one", LOCAL)])
        for message in mailing._messages:
            message.head.name, message.head.name_bytes = None, 0
        for _ in range(2):
            assert mailing.send(speaker.fileno()) == []
            assert [hearer.recv(100), hearer.recv(100)] == [b"\x31first", b"\x31second one"]


def test_one_that_is_refused_does_not_keep_the_others() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hearer, socket.socket(type=socket.SOCK_DGRAM) as speaker:
        hearer.bind(("127.0.0.1", 0))
        hearer.settimeout(40)
        speaker.connect(hearer.getsockname())
        mailing = Mailing([(b"a" * 66_000, LOCAL), (b"good", LOCAL), (b"b" * 66_000, LOCAL)])
        for message in mailing._messages:
            message.head.name, message.head.name_bytes = None, 0
        assert mailing.send(speaker.fileno()) == [(0, errno.EMSGSIZE), (2, errno.EMSGSIZE)]
        assert hearer.recv(100) == b"good"


def test_a_closed_socket_refuses_each() -> None:
    assert Mailing([(b"x", LOCAL), (b"y", LOCAL)]).send(-1) == [(0, errno.EBADF), (1, errno.EBADF)]


def test_ipv4_packets_are_numbered_and_ipv6_packets_are_left_alone() -> None:
    ipv4, ipv6 = bytes.fromhex("45c0002412340000ff70"), bytes.fromhex("6000000000101234")
    longer = ipv4 + b"tail"
    mailing = Mailing([(packet, b"") for packet in (ipv4, ipv4, ipv6, longer, longer, longer, ipv4)])
    assert mailing.packets() == [ipv4, ipv4, ipv6, longer, longer, longer, ipv4]
    mailing.number(0xABCD)
    numbered = bytes.fromhex("45c00024abcd0000ff70")
    tail = numbered + b"tail"
    assert mailing.packets() == [numbered, numbered, ipv6, tail, tail, tail, numbered]
    mailing.number(2)
    assert mailing.packets()[5] == bytes.fromhex("45c0002400020000ff70") + b"tail"


def test_at_the_link_ipv4_headers_have_their_checksum() -> None:
    # 45c0+001c+ff70+0a00+0001+e000+0012 = 22f5f; with 0001 22f60 -> 2f62 -> d09d; with ffff 32f5e -> 2f61 -> d09e
    ipv4 = bytes.fromhex("45c0001c 0001 0000 ff70 1234 0a000001 e0000012 3133c801")
    ipv6 = bytes.fromhex("6000000000101234") + bytes(40)
    mailing = Mailing([(ipv6, b""), (ipv4, b"")], at_link=True)
    assert mailing.packets() == [ipv6, bytes.fromhex("45c0001c 0001 0000 ff70 d09d 0a000001 e0000012 3133c801")]
    mailing.number(0xFFFF)
    assert mailing.packets() == [ipv6, bytes.fromhex("45c0001c ffff 0000 ff70 d09e 0a000001 e0000012 3133c801")]


def test_addresses_of_both_families_are_packed_as_the_kernel_wants_them() -> None:
    assert internet_address("224.0.0.18") == bytes.fromhex("0200 0000 e0000012 0000000000000000")
    assert internet_address("ff02::12") == bytes.fromhex("0a00 0000 00000000 ff020000000000000000000000000012 00000000")
    assert internet_address("fe80::1%lo") == bytes.fromhex(
        "0a00 0000 00000000 fe800000000000000000000000000001 01000000"
    )


def test_the_address_of_a_packet_socket_names_interface_protocol_and_mac() -> None:
    assert link_address(7, 0x86DD, bytes.fromhex("333300000012")) == bytes.fromhex(
        "1100 86dd 07000000 0000 00 06 333300000012 0000"
    )
