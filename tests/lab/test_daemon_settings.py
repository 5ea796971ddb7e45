"""What the file says about the daemon itself: names, namespaces, scripts around it, files of a reload, logs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.lab.net import Lab, Running, log_lines, wait_until
from tests.lab.test_vrrp_interop import PYHAD

pytestmark = pytest.mark.lab

TEXT = """
instance {name}
net_namespace {namespace}
global_defs {{
    script_user root
    process_names
    startup_script "{folder}/around.sh start"
    shutdown_script "{folder}/around.sh stop"
    umask 022
    reload_check_config {folder}/check.log
    reload_file {folder}/reloading
    reload_time_file {folder}/when
    enable_snmp_vrrp
}}
vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id {vrid}
    advert_int 0.5
    version 3
    virtual_ipaddress {{ 10.0.0.{vrid} }}
}}
"""


class Daemons:
    """Daemons started outside of the namespace that their file names."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.namespace = lab.host("n")
        self.running: list[Running] = []
        lab.wire("n", "eth0", "lan", "10.0.0.1/24")
        self.script(folder / "around.sh", f'echo "$1 $(umask)" >> {folder}/around')

    def script(self, path: Path, text: str) -> None:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def configure(self, name: str, vrid: int, **changed: str) -> Path:
        path = self.folder / f"{name}.conf"
        words = {"name": name, "namespace": self.namespace, "folder": str(self.folder), "vrid": str(vrid)} | changed
        path.write_text(TEXT.format(**words))
        path.chmod(0o644)
        return path

    def start(self, name: str, vrid: int, *options: str) -> subprocess.Popen[bytes]:
        command = [PYHAD, "-n", "-G", f"-g{self.folder}/{name}.log", *options, "-f", str(self.configure(name, vrid))]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def run_dir(self, name: str) -> Path:
        return Path(f"/run/pyhad/daemons/{self.namespace}_{name}")

    def logged(self, name: str, event: str, of: str = "") -> list[dict[str, Any]]:
        return [line for line in log_lines(self.folder / f"{name}{of}.log") if line["event"] == event]


@pytest.mark.behaviour("PROC-2", "PROC-4", "PROC-5", "REL-1", "REL-4", "REL-6", "CLI-9", "CLI-18", "CLI-20")
def test_two_daemons_live_side_by_side_in_a_namespace(lab: Lab, open_folder: Path) -> None:
    daemons = Daemons(lab, open_folder)
    left, right = daemons.start("left", 51, "-d", "-a"), daemons.start("right", 52)
    try:
        both_live(daemons, left)
        reloads(daemons, left)
        a_log_that_hangs(daemons, left)
    finally:
        for process in (left, right):
            process.terminate()
        codes = [process.wait(40) for process in (left, right)]
    assert codes == [0, 0]
    assert sorted((open_folder / "around").read_text().split()) == ["0022"] * 4 + ["start"] * 2 + ["stop"] * 2
    assert not (open_folder / "reloading").exists()


def both_live(daemons: Daemons, left: subprocess.Popen[bytes]) -> None:
    lab = daemons.lab
    wait_until(lambda: {"10.0.0.51", "10.0.0.52"} <= lab.addresses("n"), 40, "both are master")
    pids = {one: int((daemons.run_dir("left") / f"{one}.pid").read_text()) for one in ("pyhad", "vrrp", "control")}
    assert pids["pyhad"] == left.pid
    assert (daemons.run_dir("right") / "vrrp.pid").read_text() != f"{pids['vrrp']}\n"
    names = {one: Path(f"/proc/{pid}/comm").read_text().strip() for one, pid in pids.items()}
    assert names == {"pyhad": "pyhad", "vrrp": "keepalived_vrrp", "control": "pyhad_control"}
    titles = {one: Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0") for one, pid in pids.items()}
    assert titles["vrrp"] == b"pyhad left: vrrp"
    assert titles["control"] == b"pyhad left: control"
    assert titles["pyhad"].endswith(b"left.conf")
    ctl = [str(Path(sys.executable).with_name("pyhadctl")), "--run-dir", daemons.run_dir("left").name]
    assert subprocess.run([*ctl, "is-master", "VI_1"], capture_output=True, timeout=60).returncode == 0
    report = daemons.logged("left", "configuration_report")[0]["report"]
    assert "enable_snmp_vrrp has no effect: pyhad has no SNMP agent" in report
    parts = daemons.logged("left", "configuration_part")
    assert parts[-1]["value"]["name"] == "VI_1"
    assert not daemons.logged("right", "configuration_part")
    came = lambda: [line["address"] for line in daemons.logged("left", "address_came", "_vrrp")]  # noqa: E731
    wait_until(lambda: "10.0.0.51" in came(), 10, "the log says that the address came")
    assert not daemons.logged("right", "address_came", "_vrrp")


def reloads(daemons: Daemons, left: subprocess.Popen[bytes]) -> None:
    when = daemons.folder / "when"
    when.write_text(time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + 3)))
    wait_until(lambda: daemons.logged("left", "configuration_in_force"), 30, "the reload at its time")
    assert not when.exists()
    written = daemons.folder / "check.log"  # by a process of its own, which nobody waits for
    wait_until(lambda: written.exists() and "enable_snmp_vrrp" in written.read_text(), 20, "its report")
    daemons.configure("left", 51, namespace="elsewhere")
    left.send_signal(signal.SIGHUP)
    wait_until(lambda: daemons.logged("left", "reload_refused"), 20, "the namespace is fixed")
    wanted = "net_namespace cannot change while the daemon runs: restart it"
    assert daemons.logged("left", "reload_refused")[0]["first_error"] == wanted


def a_log_that_hangs(daemons: Daemons, left: subprocess.Popen[bytes]) -> None:
    """Its writer stands still, as it does on a dead disk; the virtual routers do not."""
    text = subprocess.run(["pgrep", "-P", str(left.pid), "-x", "pyhad_log"], capture_output=True, text=True).stdout
    writer = int(text)
    os.kill(writer, signal.SIGSTOP)
    vrrp = int((daemons.run_dir("left") / "vrrp.pid").read_text())
    for number in range(300):  # addresses that come and go make lines
        word = "add" if number % 2 == 0 else "del"
        daemons.lab.run("n", "ip", "addr", word, "10.9.9.9/32", "dev", "lo")
    assert daemons.lab.holders("10.0.0.51", ["n"]) == ["n"]
    assert int((daemons.run_dir("left") / "vrrp.pid").read_text()) == vrrp
    os.kill(writer, signal.SIGCONT)
    daemons.lab.run("n", "ip", "addr", "add", "10.9.9.8/32", "dev", "lo")
    wait_until(
        lambda: "10.9.9.8" in [line["address"] for line in daemons.logged("left", "address_came", "_vrrp")],
        30, "the lines arrive",
    )  # fmt: skip
    assert "10.9.9.9" in [line["address"] for line in daemons.logged("left", "address_went", "_vrrp")]
    states = [line["new"] for line in daemons.logged("left", "state_changed", "_vrrp")]
    assert states == ["BACKUP", "MASTER"]
    late = re.compile("late|thaw")
    assert not [line for line in daemons.logged("left", "state_changed", "_vrrp") if late.search(line["reason"])]
