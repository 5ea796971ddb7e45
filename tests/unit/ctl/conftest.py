"""Hand-made replies of a daemon: one in good health, and ways to spoil it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from pyhad.common import messages as m
from pyhad.common.states import ProcessName, ProcessState, RouterState

S = 1_000_000_000
NOW_NS = 1_000_000 * S


def process(name: ProcessName, **changes: Any) -> m.ProcessStatus:
    values: dict[str, Any] = {
        "name": name, "state": ProcessState.RUNNING, "pid": 4200 + list(ProcessName).index(name),
        "uptime_ns": (3 * 86400 + 4 * 3600) * S, "restarts": 0, "silent_ns": S // 10, "silent": False,
        "late_ns": 1_250_000,
    }  # fmt: skip
    return m.ProcessStatus(**(values | changes))


def router(name: str, vrid: int, state: RouterState, **changes: Any) -> m.RouterStatus:
    values: dict[str, Any] = {
        "name": name, "vrid": vrid, "family": 4, "version": 2, "interface": "eth0", "state": state,
        "since_ns": NOW_NS - 7380 * S, "reason": "", "base_priority": 150, "effective_priority": 150,
        "master_address": "192.0.2.2", "master_priority": 150, "addresses": ("192.0.2.100/24",),
        "advert_interval_cs": 100, "counters": {"advert_sent": 7380},
    }  # fmt: skip
    return m.RouterStatus(**(values | changes))


def health(server: str, up: bool, reason: str, since_ns: int = NOW_NS - 12 * S) -> m.ServerHealth:
    verdict = m.Verdict(service="192.0.2.100:80/tcp", server=server, up=up, weight=1, since_ns=since_ns, reason=reason)
    check = m.CheckStatus(
        kind="TCP_CHECK", up=up, reason=reason, runs=90, failures=0 if up else 4, last_ns=NOW_NS - S, latency_ns=310_000
    )
    return m.ServerHealth(verdict=verdict, checks=(check,))


def destination(server: str, **changes: Any) -> m.DestinationStatus:
    values: dict[str, Any] = {
        "server": server, "up": True, "weight": 1, "wanted_weight": 1, "active_connections": 17,
        "inactive_connections": 4, "connections": 12034, "sorry": False,
    }  # fmt: skip
    return m.DestinationStatus(**(values | changes))


def good_reply() -> m.StatusReply:
    vrrp = m.VrrpStatus(
        ticket=7, taken_ns=NOW_NS - 2_000_000, generation=3, counters={"packets_refused": 0},
        routers=(
            router("VI_WEB", 51, RouterState.MASTER, addresses=("192.0.2.100/24", "192.0.2.101/24", "192.0.2.102/24")),
            router("VI_MAIL", 52, RouterState.BACKUP, interface="eth0.20", base_priority=100, effective_priority=80,
                   master_address="192.0.2.3", master_priority=90, since_ns=NOW_NS - 42 * S),
        ),
    )  # fmt: skip
    checker = m.CheckerStatus(
        ticket=7, taken_ns=NOW_NS - 3_000_000, generation=3, counters={},
        servers=(
            health("10.1.0.11:80", True, "check_succeeded"),
            health("10.1.0.12:80", False, "connect_refused"),
            health("10.1.0.13:80", True, "check_succeeded"),
        ),
    )  # fmt: skip
    service = m.ServiceStatus(
        service="192.0.2.100:80/tcp", scheduler="wrr", forwarding="NAT", quorum_up=True, installed=True, problem="",
        destinations=(
            destination("10.1.0.11:80"),
            destination("10.1.0.12:80", up=False, weight=-1, wanted_weight=1, active_connections=0,
                        inactive_connections=0, connections=0, rates=None),
            destination("10.1.0.13:80", weight=3, wanted_weight=3, active_connections=51, connections=30112),
            destination("10.1.0.99:80", weight=-1, sorry=True, active_connections=0, inactive_connections=0,
                        connections=0),
        ),
        connections=42160, in_packets=7, rates=m.Rates(connections=3, out_bytes=9),
    )  # fmt: skip
    ipvs = m.IpvsStatus(
        ticket=7, taken_ns=NOW_NS - 3_000_000, generation=3, data_plane="ipvs", services=(service,), counters={}
    )
    return m.StatusReply(
        schema=1, version="0.1.0", router_id="director-a", taken_ns=NOW_NS,
        config_files=("/etc/keepalived/keepalived.conf", "/etc/keepalived/conf.d/web.conf"), config_generation=3,
        last_reload_ok=True, last_reload_error="", last_reload_ns=NOW_NS - 5400 * S,
        processes=tuple(process(name) for name in ProcessName), vrrp=vrrp, checker=checker, ipvs=ipvs,
        counters={"operator_requests": 1},
    )  # fmt: skip


class Replies:
    """Makes replies for a test; `now_ns` is the moment they were taken."""

    now_ns = NOW_NS
    process = staticmethod(process)
    router = staticmethod(router)
    health = staticmethod(health)
    destination = staticmethod(destination)

    def good(self) -> m.StatusReply:
        return good_reply()

    def with_process(self, reply: m.StatusReply, name: ProcessName, **changes: Any) -> m.StatusReply:
        rows = tuple(dataclasses.replace(row, **changes) if row.name is name else row for row in reply.processes)
        return dataclasses.replace(reply, processes=rows)

    def silent_vrrp(self) -> m.StatusReply:
        """As `good`, but the vrrp process has not turned for 4.2 s, nor reported since."""
        reply = self.with_process(self.good(), ProcessName.VRRP, silent=True, silent_ns=4_200_000_000)
        assert reply.vrrp is not None
        return dataclasses.replace(reply, vrrp=dataclasses.replace(reply.vrrp, taken_ns=NOW_NS - 4_200_000_000))

    def nothing_needed(self) -> m.StatusReply:
        """A daemon with an empty configuration."""
        reply = dataclasses.replace(self.good(), vrrp=None, checker=None, ipvs=None, last_reload_ns=0)
        for name in (ProcessName.VRRP, ProcessName.CHECKER, ProcessName.IPVS):
            reply = self.with_process(reply, name, state=ProcessState.ABSENT, pid=0, uptime_ns=0, silent_ns=0)
        return reply


@pytest.fixture
def replies() -> Replies:
    return Replies()
