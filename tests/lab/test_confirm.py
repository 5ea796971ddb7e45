"""`pyhadctl reload --confirm` with the real processes: back by itself, kept, and what a death or an upgrade does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.net import Lab, Running, wait_until

pytestmark = pytest.mark.lab
BIN = Path(sys.executable).parent
BEFORE = """global_defs {
    router_id lab
    pyhad_data_plane nftables
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 0.5
    version 3
    virtual_ipaddress {
        192.0.2.100/24
    }
}
virtual_server 192.0.2.100 80 {
    lb_algo rr
    lb_kind NAT
    protocol TCP
    real_server 192.0.2.7 80 {
    }
}
"""
AFTER = BEFORE.replace("2.100/24", "2.100/24\n        192.0.2.101/24").replace("2.7 80", "2.8 80")
PATIENCE_S = 40


class Director:
    """One daemon with a file that may change."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self._lab = lab
        self._run_dir = folder / "run"
        self.path = folder / "a.conf"
        self._log = folder / "log"
        lab.wire("d1", "eth0", "lan", "192.0.2.1/24")
        self.daemon = self.start()

    def start(self) -> Running:
        self.daemon = self._lab.start(
            "d1", str(BIN / "pyhad"), "-n", "-l", "-f", str(self.path), "--run-dir", str(self._run_dir), log=self._log
        )
        return self.daemon

    def ctl(self, *words: str) -> tuple[int, str]:
        argv = self._lab.argv("d1", str(BIN / "pyhadctl"), "--run-dir", str(self._run_dir), *words)
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ctl("-j", "status")[1])
        return found

    def goes_back_in_s(self) -> float | None:
        found: float | None = self.status()["configuration"]["last_reload"]["goes_back_in_s"]
        return found

    def pid(self, name: str) -> int:
        return next(int(one["pid"]) for one in self.status()["processes"] if one["name"] == name)

    def has(self, *, after: bool) -> bool:
        """Whether addresses and table are those of the one file or the other."""
        held = self._lab.addresses("d1") & {"192.0.2.100", "192.0.2.101"}
        table = self._lab.run("d1", "nft", "list", "ruleset")
        server, other = ("192.0.2.8", "192.0.2.7") if after else ("192.0.2.7", "192.0.2.8")
        return len(held) == 1 + after and server in table and other not in table

    def wait(self, *, after: bool) -> float:
        return wait_until(lambda: self.has(after=after), PATIENCE_S, f"the file {'after' if after else 'before'} acts")

    def states_changed(self) -> int:
        return self._log.read_text().count("state_changed")


@pytest.fixture
def director(lab: Lab, open_folder: Path) -> Iterator[Director]:
    """It is master by the file before; the file after stands ready."""
    (open_folder / "a.conf").write_text(BEFORE)
    made = Director(lab, open_folder)
    made.wait(after=False)
    made.path.write_text(AFTER)
    yield made
    print(made.daemon.log()[-6000:])


def test_without_a_confirmation_everything_goes_back_by_itself(director: Director) -> None:
    states = director.states_changed()
    code, text = director.ctl("reload", "--confirm", "10")
    begin = time.monotonic()
    assert (code, "It goes back by itself 10 s after it came" in text) == (0, True), text
    director.wait(after=True)
    assert director.goes_back_in_s()
    assert "waits for its confirmation" in director.ctl("reload")[1]
    assert "waits for its confirmation" in director.ctl("upgrade")[1]
    os.kill(director.pid("ipvs"), signal.SIGKILL)
    os.kill(director.pid("control"), signal.SIGKILL)
    director.wait(after=False)
    assert time.monotonic() - begin > 9, "not before its time"
    wait_until(lambda: director.ctl("status")[0] == 1, PATIENCE_S, "the status calls it a problem")
    assert director.goes_back_in_s() is None
    assert director.ctl("reload", "confirm") == (1, "pyhadctl: not confirmed: no reload waits for its confirmation\n")
    assert "NOT in force" in director.ctl("config", "show")[1], "the file still holds what was not confirmed"
    assert director.states_changed() == states, "mastership did not move"


def test_what_is_confirmed_stays_and_an_upgrade_keeps_it(director: Director) -> None:
    assert director.ctl("reload", "--confirm", "6")[0] == 0
    begin = time.monotonic()
    director.wait(after=True)
    assert director.ctl("reload", "confirm") == (0, "Confirmed: the configuration stays.\n")
    assert director.ctl("upgrade")[0] == 0
    wait_until(lambda: time.monotonic() - begin > 7, PATIENCE_S, "the time would be up")
    assert director.has(after=True)
    assert "This is in force" in director.ctl("config", "show")[1]


def test_a_parent_that_is_killed_takes_the_question_along_and_a_start_reads_the_file(director: Director) -> None:
    assert director.ctl("reload", "--confirm", "6")[0] == 0
    begin = time.monotonic()
    director.wait(after=True)
    pids = [director.pid(name) for name in ("vrrp", "ipvs", "checker", "control")]
    director.daemon.kill()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), PATIENCE_S, "its children are gone")
    director.start()
    director.wait(after=True)
    wait_until(lambda: time.monotonic() - begin > 7, PATIENCE_S, "the time would be up")
    assert director.has(after=True)
    assert director.goes_back_in_s() is None
