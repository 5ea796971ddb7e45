"""pyroute2 with our declarations reads from a real kernel what our codec wrote there, and writes what ours reads."""

from __future__ import annotations

import gc
import subprocess
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from pyroute2.netlink import NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST
from pyroute2.netlink.generic import GenericNetlinkSocket
from pyroute2.netlink.generic.ipvs import (
    GENL_NAME,
    GENL_VERSION,
    IPVS_CMD_GET_DAEMON,
    IPVS_CMD_GET_DEST,
    IPVS_CMD_GET_SERVICE,
    IPVS_CMD_NEW_DEST,
    IPVS_CMD_NEW_SERVICE,
)

from pyhad.common.config.model import (
    Forwarding,
    Listener,
    Protocol,
    SyncDaemon,
    Tunnel,
    TunnelChecksum,
    TunnelType,
)
from pyhad.common.errors import KernelError
from pyhad.ipvs_proc.core.reconcile import reconcile
from pyhad.ipvs_proc.core.table import Destination, Entry, Service
from pyhad.ipvs_proc.kernel import IpvsPlane
from pyhad.ipvs_proc.pyroute2_messages import ipvsmsg

pytestmark = pytest.mark.vm

TCP6 = Listener(protocol=Protocol.TCP, family=6, address="fd00::1", port=443)
MARK6 = Listener(protocol=Protocol.NONE, family=6, fwmark=9)
GUE = Tunnel(type=TunnelType.GUE, port=5555, checksum=TunnelChecksum.REMOTE)


class Asker:
    """The kernel's IPVS by way of pyroute2."""

    def __init__(self) -> None:
        self._socket = GenericNetlinkSocket()
        self._socket.bind(GENL_NAME, ipvsmsg)

    def ask(self, command: int, flags: int, *attributes: tuple[str, Any]) -> list[Any]:
        message = ipvsmsg()
        message["cmd"], message["version"], message["attrs"] = command, GENL_VERSION, list(attributes)
        flags |= NLM_F_REQUEST
        return list(self._socket.nlm_request(message, msg_type=self._socket.prid, msg_flags=flags))

    def close(self) -> None:
        """pyroute2 leaves a socket to the collector, and would be warned of it at some later time."""
        self._socket.close()
        del self._socket
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@pytest.fixture
def asker() -> Iterator[Asker]:
    subprocess.run(("ipvsadm", "-C"), check=True)
    asker = Asker()
    yield asker
    asker.close()
    subprocess.run(("ipvsadm", "-C"), check=True)


def within(message: Any, kind: str) -> dict[str, Any]:
    """The attributes of one nested one, without the prefixes of names."""
    return {name.rpartition("_ATTR_")[2]: value for name, value in message.get_attr(f"IPVS_CMD_ATTR_{kind}")["attrs"]}


def test_pyroute2_reads_what_we_wrote(asker: Asker) -> None:
    plane = IpvsPlane()
    server = Destination(
        address="10.1.0.1", port=443, weight=3, forwarding=Forwarding.TUNNEL, upper_threshold=9, lower_threshold=5,
        tunnel=GUE,
    )  # fmt: skip
    service = Service(listener=TCP6, scheduler="sh", flags=0x10, persistence_timeout_s=60, persistence_prefix_len=64)
    marked = Service(listener=MARK6, scheduler="rr")
    table = {
        TCP6: Entry(service=service, destinations={server.endpoint: server}),
        MARK6: Entry(service=marked, destinations={}),
    }
    assert plane.apply(reconcile(table, {}, ())) == []
    found = {each.get("PROTOCOL", "mark"): each for each in services(asker)}
    plane.close()
    assert (found[6]["ADDR"], found[6]["PORT"], found[6]["NETMASK"]) == ("fd00::1", 443, 64)
    assert (found[6]["TIMEOUT"], found[6]["SCHED_NAME"], found[6]["FLAGS"]["flags"] & 0x11) == (60, "sh", 0x11)
    assert (found["mark"]["AF"], found["mark"]["FWMARK"]) == (10, 9)
    key = [("IPVS_SVC_ATTR_AF", 10), ("IPVS_SVC_ATTR_PROTOCOL", 6), ("IPVS_SVC_ATTR_ADDR", "fd00::1")]
    wanted = ("IPVS_CMD_ATTR_SERVICE", {"attrs": [*key, ("IPVS_SVC_ATTR_PORT", 443)]})
    dest = within(asker.ask(IPVS_CMD_GET_DEST, NLM_F_DUMP, wanted)[0], "DEST")
    assert {name: dest[name] for name in ("ADDR", "PORT", "FWD_METHOD", "WEIGHT", "U_THRESH", "L_THRESH")} == {
        "ADDR": "10.1.0.1", "PORT": 443, "FWD_METHOD": 2, "WEIGHT": 3, "U_THRESH": 9, "L_THRESH": 5,
    }  # fmt: skip
    assert (dest["TUN_TYPE"], dest["TUN_PORT"], dest["TUN_FLAGS"], dest["ADDR_FAMILY"]) == (1, 5555, 2, 2)
    assert dest["STATS64"].get_attr("IPVS_STATS_ATTR_CONNS") == 0


