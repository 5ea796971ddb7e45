"""What IPVS reads and writes, byte for byte as linux/ip_vs.h has it. The kernel itself is asked in tests/vm."""

from __future__ import annotations

import pytest

from pyhad.common.config.model import (
    Forwarding,
    IpvsTimeouts,
    Listener,
    Protocol,
    SyncDaemon,
    Tunnel,
    TunnelChecksum,
    TunnelType,
)
from pyhad.common.errors import WireError
from pyhad.common.messages_table import Rates
from pyhad.ipvs_proc.core import ipvs_wire as wire
from pyhad.ipvs_proc.core.genl import attribute, attributes_from
from pyhad.ipvs_proc.core.table import Connections, Destination, Service

TCP4 = Listener(protocol=Protocol.TCP, family=4, address="10.0.0.1", port=80)
TCP6 = Listener(protocol=Protocol.TCP, family=6, address="fd00::1", port=80)
MARK = Listener(protocol=Protocol.NONE, family=4, fwmark=9)
PADDING = bytes(12)


def inside(payload: bytes, kind: int) -> dict[int, bytes]:
    return attributes_from(attributes_from(payload)[kind])


def to(forwarding: Forwarding, tunnel: Tunnel | None = None) -> Destination:
    return Destination(
        address="10.1.0.1", port=8080, weight=3, forwarding=forwarding, upper_threshold=9, lower_threshold=5,
        tunnel=tunnel or Tunnel(),
    )  # fmt: skip


def test_an_ipv4_service_has_a_mask_in_network_order() -> None:
    service = Service(listener=TCP4, scheduler="rr", persistence_timeout_s=60, persistence_prefix_len=24)
    assert inside(wire.service(service), 1) == {
        1: b"\x02\x00",
        2: b"\x06\x00",
        3: b"\x0a\x00\x00\x01" + PADDING,
        4: b"\x00\x50",
        6: b"rr\x00",
        7: b"\x01\x00\x00\x00\xff\xff\xff\xff",
        8: b"\x3c\x00\x00\x00",
        9: b"\xff\xff\xff\x00",
    }


def test_an_ipv6_service_has_a_length_in_the_machines_order() -> None:
    found = inside(wire.service(Service(listener=TCP6, scheduler="sh", flags=0x10)), 1)
    assert found[1] == b"\x0a\x00"
    assert found[3] == b"\xfd" + bytes(14) + b"\x01"
    assert found[9] == b"\x80\x00\x00\x00"
    assert found[7] == b"\x10\x00\x00\x00\xff\xff\xff\xff"


def test_a_firewall_mark_stands_for_address_port_and_protocol() -> None:
    assert inside(wire.service_key(MARK), 1) == {1: b"\x02\x00", 5: b"\x09\x00\x00\x00"}


@pytest.mark.behaviour("LVS-11")
def test_an_engine_goes_with_its_service() -> None:
    service = Service(
        listener=TCP4, scheduler="rr", persistence_timeout_s=60, persistence_prefix_len=32, persistence_engine="sip"
    )
    assert inside(wire.service(service), 1)[11] == b"sip\x00"


@pytest.mark.behaviour("LVS-7", "LVS-8")
def test_a_destination_says_its_own_family_and_how_it_is_reached() -> None:
    assert inside(wire.destination(to(Forwarding.DIRECT_ROUTE)), 2) == {
        11: b"\x02\x00",
        1: b"\x0a\x01\x00\x01" + PADDING,
        2: b"\x1f\x90",
        3: b"\x03\x00\x00\x00",
        4: b"\x03\x00\x00\x00",
        5: b"\x09\x00\x00\x00",
        6: b"\x05\x00\x00\x00",
    }


@pytest.mark.behaviour("LVS-7")
def test_a_tunnel_names_its_type_port_and_checksum() -> None:
    gue = Tunnel(type=TunnelType.GUE, port=6080, checksum=TunnelChecksum.REMOTE)
    found = inside(wire.destination(to(Forwarding.TUNNEL, gue)), 2)
    assert (found[3], found[13], found[14], found[15]) == (b"\x02\x00\x00\x00", b"\x01", b"\x17\xc0", b"\x02\x00")
    gre = Tunnel(type=TunnelType.GRE, checksum=TunnelChecksum.FULL)
    found = inside(wire.destination(to(Forwarding.TUNNEL, gre)), 2)
    assert (found[13], found[14], found[15]) == (b"\x02", b"\x00\x00", b"\x01\x00")


