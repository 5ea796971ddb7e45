"""The kernel's IPVS as data plane. ipvsadm is the independent witness of what we wrote; HTTP of what it does."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyhad.common.config.model import Forwarding, Listener, Protocol
from pyhad.ipvs_proc.core.reconcile import (
    AddDestination,
    AddService,
    Change,
    DeleteDestination,
    DeleteService,
    SetDestination,
    SetService,
    reconcile,
)
from pyhad.ipvs_proc.core.table import Destination, Entry, Service, Table
from pyhad.ipvs_proc.kernel import IpvsPlane
from tests.lab.net import Lab, wait_until
from tests.vm import traffic
from tests.vm.ipvs_owner import Owner, service

pytestmark = pytest.mark.vm

WEB = f"{traffic.VIP}:80/tcp"
BOTH = {"10.1.0.11:80": 1, "10.1.0.12:80": 1}
Run = Callable[..., Owner]

TCP4 = Listener(protocol=Protocol.TCP, family=4, address="10.0.0.1", port=80)
TCP6 = Listener(protocol=Protocol.TCP, family=6, address="fd00::1", port=443)
UDP4 = Listener(protocol=Protocol.UDP, family=4, address="10.0.0.1", port=53)
MARK4 = Listener(protocol=Protocol.NONE, family=4, fwmark=9)
MARK6 = Listener(protocol=Protocol.NONE, family=6, fwmark=9)


def to(
    address: str, port: int, weight: int = 1, forwarding: Forwarding = Forwarding.NAT, upper: int = 0
) -> Destination:
    return Destination(address=address, port=port, weight=weight, forwarding=forwarding, upper_threshold=upper)


def entry(service_: Service, *destinations: Destination) -> Entry:
    return Entry(service=service_, destinations={each.endpoint: each for each in destinations})


def saved() -> set[str]:
    """What ipvsadm would save of this process's own namespace."""
    done = subprocess.run(("ipvsadm", "-Sn"), capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


@pytest.fixture
def plane() -> Iterator[IpvsPlane]:
    """IPVS of this process's own namespace, empty."""
    subprocess.run(("ipvsadm", "-C"), check=True)
    plane = IpvsPlane()
    yield plane
    plane.close()
    subprocess.run(("ipvsadm", "-C"), check=True)


# ----------------------------------------------------------------------------------- what we write


def test_ipvsadm_sees_every_kind_of_service_and_destination_as_we_meant_it(plane: IpvsPlane) -> None:
    table: Table = {
        TCP4: entry(Service(listener=TCP4, scheduler="wrr"), to("10.1.0.1", 8080, 3), to("10.1.0.2", 80, 0)),
        TCP6: entry(
            Service(listener=TCP6, scheduler="sh", flags=0x10, persistence_timeout_s=60, persistence_prefix_len=64),
            to("fd00:1::1", 443),
        ),
        UDP4: entry(Service(listener=UDP4, scheduler="rr", flags=0x04), to("10.1.0.1", 53, 1, Forwarding.DIRECT_ROUTE)),
        MARK4: entry(
            Service(listener=MARK4, scheduler="wlc", persistence_timeout_s=300, persistence_prefix_len=24),
            to("10.1.0.1", 0, 2, Forwarding.TUNNEL),
        ),
        MARK6: entry(Service(listener=MARK6, scheduler="rr"), to("fd00:1::1", 0)),
    }
    assert plane.apply(reconcile(table, {}, ())) == []
    assert saved() == {
        "-A -t 10.0.0.1:80 -s wrr",
        "-a -t 10.0.0.1:80 -r 10.1.0.1:8080 -m -w 3",
        "-a -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 0",
        "-A -t [fd00::1]:443 -s sh -p 60 -M 64 -b sh-port",
        "-a -t [fd00::1]:443 -r [fd00:1::1]:443 -m -w 1",
        "-A -u 10.0.0.1:53 -s rr -o",
        "-a -u 10.0.0.1:53 -r 10.1.0.1:53 -g -w 1",
        "-A -f 9 -s wlc -p 300 -M 255.255.255.0",
        "-a -f 9 -r 10.1.0.1:0 -i -w 2 --tun-type ipip",
        "-A -f 9 -6 -s rr",
        "-a -f 9 -6 -r [fd00:1::1]:0 -m -w 1",
    }
    assert plane.read().table == table


def test_services_and_destinations_change_in_place_and_go(plane: IpvsPlane) -> None:
    plane.apply(
        reconcile({TCP4: entry(Service(listener=TCP4, scheduler="rr"), to("10.1.0.1", 80), to("10.1.0.2", 80))}, {}, ())
    )
    changes: list[Change] = [
        SetService(
            service=Service(listener=TCP4, scheduler="wrr", persistence_timeout_s=50, persistence_prefix_len=32)
        ),
        SetDestination(listener=TCP4, destination=to("10.1.0.1", 80, 7, Forwarding.DIRECT_ROUTE)),
        DeleteDestination(listener=TCP4, endpoint=("10.1.0.2", 80)),
    ]
    assert plane.apply(changes) == []
    assert saved() == {"-A -t 10.0.0.1:80 -s wrr -p 50", "-a -t 10.0.0.1:80 -r 10.1.0.1:80 -g -w 7"}
    assert plane.apply([SetService(service=Service(listener=TCP4, scheduler="rr"))]) == []
    assert "-A -t 10.0.0.1:80 -s rr" in saved()
    assert plane.apply([DeleteService(listener=TCP4)]) == []
    assert saved() == set()


@pytest.mark.behaviour("LVS-8")
def test_thresholds_and_the_greatest_weight_arrive(plane: IpvsPlane) -> None:
    destination = Destination(
        address="10.1.0.1",
        port=80,
        weight=2147483647,
        forwarding=Forwarding.NAT,
        upper_threshold=900,
        lower_threshold=700,
    )
    table = {TCP4: entry(Service(listener=TCP4, scheduler="rr"), destination)}
    assert plane.apply(reconcile(table, {}, ())) == []
    line = subprocess.run(("ipvsadm", "-Ln", "--thresholds"), capture_output=True, text=True, check=True).stdout
    assert line.split()[-5:-2] == ["10.1.0.1:80", "900", "700"]
    assert saved() == {"-A -t 10.0.0.1:80 -s rr", "-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 2147483647"}
    assert plane.read().table == table


def test_a_refused_change_names_service_and_server_and_stops_nothing(plane: IpvsPlane) -> None:
    changes: list[Change] = [
        AddService(service=Service(listener=TCP4, scheduler="no_such")),
        AddService(service=Service(listener=UDP4, scheduler="rr")),
        DeleteDestination(listener=UDP4, endpoint=("10.1.0.9", 53)),
        AddDestination(listener=UDP4, destination=to("10.1.0.1", 53)),
    ]
    refusals = plane.apply(changes)
    assert [refusal.change for refusal in refusals] == [changes[0], changes[2]]
    assert str(refusals[0].error) == (
        "add service 10.0.0.1:80/tcp: No such file or directory "
        "(ENOENT: this kernel has no scheduler no_such: load ip_vs_no_such, or choose another lb_algo)"
    )
    assert str(refusals[1].error) == (
        "delete 10.1.0.9:53 from 10.0.0.1:53/udp: No such file or directory "
        "(ENOENT: somebody else removed it: the table is read again)"
    )
    assert saved() == {"-A -u 10.0.0.1:53 -s rr", "-a -u 10.0.0.1:53 -r 10.1.0.1:53 -m -w 1"}


def test_what_ipvsadm_wrote_is_read_as_it_was_meant(plane: IpvsPlane) -> None:
    for command in (
        "-A -t [fd00::1]:443 -s mh -p 90 -M 48 -b mh-fallback",
        "-a -t [fd00::1]:443 -r [fd00:1::2]:8443 -m -w 5",
        "-A -f 9 -s rr",
        "-a -f 9 -r 10.1.0.1 -i -w 4",
    ):
        subprocess.run(("ipvsadm", *command.split()), check=True)
    assert plane.read().table == {
        TCP6: entry(
            Service(listener=TCP6, scheduler="mh", flags=0x08, persistence_timeout_s=90, persistence_prefix_len=48),
            to("fd00:1::2", 8443, 5),
        ),
        MARK4: entry(Service(listener=MARK4, scheduler="rr"), to("10.1.0.1", 0, 4, Forwarding.TUNNEL)),
    }


# ----------------------------------------------------------------------------- the process, with traffic


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

    def start(*services: dict[str, Any], keep: bool = False, **settings: Any) -> Owner:
        folder = base / str(len(owners))
        folder.mkdir()
        specification = {"plane": "auto", "services": list(services), **settings}
        owners.append(Owner(site.argv("director"), folder, specification, keep=keep))
        return owners[-1]

    site.run("director", "ipvsadm", "-C")
    yield start
    for owner in owners:
        owner.close()
    shutil.rmtree(base)


def on_director(lab: Lab) -> set[str]:
    return set(lab.run("director", "ipvsadm", "-Sn").splitlines())


def test_auto_takes_ipvs_and_the_unprivileged_owner_writes_it(site: Lab, run: Run) -> None:
    owner = run(service(WEB, BOTH), service(f"[{traffic.VIP6}]:80/tcp", {"[fd00:1::11]:80": 1}))
    assert on_director(site) == {
        "-A -t 192.0.2.1:80 -s rr",
        "-a -t 192.0.2.1:80 -r 10.1.0.11:80 -m -w 1",
        "-a -t 192.0.2.1:80 -r 10.1.0.12:80 -m -w 1",
        "-A -t [fd00:2::1]:80 -s rr",
        "-a -t [fd00:2::1]:80 -r [fd00:1::11]:80 -m -w 1",
    }
    assert traffic.get(site, 20) == {"web1": 10, "web2": 10}
    assert traffic.get(site, 4, address=traffic.VIP6) == {"web1": 4}
    assert owner.ask("status")["plane"] == "ipvs"
    assert owner.ask("stop") == 0
    assert on_director(site) == set()


def test_weights_share_exactly_and_a_verdict_takes_a_server_out(site: Lab, run: Run) -> None:
    owner = run(service(WEB, {"10.1.0.11:80": 3, "10.1.0.12:80": 1}, scheduler="wrr"))
    owner.ask("speak")
    assert traffic.get(site, 20) == {"web1": 15, "web2": 5}
    owner.ask("verdict", verdict={"service": WEB, "server": "10.1.0.11:80", "up": False})
    wait_until(lambda: len(on_director(site)) == 2, 10, "web1 is out", every_s=0.2)
    assert traffic.get(site, 6) == {"web2": 6}


@pytest.mark.behaviour("CHK-7", "LVS-34")
def test_inhibited_servers_stay_with_weight_0_while_the_sorry_server_serves(site: Lab, run: Run) -> None:
    owner = run(service(WEB, {"10.1.0.11:80": 2}, inhibit=True, sorry="10.1.0.12:80"))
    owner.ask("speak")
    owner.ask("verdict", verdict={"service": WEB, "server": "10.1.0.11:80", "up": False})
    lost = {
        "-A -t 192.0.2.1:80 -s rr",
        "-a -t 192.0.2.1:80 -r 10.1.0.11:80 -m -w 0",
        "-a -t 192.0.2.1:80 -r 10.1.0.12:80 -m -w 1",
    }
    wait_until(lambda: on_director(site) == lost, 10, "the sorry server serves", every_s=0.2)
    assert traffic.get(site, 4) == {"web2": 4}
    owner.ask("respawn")
    assert on_director(site) == lost


def test_a_successor_adopts_what_is_there_and_writes_nothing(site: Lab, run: Run) -> None:
    owner = run(service(WEB, {**BOTH, "10.1.0.13:80": 5}, scheduler="wrr"))
    owner.ask("speak")
    owner.ask("verdict", verdict={"service": WEB, "server": "10.1.0.13:80", "up": False})
    wait_until(lambda: len(on_director(site)) == 3, 10, "web3 is out", every_s=0.2)
    before = on_director(site)
    owner.ask("respawn")
    assert on_director(site) == before
    status = owner.ask("status")
    assert status["services"][WEB]["servers"]["10.1.0.13:80"][:3] == [False, -1, -1]
    owner.ask("mute")
    owner.ask("respawn")
    time.sleep(4)  # longer than a successor waits for the checker
    assert on_director(site) == before
    assert owner.ask("status")["counters"].get("changes_written", 0) == 0


def test_foreign_services_stay_and_our_own_go_on_a_reload(site: Lab, run: Run) -> None:
    site.run("director", "ipvsadm", "-A", "-t", "203.0.113.1:80", "-s", "lc")
    owner = run(service(WEB, BOTH), service(f"{traffic.VIP}:81/tcp", {"10.1.0.11:80": 1}))
    owner.ask("respawn")
    assert owner.ask("document", specification={"services": [service(WEB, {"10.1.0.12:80": 2})]})
    assert on_director(site) == {
        "-A -t 192.0.2.1:80 -s rr",
        "-a -t 192.0.2.1:80 -r 10.1.0.12:80 -m -w 2",
        "-A -t 203.0.113.1:80 -s lc",
    }
    wait_until(lambda: owner.events("foreign_service"), 5, "the log names it", every_s=0.2)
    assert {event["service"] for event in owner.events("foreign_service")} == {"203.0.113.1:80/tcp"}
    assert owner.ask("stop") == 0
    assert on_director(site) == {"-A -t 203.0.113.1:80 -s lc"}


def test_what_somebody_deleted_is_repaired(site: Lab, run: Run) -> None:
    owner = run(service(WEB, BOTH))
    before = on_director(site)
    site.run("director", "ipvsadm", "-C")
    wait_until(lambda: on_director(site) == before, 15, "the table is back", every_s=0.5)
    wait_until(lambda: owner.events("drift_repaired"), 5, "the log says so", every_s=0.2)
    assert owner.events("drift_repaired")[0]["services"] == [WEB]


def test_what_is_repaired_because_somebody_asks_is_said_too(site: Lab, run: Run) -> None:
    owner = run(service(WEB, BOTH))
    before = on_director(site)
    site.run("director", "ipvsadm", "-C")
    wait_until(lambda: owner.ask("status") and on_director(site) == before, 15, "the table is back", every_s=0.3)
    wait_until(lambda: owner.events("drift_repaired"), 5, "the log says so", every_s=0.2)
    assert [event["services"] for event in owner.events("drift_repaired")] == [[WEB]]


def test_a_look_shows_what_others_changed_and_repairs_nothing_until_it_is_time(site: Lab, run: Run) -> None:
    owner = run(service(WEB, BOTH), service(f"{traffic.VIP}:81/tcp", BOTH))
    before = on_director(site)
    owner.ask("status")
    site.run("director", "ipvsadm", "-e", "-t", "192.0.2.1:80", "-r", "10.1.0.11:80", "-m", "-w", "7")
    site.run("director", "ipvsadm", "-d", "-t", "192.0.2.1:80", "-r", "10.1.0.12:80")
    site.run("director", "ipvsadm", "-a", "-t", "192.0.2.1:80", "-r", "10.1.0.99:80", "-m")
    site.run("director", "ipvsadm", "-D", "-t", "192.0.2.1:81")
    site.run("director", "ipvsadm", "-A", "-t", "203.0.113.1:80", "-s", "lc")
    changed = on_director(site)
    look = owner.ask("look")
    found = {(each["kind"], each["service"], each["server"]) for each in look["differences"]}
    assert found == {
        ("other", WEB, "10.1.0.11:80"),
        ("missing", WEB, "10.1.0.12:80"),
        ("foreign", WEB, "10.1.0.99:80"),
        ("missing", f"{traffic.VIP}:81/tcp", ""),
    }
    assert (look["count"], look["left_alone"], look["repairs"]) == (4, ["203.0.113.1:80/tcp"], [])
    assert on_director(site) == changed
    assert 0 < look["next_repair_ns"] - look["taken_ns"] <= 10_000_000_000
    whole = before | {"-A -t 203.0.113.1:80 -s lc"}
    wait_until(lambda: on_director(site) == whole, 15, "it is repaired without a question", every_s=0.3)
    after = owner.ask("look")
    assert (after["count"], [repair["count"] for repair in after["repairs"]]) == (0, [4])
    assert owner.ask("status")["repairs"] == after["repairs"]
    site.run("director", "ipvsadm", "-D", "-t", "203.0.113.1:80")


def test_an_unknown_scheduler_is_said_and_does_not_stop_the_others(site: Lab, run: Run) -> None:
    owner = run(service(f"{traffic.VIP}:81/tcp", {"10.1.0.11:80": 1}, scheduler="no_such"), service(WEB, BOTH))
    status = owner.ask("status")["services"]
    problem = status[f"{traffic.VIP}:81/tcp"]["problem"]
    assert problem.startswith("add service 192.0.2.1:81/tcp: No such file or directory (ENOENT: this kernel has no")
    assert status[WEB]["installed"]
    assert len(on_director(site)) == 3


def test_connections_are_shown(site: Lab, run: Run) -> None:
    owner = run(service(WEB, BOTH))
    before = {name: row[3] for name, row in owner.ask("status")["services"][WEB]["servers"].items()}
    traffic.get(site, 6)

    def risen() -> dict[str, int]:
        rows = owner.ask("status")["services"][WEB]["servers"]
        return {name: rows[name][3] - before[name] for name in rows}

    wait_until(lambda: risen() == {"10.1.0.11:80": 3, "10.1.0.12:80": 3}, 6, "the kernel has counted", every_s=0.3)


def test_a_drained_server_keeps_its_connections_and_stays_drained_over_a_respawn(site: Lab, run: Run) -> None:
    owner = run(service(WEB, BOTH))
    owner.ask("speak")
    owner.ask("status")
    drain = {"service": WEB, "server": "10.1.0.12:80", "weight": 0}
    assert owner.ask("weigh", wanted=drain) == ""
    drained = {
        "-A -t 192.0.2.1:80 -s rr",
        "-a -t 192.0.2.1:80 -r 10.1.0.11:80 -m -w 1",
        "-a -t 192.0.2.1:80 -r 10.1.0.12:80 -m -w 0",
    }
    assert on_director(site) == drained
    owner.ask("respawn")
    assert owner.ask("document", specification={"services": [service(WEB, BOTH)]})
    assert owner.ask("status")["services"][WEB]["servers"]["10.1.0.12:80"][:3] == [True, 0, 0]
    assert on_director(site) == drained
    assert traffic.get(site, 4) == {"web1": 4}
    gone = drained - {"-a -t 192.0.2.1:80 -r 10.1.0.12:80 -m -w 0"}
    time.sleep(2)
    assert on_director(site) == drained  # the connections of the test before are in their last two minutes
    site.run("director", "ipvsadm", "--set", "0", "1", "0")
    assert owner.ask("weigh", wanted={**drain, "deadline_ns": 2_000_000_000}) == ""
    wait_until(lambda: on_director(site) == gone, 8, "it is taken out at its deadline", every_s=0.2)
    owner.ask("respawn")
    assert on_director(site) == gone
    assert traffic.get(site, 4) == {"web1": 4}
    assert "there is no service" in owner.ask("weigh", wanted={**drain, "service": "192.0.2.9:80/tcp"})
    assert owner.ask("weigh", wanted={**drain, "weight": -1}) == ""
    assert traffic.get(site, 4) == {"web1": 2, "web2": 2}


@pytest.mark.behaviour("LVS-12")
def test_timeouts_and_sync_daemons_follow_the_configuration_and_the_daemons_end_with_us(site: Lab, run: Run) -> None:
    sync = {"interface": "lo", "sync_id": 5}
    owner = run(service(WEB, BOTH), timeouts={"tcp_s": 777}, sync=sync, flush="all")

    def daemons() -> list[str]:
        return [line.split()[0] for line in site.run("director", "ipvsadm", "-l", "--daemon").splitlines()]

    assert "tcp tcpfin udp): 777 " in site.run("director", "ipvsadm", "-l", "--timeout")
    assert daemons() == ["master", "backup"]
    owner.ask("respawn")
    assert owner.ask("status")["counters"].get("changes_written", 0) == 0
    assert owner.ask("document", specification={"services": [service(WEB, BOTH)], "flush": "all"})
    assert daemons() == []
    assert owner.ask("document", specification={"services": [service(WEB, BOTH)], "flush": "all", "sync": sync})
    site.run("director", "ipvsadm", "-A", "-t", "203.0.113.1:80", "-s", "lc")
    assert owner.ask("stop") == 0
    assert daemons() == []
    assert on_director(site) == set()


def test_timeouts_and_sync_daemons_that_others_change_are_repaired_counted_and_said(site: Lab, run: Run) -> None:
    owner = run(service(WEB, BOTH), timeouts={"tcp_s": 778}, sync={"interface": "lo", "sync_id": 5})
    site.run("director", "ipvsadm", "--set", "100", "0", "0")
    site.run("director", "ipvsadm", "--stop-daemon", "backup")

    def repaired(event: str) -> bool:
        return any(each["repaired"] and each["level"] == "warning" for each in owner.events(event))

    wait_until(lambda: repaired("timeouts_set") and repaired("sync_daemons_changed"), 40, "it is said", every_s=0.5)
    assert "tcp tcpfin udp): 778 " in site.run("director", "ipvsadm", "-l", "--timeout")
    assert len(site.run("director", "ipvsadm", "-l", "--daemon").splitlines()) == 2
    assert owner.ask("status")["counters"]["drift_repaired"] == 2
    assert [each["repaired"] for each in owner.events("timeouts_set")] == [False, True]


@pytest.mark.behaviour("LVS-12")
def test_a_sync_daemon_that_follows_an_instance_has_the_role_of_that(site: Lab, run: Run) -> None:
    owner = run(service(WEB, BOTH), sync={"interface": "lo", "sync_id": 51, "instance": "VI_1"})

    def daemons() -> list[str]:
        return [line.split(" ", 1)[0] for line in site.run("director", "ipvsadm", "-l", "--daemon").splitlines()]

    assert daemons() == ["backup"]
    for is_master, word in ((True, "master"), (False, "backup"), (True, "master")):
        owner.ask("role", is_master=is_master)
        wait_until(lambda word=word: daemons() == [word], 5, f"it runs as {word}", every_s=0.1)
    owner.ask("respawn")  # nobody has told the successor yet: what runs goes on
    assert daemons() == ["master"]
    assert owner.ask("status")["counters"].get("changes_written", 0) == 0
    owner.ask("role", is_master=False)
    wait_until(lambda: daemons() == ["backup"], 5, "the successor hears too", every_s=0.1)
