"""The whole daemon on two directors: faults as they come, and what the network and a client saw."""

from __future__ import annotations

import collections
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from demo import traffic
from demo.site import GATEWAY, VIP, Site
from demo.view import View
from pyhad.common.states import ProcessState
from tests.lab.net import Lab, log_lines, wait_until

pytestmark = pytest.mark.lab
CHILDREN = ("vrrp", "checker", "ipvs", "control")
BOTH = {"10.0.0.11:80", "10.0.0.12:80"}


class Pair:
    """Two directors with pyhad, d1 master, both tables whole."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.site = Site(lab, folder)
        self.views = {name: View(self.site.run_dir(name)) for name in ("d1", "d2")}

    def begin(self) -> None:
        for name in ("web1", "web2"):
            self.site.start_web(name)
        for name in ("d1", "d2"):
            self.site.start_director(name)
        wait_until(lambda: self.is_settled(), 60, "d1 is master and both tables are whole")
        # Who gives way answers a little longer than it is master.
        wait_until(lambda: self.lab.holders(VIP, ("d1", "d2")) == ["d1"], 5, "d1 alone holds the address")

    def is_settled(self) -> bool:
        return (
            self.views["d1"].is_master()
            and not self.views["d2"].is_master()
            and all(view.servers() == BOTH for view in self.views.values())
        )

    def log(self, name: str) -> str:
        return (self.site.folder / f"{name}.log").read_text()


@pytest.fixture
def pair(lab: Lab, open_folder: Path) -> Iterator[Pair]:
    """A settled pair."""
    made = Pair(lab, open_folder)
    made.begin()
    yield made
    for name in ("d1", "d2"):
        sys.stdout.write(f"--- {name}\n" + "\n".join(made.log(name).splitlines()[-60:]) + "\n")


def test_every_child_may_be_killed_ten_times_and_nobody_notices(pair: Pair) -> None:
    seed = int(os.environ.get("PYHAD_SEED", time.time_ns() % 100_000))
    print(f"seed {seed}: replay with PYHAD_SEED={seed}")
    d1_changes = pair.site.folder / "d1.changes"
    d2_changes = pair.site.folder / "d2.changes"
    pair.lab.start("d1", "ip", "-o", "monitor", "address", log=d1_changes)
    pair.lab.start("d2", "ip", "-o", "monitor", "address", log=d2_changes)
    client = pair.site.start_client()
    begin_ns = time.monotonic_ns()
    victims = [name for name in CHILDREN for _ in range(10)]
    random.Random(seed).shuffle(victims)
    kills = 0
    for victim in victims:
        old = wait_until_running(pair, victim)
        os.kill(old, signal.SIGKILL)
        kills += 1
        wait_until(lambda victim=victim, old=old: is_replaced(pair, victim, old), 20, f"{victim} is replaced")
        # A new control process knows nothing until the others have reported to it.
        wait_until(lambda: pair.views["d1"].is_master(), 3, f"d1 says it is master after the death of {victim}")
        time.sleep(0.5)
    time.sleep(4)  # longer than the down interval: a take-over would have shown by now
    assert kills == 40
    assert f"{VIP}/24" not in "".join(line for line in d1_changes.read_text().splitlines() if "Deleted" in line)
    assert VIP not in d2_changes.read_text()
    assert GATEWAY + "/" not in d2_changes.read_text()
    seen = traffic.between(traffic.read(client), begin_ns, time.monotonic_ns())
    assert seen.lost == 0, "the table was never empty and never wrong"
    assert set(seen.servers) == {"web1", "web2"}
    restarts = {name: status.restarts for name in CHILDREN if (status := pair.views["d1"].process(name))}
    assert restarts == dict.fromkeys(CHILDREN, 10)


def wait_until_running(pair: Pair, name: str) -> int:
    """The pid of a child that is up and not silent."""
    pid = 0

    def is_up() -> bool:
        nonlocal pid
        status = pair.views["d1"].process(name)
        pid = status.pid if status and status.state is ProcessState.RUNNING and not status.silent else 0
        return pid > 0

    wait_until(is_up, 60, f"{name} runs")
    return pid


def is_replaced(pair: Pair, name: str, old_pid: int) -> bool:
    status = pair.views["d1"].process(name)
    return (
        status is not None and status.pid not in (0, old_pid)
        and status.state is ProcessState.RUNNING and not status.silent
    )  # fmt: skip


def test_a_stopped_vrrp_process_is_said_to_be_silent_and_replaced(pair: Pair) -> None:
    pid = wait_until_running(pair, "vrrp")
    os.kill(pid, signal.SIGSTOP)
    view = pair.views["d1"]
    wait_until(lambda: (vrrp := view.process("vrrp")) and vrrp.silent, 2, "status says that vrrp is silent")
    wait_until(lambda: is_replaced(pair, "vrrp", pid), 10, "the hung process is replaced")
    wait_until(lambda: view.is_master(), 3, "the successor says that it is master")
    time.sleep(4)
    assert not pair.views["d2"].is_master()


def pyhadctl(pair: Pair, *words: str, director: str = "d1") -> str:
    """What pyhadctl prints."""
    command = [str(Path(sys.executable).with_name("pyhadctl")), "--run-dir", str(pair.site.run_dir(director)), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout


def test_an_orderly_stop_moves_the_addresses_and_leaves_nothing(pair: Pair) -> None:
    assert pair.site.directors["d1"].stop() == 0
    wait_until(lambda: pair.views["d2"].is_master(), 5, "d2 is master")
    assert VIP not in pair.lab.addresses("d1")
    wait_until(lambda: {VIP, GATEWAY} <= pair.lab.addresses("d2"), 5, "d2 holds both addresses")
    assert "pyhad" not in pair.lab.run("d1", "nft", "list", "tables")
    assert list(pair.site.run_dir("d1").rglob("*.pid")) == []


def test_a_broken_file_at_reload_changes_nothing_and_a_good_one_acts(pair: Pair) -> None:
    path = pair.site.folder / "d1.conf"
    good = path.read_text()
    path.write_text(good.replace("priority 110", "prioriy 110"))
    pair.site.directors["d1"].signal(signal.SIGHUP)
    wait_until(lambda: "reload_refused" in pair.log("d1"), 10, "the reload is refused in the log")
    wait_until(pair.is_settled, 5, "all is as before")
    path.write_text(good.replace("real_server 10.0.0.12 80 {", "real_server 10.0.0.12 80 {\n        weight 0"))
    assert "web" not in pyhadctl(pair, "reload")
    wait_until(lambda: pair.views["d1"].servers() == {"10.0.0.11:80"}, 10, "weight 0 is in the table")
    wait_until(lambda: pair.views["d1"].is_master(), 3, "d1 is still master")
    assert "state_changed" not in pair.log("d1").split("reload_refused")[1]


def test_the_parent_killed_takes_its_children_along_and_the_peer_takes_over(pair: Pair) -> None:
    pids = [wait_until_running(pair, name) for name in CHILDREN]
    pair.site.directors["d1"].kill()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 10, "the children are gone")
    wait_until(lambda: pair.views["d2"].is_master(), 5, "d2 is master")
    assert VIP not in pair.lab.addresses("d1")
    pair.site.start_director("d1")
    wait_until(lambda: pair.is_settled(), 20, "d1 is back")


def test_garbage_on_every_socket_of_the_bus_is_counted_and_nothing_dies(pair: Pair) -> None:
    seed = int(os.environ.get("PYHAD_SEED", time.time_ns() % 100_000))
    print(f"seed {seed}: replay with PYHAD_SEED={seed}")
    chance = random.Random(seed)
    before = {name: wait_until_running(pair, name) for name in CHILDREN}
    frames = 300
    context = zmq.Context()
    dealers = []
    try:
        for path in ("bus/verdicts", "bus/status", "control"):
            dealer = context.socket(zmq.DEALER)
            dealers.append(dealer)
            dealer.setsockopt(zmq.LINGER, 0)
            dealer.connect(f"ipc://{pair.site.run_dir('d1')}/{path}")
            for _ in range(frames):
                parts = chance.choice([1, 1, 2])
                dealer.send_multipart([chance.randbytes(chance.randrange(200)) for _ in range(parts)])
            raw = socket.socket(socket.AF_UNIX)
            raw.connect(f"{pair.site.run_dir('d1')}/{path}")
            raw.sendall(chance.randbytes(5000))
            raw.close()
        wait_until(lambda: counted(pair, "verdicts", "status", "operator") >= 3 * frames, 10, "each frame is counted")
    finally:
        for dealer in dealers:
            dealer.close()
        context.term()
    assert {name: wait_until_running(pair, name) for name in CHILDREN} == before
    wait_until(pair.is_settled, 5, "all is as before")


def counted(pair: Pair, *channels: str) -> int:
    """Frames refused on these channels, as pyhadctl's JSON shows them."""
    status = pair.views["d1"].status()
    if status is None or status.ipvs is None:
        return 0
    both = collections.Counter(status.counters) + collections.Counter(status.ipvs.counters)
    return sum(both[f"{channel}_frames_refused"] for channel in channels)