def services(asker: Asker) -> list[dict[str, Any]]:
    return [within(each, "SERVICE") for each in asker.ask(IPVS_CMD_GET_SERVICE, NLM_F_DUMP)]


def test_pyroute2_reads_a_sync_daemon_and_the_kernel_runs_none_with_servers_of_both_families(asker: Asker) -> None:
    plane = IpvsPlane()
    daemon = SyncDaemon(interface="lo", sync_id=7, max_len=1400, port=8850, ttl=3, group="224.0.0.85")
    assert plane.set_sync(daemon) == 2
    found = [within(each, "DAEMON") for each in asker.ask(IPVS_CMD_GET_DAEMON, NLM_F_DUMP)]
    assert plane.set_sync(None) == 2
    server = Destination(address="10.1.0.1", port=443, weight=1, forwarding=Forwarding.TUNNEL)
    table = {TCP6: Entry(service=Service(listener=TCP6, scheduler="rr"), destinations={server.endpoint: server})}
    assert plane.apply(reconcile(table, {}, ())) == []
    with pytest.raises(KernelError, match=r"sync daemon on lo: Invalid argument \(EINVAL: IPVS synchronizes nothing"):
        plane.set_sync(daemon)
    plane.close()
    assert sorted(each["STATE"] for each in found) == [1, 2]
    assert {(each["MCAST_IFN"], each["SYNC_ID"], each["SYNC_MAXLEN"]) for each in found} == {("lo", 7, 1400)}
    where = {(each["MCAST_GROUP"], each["MCAST_PORT"], each["MCAST_TTL"]) for each in found}
    assert where == {("224.0.0.85", 8850, 3)}


def test_we_read_what_pyroute2_wrote(asker: Asker) -> None:
    key = [
        ("IPVS_SVC_ATTR_AF", 10), ("IPVS_SVC_ATTR_PROTOCOL", 6), ("IPVS_SVC_ATTR_ADDR", "fd00::1"),
        ("IPVS_SVC_ATTR_PORT", 443),
    ]  # fmt: skip
    service = [
        *key, ("IPVS_SVC_ATTR_SCHED_NAME", "sh"), ("IPVS_SVC_ATTR_FLAGS", {"flags": 0x11, "mask": 0xFFFFFFFF}),
        ("IPVS_SVC_ATTR_TIMEOUT", 60), ("IPVS_SVC_ATTR_NETMASK", 64),
    ]  # fmt: skip
    server = [
        ("IPVS_DEST_ATTR_ADDR_FAMILY", 2), ("IPVS_DEST_ATTR_ADDR", "10.1.0.1"), ("IPVS_DEST_ATTR_PORT", 443),
        ("IPVS_DEST_ATTR_FWD_METHOD", 2), ("IPVS_DEST_ATTR_WEIGHT", 3), ("IPVS_DEST_ATTR_U_THRESH", 0),
        ("IPVS_DEST_ATTR_L_THRESH", 0), ("IPVS_DEST_ATTR_TUN_TYPE", 1), ("IPVS_DEST_ATTR_TUN_PORT", 5555),
        ("IPVS_DEST_ATTR_TUN_FLAGS", 2),
    ]  # fmt: skip
    asker.ask(IPVS_CMD_NEW_SERVICE, NLM_F_ACK, ("IPVS_CMD_ATTR_SERVICE", {"attrs": service}))
    attributes = (("IPVS_CMD_ATTR_SERVICE", {"attrs": key}), ("IPVS_CMD_ATTR_DEST", {"attrs": server}))
    asker.ask(IPVS_CMD_NEW_DEST, NLM_F_ACK, *attributes)
    plane = IpvsPlane()
    table = plane.read().table
    plane.close()
    read = Destination(address="10.1.0.1", port=443, weight=3, forwarding=Forwarding.TUNNEL, tunnel=GUE)
    wanted = Service(listener=TCP6, scheduler="sh", flags=0x10, persistence_timeout_s=60, persistence_prefix_len=64)
    assert table == {TCP6: Entry(service=wanted, destinations={read.endpoint: read})}
