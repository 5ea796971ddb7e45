"""Dumps on signals, beside keepalived's own of the same configuration; metrics by HTTP; nothing follows a link."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.lab.net import Lab, Running, wait_until
from tests.lab.test_vrrp_interop import PYHAD

pytestmark = pytest.mark.lab

JSON = signal.SIGRTMIN + 2
CLEAR = signal.SIGRTMAX - 1
TEXT = """
global_defs {{
    router_id lab
    script_user root
    {globals}
}}
vrrp_script good {{
    script "/bin/true x"
    interval 1
    weight 3
}}
vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id {vrid}
    priority 150
    advert_int 1
    higher_prio_send_advert {answer}
    authentication {{
        auth_type PASS
        auth_pass hush
    }}
    virtual_ipaddress {{
        10.0.{net}.100/24 brd 10.0.{net}.255 label eth0:1
        10.0.{net}.101
    }}
    virtual_ipaddress_excluded {{ 10.0.{net}.102 }}
    track_script {{ good }}
    track_interface {{ lo weight 5 }}
    notify_master "/bin/true m"
    smtp_alert
}}
vrrp_instance VI_6 {{
    interface eth0
    virtual_router_id {vrid}
    priority 90
    advert_int 0.5
    version 3
    nopreempt
    higher_prio_send_advert {answer}
    garp_master_delay 2
    virtual_ipaddress {{
        fe80::{net}:100
        2001:db8::{net}:100/64
    }}
}}
"""
UNLIKE = {"last_transition", "auth_data", "script_master", "track_script"}
"""Times; a password that keepalived 2.2.7 tells; paths that it resolves (all of them looked at below)."""


FOLLOWED_TOO = re.compile(r" no_track$| \[installed ifindex \d+\]$")
"""keepalived does not follow routes that name no interface; it knows a number beside some."""


def start(lab: Lab, host: str, folder: Path, *command: str, globals: str = "", **environment: str) -> Running:
    path = folder / f"{host}.conf"
    path.write_text(TEXT.format(globals=globals, vrid=51, net=9, answer="true"))
    path.chmod(0o644)
    return lab.start(host, *command, "-f", str(path), log=folder / f"{host}.log", environment=environment)


def fresh(path: Path, daemon: Running, number: int) -> str:
    """What the signal has the daemon write; keepalived writes it where it is read, piece by piece."""
    path.unlink(missing_ok=True)
    daemon.signal(number)
    wait_until(path.exists, 15, f"{path} is there")
    sizes: list[int] = []

    def is_whole() -> bool:
        sizes.append(path.stat().st_size)
        return sizes[-1] > 0 and len(set(sizes[-5:])) == 1 and len(sizes) > 5

    wait_until(is_whole, 15, f"{path} grows no more")
    return path.read_text()


@pytest.fixture
def folders(open_folder: Path) -> tuple[Path, Path]:
    """Of keepalived, and of pyhad."""
    theirs, ours = open_folder / "theirs", open_folder / "ours"
    theirs.mkdir()
    return theirs, ours


@pytest.mark.behaviour("SIG-9")
@pytest.mark.behaviour(
    "SIG-3", "SIG-4", "SIG-5", "SIG-6", "SIG-11", "SIG-20", "SIG-21", "SIG-22", "SIG-23", "SIG-24", "SIG-30"
)
def test_dumps_are_keepalived_s(lab: Lab, open_folder: Path, folders: tuple[Path, Path]) -> None:
    theirs, ours = folders
    for host in ("k", "p"):  # each alone on its own segment: the same names and addresses, the same role
        lab.wire(host, "eth0", f"lan{host}", "10.0.9.1/24", "2001:db8::1/64")
    pids = [part for name in "prc" for part in (f"-{name}", str(theirs / f"{name}.pid"))]
    keepalived = start(lab, "k", open_folder, "keepalived", "-n", "-l", *pids, TMPDIR=str(theirs))
    port = "pyhad_metrics 127.0.0.1 9000"
    pyhad = start(lab, "p", open_folder, PYHAD, "-n", "-l", "--run-dir", str(ours), globals=port)
    for host in ("k", "p"):
        wait_until(lambda host=host: "10.0.9.100" in lab.addresses(host), 30, f"{host} is master")
    their_json = counted_in(theirs / "keepalived.json", keepalived)
    our_json = counted_in(ours / "keepalived.json", pyhad)
    compare_json(their_json, our_json)
    their_data = fresh(theirs / "keepalived.data", keepalived, signal.SIGUSR1)
    our_data = fresh(ours / "keepalived.data", pyhad, signal.SIGUSR1)
    compare_data(their_data, our_data)
    compare_scripts(their_data, our_data)
    wait_until((ours / "keepalived_parent.data").exists, 15, "the parent's dump")
    number = re.compile(r"\d+$", re.MULTILINE)
    their_stats = fresh(theirs / "keepalived.stats", keepalived, signal.SIGUSR2)
    our_stats = fresh(ours / "keepalived.stats", pyhad, CLEAR)
    assert number.sub("N", our_stats) == number.sub("N", their_stats)
    assert "  Became master: 1\n" in our_stats
    assert "  Became master: 0\n" in fresh(ours / "keepalived.stats", pyhad, signal.SIGUSR2)
    assert (ours / "keepalived.stats").stat().st_mode & 0o777 == 0o600
    metrics = lab.run("p", "curl", "-s", "http://127.0.0.1:9000/metrics")
    assert 'pyhad_vrrp_state{instance="VI_1",vrid="51",interface="eth0",family="4",state="master"} 1' in metrics
    assert 'pyhad_vrrp_become_master_total{instance="VI_1",vrid="51",interface="eth0",family="4"} 1' in metrics
    assert metrics.endswith("# EOF\n")
    assert "hush" not in metrics + json.dumps(our_json) + (ours / "keepalived.data").read_text()


def counted_in(path: Path, daemon: Running) -> list[dict[str, Any]]:
    """The JSON once the script and the interface have added to the priority of the first router."""
    found: list[dict[str, Any]] = []

    def has_all() -> bool:
        found[:] = json.loads(fresh(path, daemon, JSON))
        return bool(found[0]["data"]["effective_priority"] == 150 + 3 + 5)

    wait_until(has_all, 15, f"{path} has the whole priority", every_s=0.3)
    return found


def compare_json(theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> None:
    for their, our in zip(theirs, ours, strict=True):
        assert list(our) == list(their)
        assert list(our["data"]) == list(their["data"])
        assert list(our["stats"]) == list(their["stats"])
        same = set(their["data"]) - UNLIKE
        assert {key: our["data"][key] for key in same} == {key: their["data"][key] for key in same}
        assert {key: type(value) for key, value in our["data"].items()} == {
            key: type(value) for key, value in their["data"].items()
        }
        assert abs(our["data"]["last_transition"] - their["data"]["last_transition"]) < 60
        assert our["stats"]["become_master"] == their["stats"]["become_master"] == 1
    assert ours[0]["data"]["track_script"] == ["'/bin/true' 'x'"]
    assert ours[0]["data"]["auth_data"] == "********"


def compare_data(theirs: str, ours: str) -> None:
    """Each line of ours about an instance is one of theirs, but for those that hold times, paths and passwords."""
    unlike = re.compile(r"transition|address ff|Using src_ip|Password|Total priority|Command|Timeout")
    known = {FOLLOWED_TOO.sub("", line) for line in theirs.splitlines()}
    topology = ours[ours.index("------< VRRP Topology") :].partition("------< VRRP Scripts")[0]
    lines = [FOLLOWED_TOO.sub("", line) for line in topology.splitlines() if not unlike.search(line)]
    assert [line for line in lines if line not in known] == []


def compare_scripts(theirs: str, ours: str) -> None:
    for wanted in (" VRRP Script = good", "   Status = GOOD", "   State = idle"):
        assert wanted in ours.splitlines()
        assert wanted in theirs.splitlines()


PATHS = """
global_defs {
    script_user root
    vrrp_higher_prio_send_advert false
}
vrrp_instance VI_1 {
    interface eth0
    use_vmac
    virtual_router_id 51
    priority 150
    advert_int 0.5
    version 3
    virtual_ipaddress {
        10.0.9.100/24
        10.0.9.101/32 dev eth1
    }
    virtual_routes {
        src 10.0.9.100 to 10.8.0.0/16 via 10.0.9.9 dev eth0 metric 5 table 77
        10.10.0.0/16 dev eth1 scope link mtu 1400 no_track
        10.11.0.0/16 nexthop via 10.0.9.9 dev eth0 weight 2 nexthop via 10.0.9.8 dev eth0 weight 3
        10.13.0.0/16 via 10.0.9.9 dev eth0 tos 0x10 table 78 metric 9 mtu lock 1300 advmss 1200 realms 5 onlink append
        10.13.0.0/16 dev eth0 metric 10 hoplimit 9 initcwnd 4 window 1000 features ecn quickack 1
        10.13.0.0/16 dev eth0 metric 11 initrwnd 7 ssthresh 8 reordering 4 cwnd 3 congctl cubic
        local 10.14.0.0/32 dev eth0 scope host
        add 10.17.0.0/16 dev eth0
        default dev eth0 table 80
        10.18.0.1 dev eth0 src 10.0.9.1
        blackhole 10.9.0.0/16
        throw 10.15.0.0/16 table 79
    }
    virtual_rules {
        from 10.0.9.100 lookup 77 priority 100
        from 10.0.9.0/24 to 10.7.0.0/16 fwmark 5/0xff iif eth1 table 78 priority 101 no_track
        from 1.2.3.4 priority 102 blackhole
        from 1.2.3.0/24 goto 103 priority 102
        not from 1.2.0.0/16 to 3.4.5.6 tos 0x8 realms 3/4 table 5 uidrange 5-6 priority 200
        suppress_prefixlength 16 suppress_ifgroup 7 iif eth0 oif eth1 tunnel-id 9 table 5 priority 203
        from 1.2.0.0/16 ipproto tcp sport 5-9 dport 10-11 table 5 priority 206
        iif eth0 l3mdev priority 201
        fwmark 7 prohibit priority 202
        iif eth0 nop priority 204
        to 9.0.0.0/8 unreachable priority 205
    }
}
vrrp_instance VI_2 {
    interface eth0
    use_vmac vm2
    vmac_xmit_base
    virtual_router_id 52
    virtual_ipaddress { 10.0.9.110/24 }
}
vrrp_instance VI_6 {
    interface eth0
    use_vmac
    virtual_router_id 51
    advert_int 0.5
    version 3
    virtual_ipaddress {
        fe80::9:100
        2001:db8::9:100/64
    }
    virtual_routes {
        2001:db8:9::/48 from 2001:db8:1::/48 via 2001:db8::9 dev eth0
        default via 2001:db8::8 dev eth0 table 77 pref high expires 500
    }
    virtual_rules { from 2001:db8::9:100 lookup 77 priority 110 }
}
"""


@pytest.mark.behaviour("SIG-21", "SIG-24", "NET-6")
def test_virtual_macs_routes_and_rules_are_told_in_keepalived_s_words(
    lab: Lab, open_folder: Path, folders: tuple[Path, Path]
) -> None:
    theirs, ours = folders
    path = open_folder / "both.conf"
    path.write_text(PATHS)
    path.chmod(0o644)
    for host in ("k", "p"):
        lab.wire(host, "eth0", f"lan{host}", "10.0.9.1/24", "2001:db8::1/64")
        lab.wire(host, "eth1", f"lan{host}", "10.0.8.1/24")
    pids = [part for name in "prc" for part in (f"-{name}", str(theirs / f"{name}.pid"))]
    word = ("-n", "-l", "-f", str(path))
    keepalived = lab.start("k", "keepalived", *word, *pids, log=open_folder / "k", environment={"TMPDIR": str(theirs)})
    pyhad = lab.start("p", PYHAD, *word, "--run-dir", str(ours), log=open_folder / "p")
    for host in ("k", "p"):
        for address in ("10.0.9.100", "10.0.9.110", "2001:db8::9:100"):
            wait_until(lambda h=host, a=address: a in lab.addresses(h), 30, f"{host} is master of {address}")
    their_json: list[dict[str, Any]] = json.loads(fresh(theirs / "keepalived.json", keepalived, JSON))
    our_json: list[dict[str, Any]] = json.loads(fresh(ours / "keepalived.json", pyhad, JSON))
    for their, our in zip(their_json, our_json, strict=True):
        assert list(our["data"]) == list(their["data"])
        for lines in (their["data"], our["data"]):
            lines["vroutes"] = [FOLLOWED_TOO.sub("", line) for line in lines.get("vroutes", [])]
        same = set(their["data"]) - UNLIKE
        assert {key: our["data"][key] for key in same} == {key: their["data"][key] for key in same}
    assert [one["data"]["vmac_ifname"] for one in our_json] == ["vrrp.51", "vm2", "vrrp6.51"]
    compare_data(
        fresh(theirs / "keepalived.data", keepalived, signal.SIGUSR1),
        fresh(ours / "keepalived.data", pyhad, signal.SIGUSR1),
    )
    status = json.loads(lab.run("p", str(Path(PYHAD).with_name("pyhadctl")), "--run-dir", str(ours), "status", "-j"))
    assert [(one["interface"], one["vmac"]) for one in status["vrrp"]["routers"]] == [
        ("eth0", "vrrp.51"), ("eth0", "vm2"), ("eth0", "vrrp6.51")
    ]  # fmt: skip


@pytest.mark.behaviour("SIG-11", "SIG-13")
def test_a_dump_goes_where_it_is_wanted_and_follows_no_link(lab: Lab, open_folder: Path) -> None:
    lab.wire("p", "eth0", "lan", "10.0.9.1/24")
    shared = open_folder / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    victim = open_folder / "victim"
    victim.write_text("precious")
    (shared / "keepalived.json").symlink_to(victim)
    wanted = f"json_dump_file {shared}/\n json_version 2\n umask 022\n"
    pyhad = start(lab, "p", open_folder, PYHAD, "-n", "-l", "--run-dir", str(open_folder / "run"), globals=wanted)
    wait_until(lambda: '"daemon_ready"' in pyhad.log(), 60, "it is ready")

    def replaced() -> bool:  # there is nothing to dump until control has heard of the virtual routers
        pyhad.signal(JSON)
        return not (shared / "keepalived.json").is_symlink()

    wait_until(replaced, 15, "the link is replaced", every_s=5)
    wait_until(lambda: os.listdir(shared) == ["keepalived.json"], 15, "no dump is under way any more")
    assert list(json.loads((shared / "keepalived.json").read_text())) == ["vrrp"]
    assert (shared / "keepalived.json").stat().st_mode & 0o777 == 0o644
    assert victim.read_text() == "precious"
    assert os.listdir(shared) == ["keepalived.json"]
