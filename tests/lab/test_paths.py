"""Routes, rules and static items in the kernel: beside keepalived, moved, stolen, reloaded, and kept by a respawn."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.lab.net import Lab, LabError, Running, log_lines, wait_until

pytestmark = pytest.mark.lab

BUSY_S = 40
"""How long anything may take to begin with on a machine that does much else; it ends as soon as it is there."""
PYHAD = str(Path(__file__).parents[2] / ".venv" / "bin" / "pyhad")
STATIC = """
static_ipaddress {
    10.9.0.1/24 dev eth0 scope link
    10.9.1.1 dev eth0 peer 10.9.1.2
    2001:db8:9::1/64 dev eth0 noprefixroute
}
static_routes {
    10.50.0.0/16 via 10.0.0.254 dev eth0
    blackhole 10.52.0.0/16
}
static_rules {
    to 10.61.0.0/16 lookup 101 priority 1000
}
"""
INSTANCE = """
vrrp_instance V {{
    interface eth0
    virtual_router_id 5
    priority {priority}
    advert_int 0.1
    version 3
    virtual_ipaddress {{
        10.0.0.100/24
        10.0.0.101 label eth0:1 scope link
        10.0.0.102/24 brd +
    }}
    virtual_ipaddress_excluded {{
        2001:db8::100/64
        2001:db8::101 preferred_lft 3000
        2001:db8::102/64 home mngtmpaddr
    }}
    virtual_routes {{
{routes}
    }}
    virtual_rules {{
{rules}
    }}
    {words}
}}
"""
ROUTES = """
        10.70.0.0/16 via 10.0.0.254
        10.71.0.0/16 dev eth0
        10.72.0.0/16 via 10.0.0.254 dev eth0 table 200 metric 77 src 10.0.0.100
        src 10.0.0.100 to 10.73.0.0/16 via 10.0.0.254 dev eth0 tos 4
        unreachable 10.74.0.0/16
        prohibit 10.75.0.0/16
        throw 10.76.0.0/16 table 200
        10.79.0.0/16 mtu lock 1400 advmss 1300 rtt 300ms rttvar lock 900 window 3000 cwnd 10 ssthresh 9 realms 3/4 \
            rto_min 300ms initcwnd 11 initrwnd 12 features ecn quickack 1 congctl lock cubic hoplimit 9 reordering 4 \
            fastopen_no_cookie 1 via 10.0.0.254 dev eth0
        10.80.0.0/16 nexthop via 10.0.0.254 dev eth0 weight 3 nexthop via 10.0.0.253 dev eth0 weight 2 onlink
        10.82.0.0/16 via 192.168.3.3 dev eth0 onlink
        10.84.0.0/16 encap ip id 5 dst 10.3.3.3 ttl 3 dev eth0
        2001:db8:70::/48 via 2001:db8::fe dev eth0 pref high
        default via 10.0.0.254 dev eth0 metric 500
        unreachable 2001:db8:72::/48
        2001:db8:73::/48 nexthop via 2001:db8::fe dev eth0 weight 1 nexthop via 2001:db8::fd dev eth0 weight 4
        2001:db8:74::/48 from 2001:db8::/64 via 2001:db8::fe dev eth0
        blackhole 10.86.0.0/16 no_track protocol static
        10.87.0.0/16 via 10.0.0.254 dev eth0 add
        10.87.0.0/16 via 10.0.0.253 dev eth0 append
"""
RULES = """
        from 10.90.0.0/16 table 100
        to 10.91.0.0/16 table 101
        not from 10.92.0.0/16 table 102 priority 900
        fwmark 0x10/0xff table 103 preference 901
        oif eth0 uidrange 100-200 blackhole priority 902
        ipproto tcp sport 10-20 dport 30-40 prohibit priority 903
        from 10.93.0.0/16 to 10.94.0.0/16 realms 5/6 table 105 priority 904
        suppress_prefixlength 0 table main priority 905
        goto 950 priority 906
        nop priority 950
        l3mdev priority 907
        from 2001:db8:90::/48 table 100 priority 33
        tunnel-id 77 table 106 priority 908
        suppress_ifgroup default table 107 priority 909
