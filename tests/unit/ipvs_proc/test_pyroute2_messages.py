"""pyroute2 with our declarations and our own codec say the same of the same bytes, both ways."""

from __future__ import annotations

from typing import Any

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
from pyhad.ipvs_proc.core import genl, ipvs_wire as wire
from pyhad.ipvs_proc.core.table import Destination, Service
from pyhad.ipvs_proc.pyroute2_messages import ipvsinfo, ipvsmsg

TCP4 = Listener(protocol=Protocol.TCP, family=4, address="10.0.0.1", port=443)
TCP6 = Listener(protocol=Protocol.TCP, family=6, address="fd00::1", port=443)
GUE = Tunnel(type=TunnelType.GUE, port=5555, checksum=TunnelChecksum.REMOTE)
HEAD = 20  # of netlink and generic netlink, before the attributes


def read(attributes: bytes, kind: type[Any] = ipvsmsg) -> dict[str, Any]:
    """What pyroute2 makes of it, without the prefixes of names."""
    message = kind(genl.message(30, 1, 1, 0, attributes))
    message.decode()
    return plain(message)


def plain(found: Any) -> Any:
    if "attrs" in found:
        return {name.rpartition("_ATTR_")[2]: plain_value(value) for name, value in found["attrs"]}
    return {name: value for name, value in found.items() if name not in ("header", "value")}


def plain_value(value: Any) -> Any:
    return plain(value) if hasattr(value, "items") else value


def written(cmd: int, *attributes: tuple[str, Any]) -> bytes:
    """The attributes as pyroute2 encodes them."""
    message = ipvsmsg()
    message["cmd"], message["version"], message["attrs"] = cmd, 1, list(attributes)
    message.encode()
    return bytes(message.data[HEAD:])


def test_a_service_of_ipv6_has_a_length_as_netmask() -> None:
    service = Service(listener=TCP6, scheduler="sh", flags=0x10, persistence_timeout_s=60, persistence_prefix_len=64)
    assert read(wire.service(service)) == {
        "SERVICE": {
            "AF": 10, "PROTOCOL": 6, "ADDR": "fd00::1", "PORT": 443, "SCHED_NAME": "sh",
            "FLAGS": {"flags": 0x11, "mask": 0xFFFFFFFF}, "TIMEOUT": 60, "NETMASK": 64,
        }
    }  # fmt: skip


def test_a_service_of_ipv4_has_an_address_as_netmask() -> None:
    service = Service(
        listener=TCP4, scheduler="rr", persistence_timeout_s=60, persistence_prefix_len=24, persistence_engine="sip"
    )
    found = read(wire.service(service))["SERVICE"]
    assert (found["NETMASK"], found["PE_NAME"]) == ("255.255.255.0", "sip")


def test_a_tunnelled_destination_of_the_other_family_is_read_whole() -> None:
    wanted = Destination(
        address="fd00::9", port=80, weight=3, forwarding=Forwarding.TUNNEL, upper_threshold=9, lower_threshold=5,
        tunnel=GUE,
    )  # fmt: skip
    assert read(wire.service_key(TCP4) + wire.destination(wanted))["DEST"] == {
        "ADDR_FAMILY": 10, "ADDR": "fd00::9", "PORT": 80, "FWD_METHOD": 2, "WEIGHT": 3, "U_THRESH": 9, "L_THRESH": 5,
        "TUN_TYPE": 1, "TUN_PORT": 5555, "TUN_FLAGS": 2,
    }  # fmt: skip


def test_a_sync_daemon_and_timeouts_are_no_raw_bytes() -> None:
    daemon = SyncDaemon(interface="eth0", sync_id=7, max_len=1400, port=8848, ttl=3, group="224.0.0.81")
    assert read(wire.sync_daemon(wire.MASTER, daemon)) == {
        "DAEMON": {
            "STATE": 1, "MCAST_IFN": "eth0", "SYNC_ID": 7, "SYNC_MAXLEN": 1400, "MCAST_GROUP": "224.0.0.81",
            "MCAST_PORT": 8848, "MCAST_TTL": 3,
        }
    }  # fmt: skip
    assert read(wire.timeouts(IpvsTimeouts(tcp_s=900, tcp_fin_s=120, udp_s=300))) == {
        "TIMEOUT_TCP": 900,
        "TIMEOUT_TCP_FIN": 120,
        "TIMEOUT_UDP": 300,
    }


def test_the_answer_to_get_info_has_numbers_of_its_own() -> None:
    answer = genl.attribute(1, b"\x01\x02\x01\x00") + genl.attribute(2, b"\x00\x10\x00\x00")
    assert read(answer, ipvsinfo) == {"VERSION": 0x010201, "CONN_TAB_SIZE": 4096}


@pytest.mark.parametrize(("listener", "family", "length"), [(TCP6, 10, 64), (TCP4, 2, 24)])
def test_what_pyroute2_writes_of_a_service_is_read_by_our_codec(listener: Listener, family: int, length: int) -> None:
    mask: int | str = length if family == 10 else "255.255.255.0"
    attributes = [
        ("IPVS_SVC_ATTR_AF", family), ("IPVS_SVC_ATTR_PROTOCOL", 6), ("IPVS_SVC_ATTR_ADDR", listener.address),
        ("IPVS_SVC_ATTR_PORT", 443), ("IPVS_SVC_ATTR_SCHED_NAME", "sh"),
        ("IPVS_SVC_ATTR_FLAGS", {"flags": 0x11, "mask": 0xFFFFFFFF}), ("IPVS_SVC_ATTR_TIMEOUT", 60),
        ("IPVS_SVC_ATTR_NETMASK", mask),
    ]  # fmt: skip
    assert wire.service_from(written(1, ("IPVS_CMD_ATTR_SERVICE", {"attrs": attributes}))) == Service(
        listener=listener, scheduler="sh", flags=0x10, persistence_timeout_s=60, persistence_prefix_len=length
    )


def test_what_pyroute2_writes_of_a_tunnel_is_read_by_our_codec() -> None:
    attributes = [
        ("IPVS_DEST_ATTR_ADDR_FAMILY", 10), ("IPVS_DEST_ATTR_ADDR", "fd00::9"), ("IPVS_DEST_ATTR_PORT", 80),
        ("IPVS_DEST_ATTR_FWD_METHOD", 2), ("IPVS_DEST_ATTR_WEIGHT", 3), ("IPVS_DEST_ATTR_U_THRESH", 0),
        ("IPVS_DEST_ATTR_L_THRESH", 0), ("IPVS_DEST_ATTR_TUN_TYPE", 1), ("IPVS_DEST_ATTR_TUN_PORT", 5555),
        ("IPVS_DEST_ATTR_TUN_FLAGS", 2),
    ]  # fmt: skip
    found, _ = wire.destination_from(written(5, ("IPVS_CMD_ATTR_DEST", {"attrs": attributes})), 4)
    assert found == Destination(address="fd00::9", port=80, weight=3, forwarding=Forwarding.TUNNEL, tunnel=GUE)


def test_padding_of_statistics_is_known() -> None:
    stats = genl.attribute(1, (7).to_bytes(8, "little")) + genl.attribute(11, b"")
    found = read(genl.attribute(2, genl.attribute(11, b"\x02\x00") + genl.attribute(12, stats)))["DEST"]
    assert found["STATS64"]["CONNS"] == 7
    assert "PAD" in found["STATS64"]
