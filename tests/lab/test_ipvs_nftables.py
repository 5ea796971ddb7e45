"""The nftables data plane with real traffic: client, director, two web servers."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.net import Lab, wait_until
from tests.vm import traffic
from tests.vm.ipvs_owner import Owner, service

pytestmark = pytest.mark.lab

WEB = f"{traffic.VIP}:80/tcp"
BOTH = {"10.1.0.11:80": 1, "10.1.0.12:80": 1}
Run = Callable[..., Owner]


@pytest.fixture(scope="module")
def site() -> Iterator[Lab]:
    with Lab() as lab:
        traffic.build(lab)
        yield lab


@pytest.fixture
def run(site: Lab) -> Iterator[Run]:
    """Starts the owner on the director with services of the specification; stopped at the end of the test."""
    owners: list[Owner] = []
    base = Path(tempfile.mkdtemp(prefix="pyhad-"))
    base.chmod(0o755)  # the owner is not root and must reach its bus

    def start(*services: dict[str, Any], keep: bool = False) -> Owner:
        folder = base / str(len(owners))
        folder.mkdir()
        specification = {"plane": "nftables", "services": list(services)}
        owners.append(Owner(site.argv("director"), folder, specification, keep=keep))
        return owners[-1]

    site.run("director", "nft", "flush", "ruleset")
    yield start
    for owner in owners:
        owner.close()
    shutil.rmtree(base)


def rules(lab: Lab) -> str:
    return lab.run("director", "nft", "-s", "list", "ruleset")


def handles(lab: Lab) -> list[Any]:
    """Everything with its handle: a rule that was written again has a new one."""
    listing = json.loads(lab.run("director", "nft", "-j", "-a", "-s", "list", "table", "inet", "pyhad"))
    return [each for each in listing["nftables"] if "metainfo" not in each]


def test_round_robin_shares_equally(site: Lab, run: Run) -> None:
    run(service(WEB, BOTH))
    assert traffic.get(site, 40) == {"web1": 20, "web2": 20}


def test_weights_share_exactly(site: Lab, run: Run) -> None:
    run(service(WEB, {"10.1.0.11:80": 3, "10.1.0.12:80": 1}, scheduler="wrr"))
    assert traffic.get(site, 40) == {"web1": 30, "web2": 10}


def test_weight_0_gets_nothing(site: Lab, run: Run) -> None:
    run(service(WEB, {"10.1.0.11:80": 0, "10.1.0.12:80": 1}, scheduler="wrr"))
    assert traffic.get(site, 10) == {"web2": 10}


def test_ipv6_is_balanced_too(site: Lab, run: Run) -> None:
    run(service(f"[{traffic.VIP6}]:80/tcp", {"[fd00:1::11]:80": 1, "[fd00:1::12]:80": 1}))
    assert traffic.get(site, 20, address=traffic.VIP6) == {"web1": 10, "web2": 10}


def test_the_director_itself_is_served(site: Lab, run: Run) -> None:
    run(service(WEB, {"10.1.0.11:80": 1}))
    assert site.run("director", "curl", "-s", "-m", "5", f"http://{traffic.VIP}/") == "web1"


def test_ports_are_translated(site: Lab, run: Run) -> None:
    run(service(f"{traffic.VIP}:8080/tcp", BOTH))
    assert traffic.get(site, 4, port=8080) == {"web1": 2, "web2": 2}


def test_a_service_without_servers_refuses_at_once(site: Lab, run: Run) -> None:
    owner = run(service(WEB, {"10.1.0.11:80": 1}))
    owner.ask("speak")
    owner.ask("verdict", verdict={"service": WEB, "server": "10.1.0.11:80", "up": False})
    wait_until(lambda: "reject with tcp reset" in rules(site), 5, "the service refuses")
    assert traffic.get(site, 5) == {"ConnectionRefusedError": 5}


def test_no_request_is_lost_while_a_server_is_taken_out_and_put_back(site: Lab, run: Run, tmp_path: Path) -> None:
    owner = run(service(WEB, BOTH))
    owner.ask("speak")
    load = traffic.start_load(site, tmp_path, for_s=6)
    time.sleep(1.5)
    owner.ask("verdict", verdict={"service": WEB, "server": "10.1.0.11:80", "up": False})
    wait_until(lambda: "10.1.0.11" not in rules(site), 5, "web1 is out")
    out_ns = time.monotonic_ns()
    time.sleep(1)
    back_ns = time.monotonic_ns()
    owner.ask("verdict", verdict={"service": WEB, "server": "10.1.0.11:80", "up": True})
    answers = traffic.load_answers(load)
    assert {answer for _, answer in answers} == {"web1", "web2"}
    without = [answer for at_ns, answer in answers if out_ns < at_ns < back_ns]
    assert len(without) > 20
    assert set(without) == {"web2"}
    assert {answer for at_ns, answer in answers if at_ns > back_ns + 500_000_000} == {"web1", "web2"}


def test_the_sorry_server_serves_while_the_others_are_down(site: Lab, run: Run) -> None:
    owner = run(service(WEB, {"10.1.0.11:80": 1}, sorry="10.1.0.12:80"))
    owner.ask("speak")
    assert traffic.get(site, 4) == {"web1": 4}
    owner.ask("verdict", verdict={"service": WEB, "server": "10.1.0.11:80", "up": False})
    wait_until(lambda: "10.1.0.11" not in rules(site), 5, "web1 is out")
    assert traffic.get(site, 4) == {"web2": 4}
    owner.ask("verdict", verdict={"service": WEB, "server": "10.1.0.11:80", "up": True})
    wait_until(lambda: "10.1.0.12" not in rules(site), 5, "the sorry server is out")
    assert traffic.get(site, 4) == {"web1": 4}
    quorums = lambda: [line["event"] for line in owner.events() if "quorum" in line["event"]]  # noqa: E731
    wait_until(lambda: quorums() == ["quorum_lost", "quorum_gained"], 5, f"both are in the log: {quorums()}")


def test_a_successor_adopts_what_is_there_and_writes_nothing(site: Lab, run: Run) -> None:
    owner = run(service(WEB, {**BOTH, "10.1.0.13:80": 5}, scheduler="wrr", sorry="10.1.0.12:81"))
    owner.ask("speak")
    owner.ask("verdict", verdict={"service": WEB, "server": "10.1.0.13:80", "up": False})
    wait_until(lambda: "10.1.0.13" not in rules(site), 5, "web3 is out")
    before = handles(site)
    for _ in range(3):
        owner.ask("respawn")
        assert handles(site) == before
    status = owner.ask("status")
    assert status["services"][WEB]["servers"]["10.1.0.13:80"][0] is False
    assert status["counters"].get("changes_written", 0) == 0
    owner.ask("mute")
    owner.ask("respawn")
    time.sleep(4)  # longer than a successor waits for the checker
    assert handles(site) == before


def test_a_successor_reads_what_happened_while_nobody_was_there(site: Lab, run: Run) -> None:
    owner = run(service(WEB, BOTH))
    owner.ask("speak")
    owner.ask("mute")
    owner.ask("verdict", verdict={"service": WEB, "server": "10.1.0.11:80", "up": False})
    owner.ask("respawn")
    assert "10.1.0.11" in rules(site)
    owner.ask("speak")
    wait_until(lambda: "10.1.0.11" not in rules(site), 5, "web1 is out")


def test_a_lost_change_is_asked_for_again(site: Lab, run: Run) -> None:
    owner = run(service(WEB, BOTH))
    owner.ask("speak")
    owner.ask("verdict", verdict={"service": WEB, "server": "10.1.0.11:80", "up": False})
    wait_until(lambda: "10.1.0.11" not in rules(site), 5, "web1 is out: the two are talking")
    owner.ask("verdict", verdict={"service": WEB, "server": "10.1.0.11:80", "up": True, "lost": True})
    wait_until(lambda: "10.1.0.11" in rules(site), 5, "web1 is back")
    assert owner.ask("status")["counters"]["snapshots_wanted"] >= 1


def test_other_tables_are_not_touched_and_nothing_of_ours_is_left(site: Lab, run: Run) -> None:
    site.run("director", "nft", "add table ip other; add chain ip other pyhad; add table inet pyhad2")
    site.run("director", "nft", "add map inet pyhad2 weights4 { type mark : mark; }")
    before = rules(site)
    owner = run(service(WEB, BOTH))
    owner.ask("speak")
    owner.ask("verdict", verdict={"service": WEB, "server": "10.1.0.11:80", "up": False})
    wait_until(lambda: "goto" in rules(site) and "10.1.0.11" not in rules(site), 5, "web1 is out")
    assert owner.ask("stop") == 0
    assert rules(site) == before


def test_the_table_stays_when_it_is_to_be_kept(site: Lab, run: Run) -> None:
    owner = run(service(WEB, BOTH), keep=True)
    before = handles(site)
    assert owner.ask("stop") == 0
    assert handles(site) == before


def test_a_reload_writes_only_the_difference(site: Lab, run: Run) -> None:
    other = service(f"{traffic.VIP}:81/tcp", {"10.1.0.11:81": 1})
    third = service(f"{traffic.VIP}:82/tcp", {"10.1.0.11:82": 1})
    owner = run(service(WEB, BOTH), other)
    untouched = [
        each for each in handles(site) if "rule" in each and each["rule"]["chain"].startswith("tcp4.192.0.2.1.80")
    ]
    assert len(untouched) == 4
    assert owner.ask("document", specification={"plane": "nftables", "services": [service(WEB, BOTH), third]})
    after = handles(site)
    assert all(each in after for each in untouched)
    assert "192.0.2.1.82" in rules(site)
    assert "192.0.2.1.81" not in rules(site)


def test_what_nftables_cannot_do_is_said_and_does_not_stop_the_others(site: Lab, run: Run) -> None:
    least = service(f"{traffic.VIP}:81/tcp", {"10.1.0.11:80": 1}, scheduler="lc")
    direct = service(f"{traffic.VIP}:82/tcp", {"10.1.0.11:82": 1}, forwarding="DR")
    owner = run(least, direct, service(WEB, BOTH))
    status = owner.ask("status")["services"]
    assert status[WEB] == {
        "installed": True, "problem": "", "quorum": True,
        "servers": {"10.1.0.11:80": [True, 1, 1, 0, False], "10.1.0.12:80": [True, 1, 1, 0, False]},
    }  # fmt: skip
    assert status[f"{traffic.VIP}:81/tcp"]["problem"] == (
        "scheduler lc needs IPVS: with nftables there are rr, wrr, sh, mh, dh"
    )
    assert not status[f"{traffic.VIP}:81/tcp"]["installed"]
    assert status[f"{traffic.VIP}:82/tcp"]["problem"] == "forwarding DR needs IPVS: with nftables there is NAT"
    wait_until(lambda: len(owner.events("service_not_installed")) == 2, 5, "the log names both")
    assert traffic.get(site, 4) == {"web1": 2, "web2": 2}


def test_connections_are_counted_and_survive_a_change_of_weight(site: Lab, run: Run) -> None:
    owner = run(service(WEB, BOTH, scheduler="wrr"))
    owner.ask("speak")
    traffic.get(site, 10)
    owner.ask("verdict", verdict={"service": WEB, "server": "10.1.0.11:80", "up": True, "weight": 4})
    wait_until(lambda: "numgen inc mod 5" in rules(site), 5, "the weight is written")
    wanted = {"10.1.0.11:80": [True, 4, 4, 5, False], "10.1.0.12:80": [True, 1, 1, 5, False]}
    servers = lambda: owner.ask("status")["services"][WEB]["servers"]  # noqa: E731
    wait_until(lambda: servers() == wanted, 5, "the connections are counted", every_s=0.3)  # read once a second


def test_a_table_that_somebody_flushed_is_built_again(site: Lab, run: Run) -> None:
    owner = run(service(WEB, BOTH))
    before = rules(site)
    site.run("director", "nft", "flush", "ruleset")
    wait_until(lambda: rules(site) == before, 15, "the table is back")
    wait_until(lambda: owner.events("drift_repaired"), 5, "the log says so")
    assert owner.events("drift_repaired")[0]["services"] == [WEB]


def test_a_reload_that_asks_for_a_plane_the_kernel_lacks_leaves_the_table_serving(site: Lab, run: Run) -> None:
    if Path("/proc/sys/net/ipv4/vs").exists():
        pytest.skip("this kernel has IPVS")
    owner = run(service(WEB, BOTH))
    before = handles(site)
    assert owner.ask("document", specification={"plane": "ipvs", "services": [service(WEB, BOTH)]})
    assert handles(site) == before
    wait_until(lambda: owner.events("data_plane_missing"), 5, "the log says so")
    assert owner.events("data_plane_missing")[0]["wanted"] == "ipvs"
    assert owner.ask("document", specification={"plane": "nftables", "services": [service(WEB, BOTH)]})
    assert handles(site) == before
    assert traffic.get(site, 4) == {"web1": 2, "web2": 2}


def test_a_drained_server_gets_no_connection_over_a_respawn_and_a_reload_until_undone(site: Lab, run: Run) -> None:
    owner = run(service(WEB, BOTH))
    owner.ask("speak")
    owner.ask("status")
    drain = {"service": WEB, "server": "10.1.0.12:80", "weight": 0}
    assert owner.ask("weigh", wanted=drain) == ""
    assert traffic.get(site, 6) == {"web1": 6}
    owner.ask("respawn")
    assert traffic.get(site, 6) == {"web1": 6}
    assert owner.ask("document", specification={"plane": "nftables", "services": [service(WEB, BOTH)]})
    drained = owner.ask("status")["services"][WEB]["servers"]["10.1.0.12:80"][:3]
    assert drained in ([True, 0, 0], [True, -1, -1])  # no connection is left on it: after a second it is out
    assert traffic.get(site, 6) == {"web1": 6}
    assert "has no server" in owner.ask("weigh", wanted={**drain, "server": "10.1.0.99:80"})
    assert owner.ask("weigh", wanted={**drain, "weight": -1}) == ""
    assert traffic.get(site, 6) == {"web1": 3, "web2": 3}


def test_a_table_of_many_transactions_is_whole_and_read_back_as_written(site: Lab, run: Run) -> None:
    servers = {f"10.1.{number // 250}.{number % 250 + 1}:80": number % 2 for number in range(1300)}
    many = service(f"{traffic.VIP}:81/tcp", servers)
    owner = run(service(WEB, BOTH), many)
    status = owner.ask("status")["services"][many["address"]]
    assert status["installed"]
    assert {name: row[1] for name, row in status["servers"].items()} == servers
    owner.ask("respawn")
    assert owner.ask("status")["counters"].get("changes_written", 0) == 0
    assert traffic.get(site, 4) == {"web1": 2, "web2": 2}


@pytest.mark.parametrize("scheduler", ["sh", "mh"])
def test_a_hash_keeps_a_client_with_its_server_and_is_read_back(site: Lab, run: Run, scheduler: str) -> None:
    owner = run(service(WEB, BOTH, scheduler=scheduler), service(f"[{traffic.VIP6}]:80/tcp", {"[fd00:1::11]:80": 1}))
    assert sorted(traffic.get(site, 12).values()) == [12]
    owner.ask("respawn")
    assert owner.ask("status")["counters"].get("changes_written", 0) == 0
    ports = service(WEB, BOTH, scheduler=scheduler, flags=[f"{scheduler}-port"])
    assert owner.ask("document", specification={"plane": "nftables", "services": [ports]})
    assert len(traffic.get(site, 40)) == 2
    owner.ask("respawn")
    assert owner.ask("status")["counters"].get("changes_written", 0) == 0


def test_a_client_stays_with_its_server_until_that_gets_weight_0_and_then_with_another(site: Lab, run: Run) -> None:
    owner = run(service(WEB, BOTH, persistence=60, granularity="255.255.255.0"))
    owner.ask("speak")
    [(kept, count)] = traffic.get(site, 6).items()
    assert count == 6
    owner.ask("respawn")
    assert owner.ask("status")["counters"].get("changes_written", 0) == 0
    assert traffic.get(site, 4) == {kept: 4}
    other = "web2" if kept == "web1" else "web1"
    address = {"web1": "10.1.0.11:80", "web2": "10.1.0.12:80"}[kept]
    assert owner.ask("weigh", wanted={"service": WEB, "server": address, "weight": 0}) == ""
    assert traffic.get(site, 4) == {other: 4}
    assert owner.ask("weigh", wanted={"service": WEB, "server": address, "weight": -1}) == ""
    assert traffic.get(site, 4) == {other: 4}


def test_persistence_that_comes_and_goes_with_a_reload_serves_all_along(site: Lab, run: Run) -> None:
    owner = run(service(WEB, BOTH))
    plain, persistent = service(WEB, BOTH), service(WEB, BOTH, persistence=60)
    for spec, answers in ((persistent, 1), (plain, 2), (service(WEB, BOTH, persistence=90), 1)):
        assert owner.ask("document", specification={"plane": "nftables", "services": [spec]})
        assert len(traffic.get(site, 6)) == answers


def test_marks_all_ports_and_masquerading(site: Lab, run: Run) -> None:
    hook = "{ type filter hook prerouting priority -150; }"
    marking = f"add chain ip marking in {hook}; add rule ip marking in tcp dport 8000-8099 mark set 9"
    site.run("director", "nft", f"add table ip marking; {marking}")
    mark, everything = service("fwmark:9/inet", BOTH), service("192.0.2.77:0/tcp", {"10.1.0.12:0": 1})
    owner = run(mark, everything, service(WEB, BOTH, masquerade=True))
    site.run("director", "ip", "addr", "add", "192.0.2.77/32", "dev", "eth0")
    assert traffic.get(site, 4, address="192.0.2.77", port=8042) == {"web1": 2, "web2": 2}
    assert traffic.get(site, 2, address="192.0.2.77") == {"web2": 2}
    for number in (1, 2):  # only a masqueraded connection finds its way back now
        site.run(f"web{number}", "ip", "route", "del", "default")
    try:
        assert traffic.get(site, 4) == {"web1": 2, "web2": 2}
        owner.ask("respawn")
        assert owner.ask("status")["counters"].get("changes_written", 0) == 0
    finally:
        for number in (1, 2):
            site.route(f"web{number}", "default", "via", "10.1.0.1")
        site.run("director", "ip", "addr", "del", "192.0.2.77/32", "dev", "eth0")
