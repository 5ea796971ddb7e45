"""Punctual while starved, and not missed while dead: real time, status, and 10 ms adverts over a killed process."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.starvation import starve
from bench.vrrp.watch import adverts_in
from tests.lab.net import Lab, wait_until

pytestmark = pytest.mark.lab
BIN = Path(sys.executable).parent


def configuration(priority: int) -> str:
    return "".join(
        f"vrrp_instance V{vrid} {{\n interface eth0\n virtual_router_id {vrid}\n version 3\n priority {priority}\n"
        f" advert_int 0.01\n virtual_ipaddress {{\n  10.0.0.{100 + vrid}/24\n }}\n}}\n"
        for vrid in range(1, 6)
    )


def processes(run_dir: Path) -> dict[str, dict[str, object]]:
    done = subprocess.run(
        [BIN / "pyhadctl", "--run-dir", run_dir, "-j", "status"], capture_output=True, text=True, timeout=30
    )
    return {one["name"]: one for one in json.loads(done.stdout)["processes"]}


def longest_gap_ms(times_ns: list[int], since_ns: int) -> float:
    """Of any router: all five speak in the same slot, so that the longest silence is between two of these."""
    near = sorted(at_ns for at_ns in times_ns if since_ns - 50_000_000 < at_ns < since_ns + 1_200_000_000)
    return max((later - earlier) / 1e6 for earlier, later in itertools.pairwise(near))


def test_no_peer_misses_a_vrrp_process_that_is_killed_at_10_ms_adverts(lab: Lab, open_folder: Path) -> None:
    for number, host in enumerate("abx", 1):
        lab.wire(host, "eth0", "lan", f"10.0.0.{number}/24")
    notes, run_dir = open_folder / "adverts", open_folder / "run"
    lab.start("x", sys.executable, "-m", "bench.vrrp.watch", "adverts", str(notes))
    (open_folder / "a.conf").write_text(configuration(150))
    (open_folder / "b.conf").write_text(configuration(100))
    command = [str(BIN / "pyhad"), "-n", "-l", "-G", "-f", str(open_folder / "a.conf"), "--run-dir", str(run_dir)]
    lab.start("a", *command, log=open_folder / "a.log")
    wait_until(lambda: notes.exists() and len(adverts_in(notes)) > 50, 60, "a leads")
    pids = [word for letter in "prc" for word in (f"-{letter}", str(open_folder / f"b.{letter}.pid"))]
    lab.start("b", "keepalived", "-n", "-l", "-G", "-P", "-f", str(open_folder / "b.conf"), *pids)
    time.sleep(1.5)
    gaps_ms: list[float] = []
    # 3 adverts and the skew of priority 100 are 36 ms. On a machine that others load, one of six must do.
    while len(gaps_ms) < 6 and min(gaps_ms, default=1000) >= 36:
        gaps_ms.append(silent_ms_after_kill(run_dir, notes))
    found = processes(run_dir)
    assert int(str(found["vrrp"]["restarts"])) >= len(gaps_ms)
    assert found["parent"]["scheduling"] == "rr 11"
    assert found["control"]["scheduling"] == "other"
    assert 0 < float(str(found["vrrp"]["lateness_p99_s"])) <= float(str(found["vrrp"]["lateness_max_s"]))
    print("silent for", gaps_ms, "ms; adverts of the backup:", sum(one.priority == 100 for one in adverts_in(notes)))
    assert min(gaps_ms) < 36
    assert max(gaps_ms) < 1000
    assert "adverts_repeated" in (open_folder / "a.log").read_text()


def silent_ms_after_kill(run_dir: Path, notes: Path) -> float:
    """Kill the VRRP process, and see what a listener heard of that."""
    wait_until(lambda: processes(run_dir)["vrrp"]["scheduling"] == "rr 10", 10, "it is real-time")
    pid = int(str(processes(run_dir)["vrrp"]["pid"]))
    killed_ns = time.time_ns()
    os.kill(pid, signal.SIGKILL)
    time.sleep(1.5)
    return longest_gap_ms([one.at_ns for one in adverts_in(notes) if one.priority == 150], killed_ns)


def test_a_starved_machine_keeps_its_routers_at_100_ms() -> None:
    [(_, outcome)] = starve([(("pyhad", "pyhad"), 0.1)], 6, busy=4)
    print(outcome)
    assert outcome.take_overs == 0
    assert outcome.adverts >= 50  # of 60