"""


def configuration(priority: int = 100, routes: str = ROUTES, rules: str = RULES, words: str = "") -> str:
    body = INSTANCE.format(priority=priority, routes=routes, rules=rules, words=words)
    return "global_defs {\n vrrp_garp_master_repeat 1\n pyhad_vip_lease off\n}\n" + STATIC + body


class Kernel:
    """What the kernel of one host holds, as `ip` reads it back, without what cannot be the same on two hosts."""

    def __init__(self, lab: Lab, host: str) -> None:
        self._lab = lab
        self._host = host

    def ip(self, *words: str) -> Any:
        text = self._lab.run(self._host, "ip", "-d", "-j", *words)
        return json.loads(text or "[]")

    def do(self, *words: str) -> None:
        self._lab.run(self._host, "ip", *words)

    def routes(self) -> list[str]:
        found = [*self.ip("route", "show", "table", "all"), *self.ip("-6", "route", "show", "table", "all")]
        mine = [one for one in found if not str(one["dst"]).startswith(("fe80", "ff00"))]
        return sorted(json.dumps(one, sort_keys=True) for one in mine)

    def rules(self) -> list[str]:
        return [json.dumps(one, sort_keys=True) for one in (*self.ip("rule"), *self.ip("-6", "rule"))]

    def addresses(self) -> list[str]:
        [link] = self.ip("addr", "show", "dev", "eth0")
        skipped = ("valid_life_time", "preferred_life_time", "protocol")
        found = [{key: one[key] for key in one if key not in skipped} for one in link["addr_info"]]
        return sorted(json.dumps(one, sort_keys=True) for one in found if not one["local"].startswith("fe80"))

    def whole(self) -> tuple[list[str], list[str], list[str]]:
        return self.routes(), self.rules(), self.addresses()


class Node:
    """One host with a daemon of either kind."""

    def __init__(self, lab: Lab, folder: Path, host: str, address: str, lan: str) -> None:
        lab.wire(host, "eth0", lan, f"10.0.0.{address}/24", f"2001:db8::{address}/64")
        self.lab, self.host, self.kernel = lab, host, Kernel(lab, host)
        self.path, self.log, self.folder = folder / f"{host}.conf", folder / f"{host}.log", folder
        self.before = self.kernel.whole()
        self.daemon: Running | None = None

    def start(self, text: str, kind: str = "pyhad") -> None:
        self.path.write_text(text)
        self.path.chmod(0o644)
        common = [kind if kind != "pyhad" else PYHAD, "-n", "-l", "-f", str(self.path)]
        if kind == "pyhad":
            common += ["--run-dir", str(self.folder / f"run-{self.host}")]
        else:
            common += ["-p", str(self.folder / f"{self.host}.pid"), "-r", str(self.folder / f"{self.host}.vrrp")]
        self.daemon = self.lab.start(self.host, *common, log=self.log)

    def reload(self, text: str) -> None:
        before = self.count("configuration_applied")
        self.path.write_text(text)
        assert self.daemon is not None
        self.daemon.signal(signal.SIGHUP)
        wait_until(lambda: self.count("configuration_applied") > before, BUSY_S, "the reload is in force")

    def count(self, event: str) -> int:
        return len(self.events(event))

    def events(self, event: str) -> list[dict[str, Any]]:
        return [line for line in log_lines(self.log) if line["event"] == event]

    def wait_for_master(self) -> None:
        wait_until(
            lambda: '"dst": "10.87.0.0/16"' in "".join(self.kernel.routes()), BUSY_S, f"{self.host} leads packets"
        )
        wait_until(lambda: "10.0.0.102" in "".join(self.kernel.addresses()), BUSY_S, f"{self.host} holds the addresses")


@pytest.fixture
def node(lab: Lab, open_folder: Path) -> Node:
    """One alone."""
    return Node(lab, open_folder, "n", "1", "lan")


@pytest.mark.behaviour("NET-1")
@pytest.mark.behaviour("NET-6")
@pytest.mark.behaviour("NET-7")
@pytest.mark.behaviour("PROC-31")
def test_the_kernel_holds_the_same_as_with_keepalived(lab: Lab, open_folder: Path) -> None:
    ours, theirs = (Node(lab, open_folder, host, "1", f"lan{host}") for host in ("a", "b"))
    ours.start(configuration())
    theirs.start(configuration(), "keepalived")
    for one in (ours, theirs):
        one.wait_for_master()
    with contextlib.suppress(LabError):  # what differs is shown below
        wait_until(lambda: ours.kernel.whole() == theirs.kernel.whole(), 10, "both have come to rest")
    mine, reference = ours.kernel.whole(), theirs.kernel.whole()
    assert mine[0] == reference[0]
    assert mine[1] == reference[1]
    assert mine[2] == reference[2]
    assert len(mine[0]) > 30
    assert ours.events("route_not_installed") == []
    assert ours.daemon is not None
    ours.daemon.stop()
    assert ours.kernel.whole() == ours.before


def test_what_somebody_takes_away_is_there_again_at_once(node: Node) -> None:
    node.start(configuration())
    node.wait_for_master()
    time.sleep(0.3)
    whole = node.kernel.whole()
    for words in (
        ("route", "del", "10.72.0.0/16", "table", "200"),
        ("-6", "route", "del", "2001:db8:70::/48"),
        ("route", "del", "default"),
        ("rule", "del", "preference", "901"),
        ("-6", "rule", "del", "preference", "33"),
        ("route", "del", "10.50.0.0/16"),
        ("rule", "del", "preference", "1000"),
        ("addr", "del", "10.9.0.1/24", "dev", "eth0"),
        ("addr", "del", "10.0.0.100/24", "dev", "eth0"),
    ):
        node.kernel.do(*words)
    wait_until(lambda: node.kernel.whole() == whole, 2, "all is put back at once")
    node.kernel.do("route", "flush", "proto", "18")
    wait_until(lambda: node.kernel.whole() == whole, 6, "all is put back within the pause")
    wait_until(lambda: node.count("lost_paths_put_back") >= 4, 5, "the log says so")
    assert node.count("lost_static_addresses_put_back") == 1
    node.kernel.do("route", "replace", "10.71.0.0/16", "dev", "lo")
    wait_until(lambda: set(whole[0]) <= set(node.kernel.routes()), 6, "ours is back before the one that replaced it")
    node.kernel.do("route", "del", "10.86.0.0/16")  # no_track
    time.sleep(0.5)
    assert "10.86.0.0" not in "".join(node.kernel.routes())
    assert [one["new"] for one in node.events("state_changed")] == ["BACKUP", "MASTER"]


def test_a_respawn_keeps_and_a_reload_writes_the_difference_only(lab: Lab, node: Node) -> None:
    patient = ("advert_int 0.1", "advert_int 1")  # a successor goes on while the peers' patience lasts
    node.start(configuration().replace(*patient))
    node.wait_for_master()
    time.sleep(0.3)
    whole = node.kernel.whole()
    monitored = node.folder / "monitor"
    monitor = lab.start("n", "ip", "monitor", "route", "rule", "address", log=monitored)
    time.sleep(0.2)
    children = [one["child_pid"] for one in node.events("child_started") if one["child"] == "vrrp"]
    os.kill(children[-1], signal.SIGKILL)
    wait_until(lambda: "resumed_after_restart" in node.log.read_text(), BUSY_S, "the successor goes on")
    time.sleep(0.3)
    assert node.kernel.whole() == whole
    assert monitored.read_text() == ""
    changed = ROUTES.replace("10.71.0.0/16 dev eth0", "10.71.0.0/16 dev eth0 metric 9")
    node.reload(
        configuration(routes=changed, rules=RULES.replace("table 103", "lookup 103"))
        .replace("10.52", "10.53")
        .replace(*patient)
    )
    wait_until(lambda: monitored.read_text().count("\n") >= 4, 5, "the difference is written")
    time.sleep(0.3)
    monitor.stop()
    assert sorted(line.strip().split(" proto")[0] for line in monitored.read_text().splitlines()) == [
        "10.71.0.0/16 dev eth0", "Deleted 10.71.0.0/16 dev eth0", "Deleted blackhole 10.52.0.0/16",
        "blackhole 10.53.0.0/16",
    ]  # fmt: skip


def test_they_move_with_the_mastership_and_what_a_killed_daemon_left_goes(lab: Lab, open_folder: Path) -> None:
    first, second = Node(lab, open_folder, "a", "1", "lan"), Node(lab, open_folder, "b", "2", "lan")
    first.start(configuration(priority=150))
    first.wait_for_master()
    second.start(configuration(priority=100))
    ours = '"protocol": "keepalived"'
    wait_until(lambda: "".join(second.kernel.routes()).count(ours) == 2, BUSY_S, "b has its static routes")
    held = [one for one in first.kernel.routes() if one not in second.kernel.routes()]
    assert len([one for one in held if "keepalived" in one]) == 18 + 4, (
        "virtual, and IPv6 twice; b has the static ones too"
    )
    lab.kill_all("a", "pyhad")
    second.wait_for_master()
    assert [one for one in first.kernel.routes() if "keepalived" in one] != []
    first.start(configuration(priority=90))
    wait_until(lambda: not [one for one in first.kernel.routes() if "10.7" in one], BUSY_S, "what was left is gone")
    statics = lambda: [one for one in first.kernel.routes() if ours in one]  # noqa: E731
    wait_until(lambda: len(statics()) == 2, 5, "the static routes are there, and no others")
    assert second.daemon is not None
    second.daemon.stop()
    first.wait_for_master()
    assert [one for one in second.kernel.routes() if "keepalived" in one] == []


def test_what_the_kernel_refuses_is_said_and_stops_nothing(node: Node) -> None:
    routes = """
        10.70.0.0/16 via 172.16.0.1
        10.87.0.0/16 dev eth0
        10.71.0.0/16 dev eth0 src 172.16.0.9
    """
    node.start(configuration(routes=routes, rules=""))
    node.wait_for_master()
    wait_until(lambda: node.count("route_not_installed") == 2, 6, "both refusals are said")
    found = node.events("route_not_installed")
    assert found[0]["route"] == "10.70.0.0/16 via 172.16.0.1"
    assert found[0]["error"] == "Network is unreachable"
    assert "onlink" in found[0]["remedy"]
    assert found[1]["route"].endswith("src 172.16.0.9")
    node.kernel.do("addr", "add", "172.16.0.9/24", "dev", "eth0")
    wait_until(lambda: "172.16.0.1" in "".join(node.kernel.routes()), 15, "what became possible is installed")
    wait_until(lambda: node.count("refused_paths_installed"), 5, "the log says so")


@pytest.mark.behaviour("FSM-37")
def test_on_request_a_loss_costs_the_mastership_as_with_keepalived(node: Node) -> None:
    node.start(configuration(words="pyhad_put_back off"))
    node.wait_for_master()
    time.sleep(0.2)
    node.kernel.do("rule", "del", "preference", "901")
    wait_until(lambda: len(node.events("state_changed")) >= 4, 10, "it steps down and comes again")
    found = [(one["new"], one["reason"]) for one in node.events("state_changed")]
    assert found[2:4] == [("BACKUP", "lost"), ("MASTER", "active_down_timer")]
