"""Attributes for the kernel's IPVS, byte for byte as linux/ip_vs.h has them. The kernel itself is asked in tests/vm."""

from __future__ import annotations

from pyhad.common.config.model import Forwarding, Listener, Protocol
from pyhad.ipvs_proc.core.table import Destination, Service
from pyhad.ipvs_proc.kernel import destination_attributes, service_attributes

TCP4 = Listener(protocol=Protocol.TCP, family=4, address="10.0.0.1", port=80)
TCP6 = Listener(protocol=Protocol.TCP, family=6, address="fd00::1", port=80)
PADDING = bytes(12)


def test_an_ipv4_service_has_a_mask_in_network_order() -> None:
    service = Service(listener=TCP4, scheduler="rr", persistence_timeout_s=60, persistence_prefix_len=24)
    assert service_attributes(service) == [
        ("IPVS_SVC_ATTR_AF", 2),
        ("IPVS_SVC_ATTR_PROTOCOL", 6),
        ("IPVS_SVC_ATTR_ADDR", b"\x0a\x00\x00\x01" + PADDING),
        ("IPVS_SVC_ATTR_PORT", 80),
        ("IPVS_SVC_ATTR_SCHED_NAME", "rr"),
        ("IPVS_SVC_ATTR_FLAGS", b"\x01\x00\x00\x00\xff\xff\xff\xff"),
        ("IPVS_SVC_ATTR_TIMEOUT", 60),
        ("IPVS_SVC_ATTR_NETMASK", b"\xff\xff\xff\x00"),
    ]


def test_an_ipv6_service_has_a_length_in_the_machines_order() -> None:
    attributes = dict(service_attributes(Service(listener=TCP6, scheduler="sh", flags=0x10)))
    assert attributes["IPVS_SVC_ATTR_AF"] == 10
    assert attributes["IPVS_SVC_ATTR_ADDR"] == b"\xfd" + bytes(14) + b"\x01"
    assert attributes["IPVS_SVC_ATTR_NETMASK"] == b"\x80\x00\x00\x00"
    assert attributes["IPVS_SVC_ATTR_FLAGS"] == b"\x10\x00\x00\x00\xff\xff\xff\xff"


def test_a_firewall_mark_stands_for_address_port_and_protocol() -> None:
    mark = Listener(protocol=Protocol.NONE, family=4, fwmark=9)
    names = [name for name, _ in service_attributes(Service(listener=mark, scheduler="rr"))]
    assert names[:3] == ["IPVS_SVC_ATTR_AF", "IPVS_SVC_ATTR_FWMARK", "IPVS_SVC_ATTR_SCHED_NAME"]


def test_a_destination_says_its_own_family_and_how_it_is_reached() -> None:
    destination = Destination(
        address="10.1.0.1", port=8080, weight=3, forwarding=Forwarding.TUNNEL, upper_threshold=9, lower_threshold=5
    )
    assert destination_attributes(destination) == [
        ("IPVS_DEST_ATTR_ADDR_FAMILY", 2),
        ("IPVS_DEST_ATTR_ADDR", b"\x0a\x01\x00\x01" + PADDING),
        ("IPVS_DEST_ATTR_PORT", 8080),
        ("IPVS_DEST_ATTR_FWD_METHOD", 2),
        ("IPVS_DEST_ATTR_WEIGHT", 3),
        ("IPVS_DEST_ATTR_U_THRESH", 9),
        ("IPVS_DEST_ATTR_L_THRESH", 5),
    ]
