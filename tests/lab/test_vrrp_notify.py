"""Scripts and FIFOs hear of changes: the same lines as from keepalived, in order, and nothing twice after a death."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.lab.net import Lab, wait_until
from tests.lab.test_vrrp_interop import PYHAD
from tests.lab.test_vrrp_lifecycle import Director
from tests.lab.test_vrrp_tracking import script

pytestmark = pytest.mark.lab

INSTANCE = """
vrrp_instance A {{
    interface eth0
    virtual_router_id 51
    priority 100
    advert_int 0.1
    version 3
    virtual_ipaddress {{ 10.0.0.100 }}
    {}
}}
"""


@pytest.fixture
def director(lab: Lab, open_folder: Path) -> Director:
    """Not started. Its folder is one that others can reach."""
    return Director(lab, open_folder)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.behaviour("NTF-2", "NTF-4", "NTF-5", "SEC-1")
def test_scripts_run_in_order_as_their_users_however_slow(director: Director, open_folder: Path) -> None:
    said = open_folder / "said"
    said.touch()
    said.chmod(0o666)
    notify = script(open_folder, "notify.sh", f'sleep 0.3; echo "$(id -un) $*" >> {said}')
    master = script(open_folder, "master.sh", f'echo "$(id -un) master${{LD_PRELOAD}} $#" >> {said}')
    (open_folder / "master.sh").write_text(f'echo "$(id -un) master $#" >> {said}\n')  # no #!: the shell's
    director.configure(INSTANCE.format(f'notify "{notify} one" nobody\n notify_master {master} root'))
    wait_until(lambda: len(lines(said)) == 3, 5, "backup, master, notify of master")
    director.lab.cut("n", "eth0")
    director.lab.mend("n", "eth0")
    wait_until(lambda: len(lines(said)) == 7, 6, "fault, backup, master")
    assert director.daemon is not None
    assert director.daemon.stop() == 0
    wait_until(lambda: len(lines(said)) == 8, 3, "stop")
    words = [line.replace("one INSTANCE A ", "") for line in lines(said)]
    assert words == [
        "nobody BACKUP 100", "root master 0", "nobody MASTER 100", "nobody FAULT 100", "nobody BACKUP 100",
        "root master 0", "nobody MASTER 100", "nobody STOP 100",
    ]  # fmt: skip


def test_a_killed_vrrp_process_tells_nothing_again(director: Director, open_folder: Path) -> None:
    said = open_folder / "said"
    notify = script(open_folder, "notify.sh", f'echo "$3" >> {said}')
    fifo = open_folder / "fifo"
    reader = script(open_folder, "reader.sh", f'cat "$1" >> {open_folder}/lines')
    director.configure(
        f"global_defs {{\n vrrp_notify_fifo {fifo}\n vrrp_notify_fifo_script {reader} root\n}}\n",
        INSTANCE.format(f"notify {notify} root"),
    )
    wait_until(lambda: lines(said) == ["BACKUP", "MASTER"], 4, "it is master")
    os.kill(int(director.logged("process_ready")[0]["pid"]), signal.SIGKILL)
    wait_until(lambda: len(director.logged("process_ready")) == 2, 3, "the successor is there")
    time.sleep(0.7)
    director.lab.cut("n", "eth0")
    wait_until(lambda: lines(said)[2:] == ["FAULT"], 4, "only what is new")
    expected = ['INSTANCE "A" BACKUP 100', 'INSTANCE "A" MASTER 100', 'INSTANCE "A" FAULT 100']
    wait_until(lambda: lines(open_folder / "lines") == expected, 3, "the new reader hears it too")


@pytest.mark.behaviour("NTF-20", "NTF-23", "TRK-2")
def test_the_lines_of_a_fifo_are_those_of_keepalived(lab: Lab, open_folder: Path) -> None:
    heard = {}
    for host, daemon in (("p", "pyhad"), ("k", "keepalived")):
        lab.wire(host, "eth0", f"lan{host}", "10.0.0.1/24")
        lab.wire(host, "eth1", f"side{host}")
        time.sleep(1.2)  # the kernel speaks of a link at most once a second
        fifo, config = open_folder / f"{host}.fifo", open_folder / f"{host}.conf"
        words = "track_interface {\n eth1 weight 20\n }\n notify_priority_changes"
        config.write_text(f"global_defs {{\n vrrp_notify_fifo {fifo}\n script_user root\n}}\n" + INSTANCE.format(words))
        config.chmod(0o644)
        if daemon == "pyhad":
            command = [PYHAD, "-n", "-l", "-f", str(config), "--run-dir", str(open_folder / "run")]
        else:
            files = [word for option in "prc" for word in (f"-{option}", str(open_folder / f"k.{option}"))]
            command = ["keepalived", "-n", "-l", "-D", "-f", str(config), *files]
        running = lab.start(host, *command, log=open_folder / f"{host}.log")
        wait_until(fifo.is_fifo, 5, "the fifo is there")
        assert fifo.stat().st_mode & 0o777 == 0o600
        heard[host] = open_folder / f"{host}.lines"
        lab.start(host, "cat", str(fifo), log=heard[host])
        _shake(lab, host, heard[host])
        running.stop()
        _wait_for_word(heard[host], "STOP")
        wait_until(lambda path=fifo: not path.exists(), 3, "the fifo is gone")  # type: ignore[misc]
    first = lines(heard["k"])
    # One difference on purpose: no change of priority is told before the first state is.
    assert lines(heard["p"]) == [line for line in first if first.index(line) or "BACKUP_PRIORITY" not in line]


def _wait_for_word(path: Path, word: str) -> None:
    wait_until(
        lambda: [line.split()[2:3] for line in lines(path)][-1:] == [[word]], 6, f"{word} is the last that is told"
    )


def _shake(lab: Lab, host: str, heard: Path) -> None:
    """Master, a lower priority, a fault, master again."""
    _wait_for_word(heard, "MASTER")
    lab.cut(host, "eth1")
    _wait_for_word(heard, "MASTER_PRIORITY")
    lab.cut(host, "eth0")
    _wait_for_word(heard, "FAULT")
    lab.mend(host, "eth0")
    _wait_for_word(heard, "MASTER")
