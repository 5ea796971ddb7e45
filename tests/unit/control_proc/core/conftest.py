"""A daemon as the texts see it: two instances, one script, one service."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyhad.common.config.model import ControlDocument, VirtualAddress, VrrpDocument, VrrpInstance
from pyhad.common.config.model.process import InstanceWords
from pyhad.common.config.model.tracking import Notify, Program, SyncGroup, Tracker, TrackerKind, TrackScript
from pyhad.common.messages import (
    CheckerStatus,
    CheckStatus,
    DestinationStatus,
    IpvsStatus,
    ProcessStatus,
    RouterStatus,
    ServerHealth,
    ServiceStatus,
    StatusReply,
    Verdict,
    VrrpStatus,
)
from pyhad.common.states import ProcessName, ProcessState, RouterState
from pyhad.control_proc.core.sight import Sight

S = 1_000_000_000
TRUE = Program(argv=("/usr/bin/true", "x"))
MASTER = VrrpInstance(
    name="VI_1", vrid=51, family=4, interface="eth0", version=2, start_as_master=False, base_priority=150,
    advertisement_interval_cs=100, authentication_data=b"********",
    addresses=(
        VirtualAddress(address="192.0.2.100", prefix_len=24, interface="eth0", label="eth0:1"),
        VirtualAddress(address="192.0.2.101", prefix_len=32, interface="eth0"),
    ),
    excluded_addresses=(VirtualAddress(address="192.0.2.102", prefix_len=32, interface="eth0"),),
    trackers=(
        Tracker(kind=TrackerKind.SCRIPT, name="chk", weight=10),
        Tracker(kind=TrackerKind.INTERFACE, name="lo", weight=5),
    ),
    notify=Notify(master=TRUE), sync_group="G",
)  # fmt: skip
BACKUP = VrrpInstance(
    name="VI_6", vrid=52, family=6, interface="eth0", version=3, start_as_master=False, base_priority=100,
    advertisement_interval_cs=50, preempt_mode=False, multicast_group="ff02::12",
    addresses=(
        VirtualAddress(address="fe80::100", prefix_len=128, interface="eth0", preferred_lft_s=0),
        VirtualAddress(address="2001:db8::100", prefix_len=64, interface="eth0"),
    ),
)  # fmt: skip


def router(config: VrrpInstance, state: RouterState, **counters: int) -> RouterStatus:
    return RouterStatus(
        name=config.name, vrid=config.vrid, family=config.family, version=config.version,
        interface=config.interface, state=state, since_ns=500 * S, reason="", base_priority=config.base_priority,
        effective_priority=config.base_priority + 15, master_address="fe80::9", master_priority=200, addresses=(),
        advert_interval_cs=config.advertisement_interval_cs, counters=counters, master_interval_cs=25,
    )  # fmt: skip


def process(name: ProcessName) -> ProcessStatus:
    return ProcessStatus(
        name=name, state=ProcessState.RUNNING, pid=9, uptime_ns=60 * S, restarts=2, silent_ns=S // 4, silent=False,
        late_ns=S // 2,
    )  # fmt: skip


def ipvs() -> IpvsStatus:
    server = DestinationStatus(
        server="10.0.0.11:80", up=True, weight=1, wanted_weight=2, active_connections=-1, inactive_connections=-1,
        connections=7, sorry=False,
    )  # fmt: skip
    service = ServiceStatus(
        service="10.0.0.1:80/tcp", scheduler="rr", forwarding="NAT", quorum_up=True, installed=True, problem="",
        destinations=(server,), connections=70, out_bytes=9,
    )  # fmt: skip
    return IpvsStatus(ticket=0, taken_ns=600 * S, generation=1, data_plane="ipvs", services=(service,), counters={})


def checker() -> CheckerStatus:
    verdict = Verdict(service="10.0.0.1:80/tcp", server="10.0.0.11:80", up=True, weight=1, since_ns=0, reason="")
    check = CheckStatus(kind="TCP_CHECK", up=True, reason="", runs=9, failures=1, last_ns=0, latency_ns=S // 8)
    health = ServerHealth(verdict=verdict, checks=(check, check))
    return CheckerStatus(ticket=0, taken_ns=600 * S, generation=1, servers=(health,), counters={})


@pytest.fixture
def make_sight() -> Callable[..., Sight]:
    """A sight; the wall clock is one million seconds ahead of the monotonic one."""

    def make(
        *, json_version: int = 1, configs: tuple[VrrpInstance, ...] = (MASTER, BACKUP), full: bool = False,
        cleared: dict[str, dict[str, int]] | None = None,
    ) -> Sight:  # fmt: skip
        states = {"VI_1": RouterState.MASTER, "VI_6": RouterState.BACKUP}
        vrrp = VrrpDocument(
            schema=1, generation=1, router_id="r", instances=configs,
            scripts=(TrackScript(name="chk", program=TRUE, interval_ns=S, timeout_ns=3 * S),),
            groups=(SyncGroup(name="G", members=("VI_1",)),),
        )  # fmt: skip
        document = ControlDocument(
            schema=1, generation=1, router_id="r", files=("/a.conf",), json_version=json_version,
            instances=tuple(config.name for config in configs), services=("10.0.0.1:80/tcp",) if full else (),
            vrrp=vrrp, words=(InstanceWords(name="VI_1", smtp_alert=True),),
        )  # fmt: skip
        routers = tuple(router(config, states[config.name], advert_sent=5, advert_rcvd=2) for config in configs)
        status = StatusReply(
            schema=1, version="9.9", router_id="r", taken_ns=600 * S, config_files=("/a.conf",), config_generation=1,
            last_reload_ok=True, last_reload_error="", processes=(process(ProcessName.VRRP),),
            vrrp=VrrpStatus(
                ticket=0, taken_ns=600 * S, generation=1, routers=routers, counters={"frames": 3},
                readings={"script chk": 1},
            ),
            checker=checker() if full else None, ipvs=ipvs() if full else None, counters={},
        )  # fmt: skip
        return Sight(document=document, status=status, wall_offset_ns=1_000_000 * S, cleared=cleared or {})

    return make