def test_sigterm_to_the_whole_group_still_stops_in_order(pair: Pair) -> None:
    """Whoever signals every process at once (a container's stop) must not empty the table before the address moved."""
    group = pair.site.directors["d1"].pid
    os.killpg(group, signal.SIGTERM)
    assert pair.site.directors["d1"].wait(40) == 0
    lines = log_lines(pair.site.folder / "d1.log")
    gone = {line["child"]: line["time"] for line in lines if line["event"] == "child_ended"}
    assert set(gone) == set(CHILDREN)
    assert gone["vrrp"] < min(gone["checker"], gone["ipvs"])
    assert max(gone["checker"], gone["ipvs"]) < gone["control"]


def test_a_server_is_drained_by_a_command_and_stays_so_over_the_death_of_the_owner(pair: Pair) -> None:
    where = (f"{VIP}:80/tcp", "10.0.0.12:80")
    said = pyhadctl(pair, "rs", "drain", *where)
    assert said.startswith("10.0.0.12:80 is drained until pyhadctl rs undrain: no new connections")
    wait_until(lambda: pair.views["d1"].servers() == {"10.0.0.11:80"}, 5, "it is out of the table")
    old = wait_until_running(pair, "ipvs")
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: is_replaced(pair, "ipvs", old), 20, "the owner is replaced")
    assert pair.views["d1"].servers() == {"10.0.0.11:80"}
    assert "drain" in pyhadctl(pair, "status", "vs")
    shown = pyhadctl(pair, "vs")
    assert "up, drained" in shown or "up, taken out" in shown, "out, once it has no connections"
    assert pyhadctl(pair, "diff") == "The table is as it should be.\n"
    assert pyhadctl(pair, "rs", "undrain", *where) == "10.0.0.12:80 has its own weight again.\n"
    wait_until(lambda: pair.views["d1"].servers() == BOTH, 5, "it is in the table again")