@pytest.mark.parametrize(
    "service",
    [
        Service(listener=TCP4, scheduler="wlc", flags=0x08),
        Service(listener=TCP6, scheduler="mh", persistence_timeout_s=9, persistence_prefix_len=48),
        Service(
            listener=MARK, scheduler="rr", persistence_timeout_s=9, persistence_prefix_len=24, persistence_engine="sip"
        ),
    ],
)
def test_a_service_is_read_as_it_was_written(service: Service) -> None:
    assert wire.service_from(wire.service(service)) == service


@pytest.mark.parametrize(
    "destination",
    [
        to(Forwarding.NAT),
        to(Forwarding.TUNNEL, Tunnel(type=TunnelType.GUE, port=6080, checksum=TunnelChecksum.FULL)),
        Destination(address="fd00::7", port=0, weight=2147483647, forwarding=Forwarding.TUNNEL),
    ],
)
def test_a_destination_is_read_as_it_was_written(destination: Destination) -> None:
    found, connections = wire.destination_from(wire.destination(destination), 4)
    assert found == destination
    assert connections.total == -1


def test_a_service_of_an_unknown_protocol_is_none_of_ours() -> None:
    content = attribute(1, b"\2\0") + attribute(2, b"\x63\0") + attribute(7, bytes(8))
    assert wire.service_from(attribute(1, content)) is None


def test_local_forwarding_of_the_kernel_reads_as_nat() -> None:
    raw = attribute(1, b"\x0a\0\0\1" + PADDING) + attribute(2, b"\0\x50") + attribute(3, b"\x01\x01\0\0")
    found, _ = wire.destination_from(attribute(2, raw), 4)
    assert (found.forwarding, found.port) == (Forwarding.NAT, 80)


def test_connections_are_counted_in_64_bits() -> None:
    raw = wire.destination(to(Forwarding.NAT))[4:] + attribute(7, b"\3\0\0\0") + attribute(8, b"\4\0\0\0")
    stats = [attribute(kind, bytes([kind] + [0] * 7)) for kind in (2, 3, 4, 5)]
    raw += attribute(12, attribute(1, b"\0\0\0\0\1\0\0\0") + b"".join(stats))
    _, connections = wire.destination_from(attribute(2, raw), 4)
    assert connections == Connections(
        active=3, inactive=4, total=1 << 32, in_packets=2, out_packets=3, in_bytes=4, out_bytes=5
    )


def test_a_service_has_counters_and_rates_of_its_own() -> None:
    stats = b"".join(attribute(kind, bytes([10 * kind] + [0] * 7)) for kind in range(1, 11))
    raw = wire.service(Service(listener=TCP6, scheduler="rr"))[4:] + attribute(12, stats)
    assert wire.service_counts_from(attribute(1, raw)) == Connections(
        active=-1, inactive=-1, total=10, in_packets=20, out_packets=30, in_bytes=40, out_bytes=50,
        rates=Rates(connections=60, in_packets=70, out_packets=80, in_bytes=90, out_bytes=100),
    )  # fmt: skip
    without = wire.service(Service(listener=TCP6, scheduler="rr"))
    assert wire.service_counts_from(without) == Connections()


def test_a_tunnel_or_an_address_of_unknown_shape_is_refused() -> None:
    tunnel = wire.destination(to(Forwarding.TUNNEL))[4:] + attribute(13, b"\x09")
    with pytest.raises(WireError):
        wire.destination_from(attribute(2, tunnel), 4)
    with pytest.raises(WireError):
        wire.destination_from(attribute(2, attribute(1, b"\x0a\0")), 4)


def test_timeouts_and_sync_daemons_are_read_as_they_were_written() -> None:
    timeouts = IpvsTimeouts(tcp_s=900, tcp_fin_s=120, udp_s=300)
    assert wire.timeouts(timeouts) == bytes.fromhex("08000400 84030000 08000500 78000000 08000600 2c010000")
    assert wire.timeouts_from(wire.timeouts(timeouts)) == timeouts
    for sync in (
        SyncDaemon(interface="eth0", sync_id=7, max_len=1400, port=8848, ttl=3, group="224.0.0.88"),
        SyncDaemon(interface="eth0", group="ff02::88"),
    ):
        assert wire.sync_daemon_from(wire.sync_daemon(wire.BACKUP, sync)) == (2, sync)
