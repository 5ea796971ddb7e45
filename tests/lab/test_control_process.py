"""The real control process under a stand-in parent: garbage, stopped peers, reloads, and pyhadctl as scripts see it."""

from __future__ import annotations

import json
import os
import pathlib
import pickle
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pyhad.common import messages as m
from pyhad.common.channels import OPERATOR, STATUS
from pyhad.common.codec import encode
from pyhad.common.states import ProcessName
from tests.lab.control_stand_in import BROKEN, PEERS, report_of
from tests.lab.net import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYHADCTL = ROOT / ".venv" / "bin" / "pyhadctl"

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else"),
]


class Daemon:
    """The stand-in parent as a process, and pyhadctl pointed at it."""

    def __init__(self, run_dir: pathlib.Path) -> None:
        self.run_dir = run_dir
        with (run_dir / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.lab.control_stand_in", str(run_dir)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT,
            )  # fmt: skip
        self.pids = self._hear()

    def _hear(self) -> dict[str, int]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, (self.run_dir / "log").read_text()
        return dict(json.loads(line))

    def order(self, words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()
        self.pids = self._hear()

    def close(self) -> None:
        for name in PEERS:
            if name in self.pids and self._process.poll() is None:
                os.kill(self.pids[name], signal.SIGCONT)
        self._process.communicate("stop\n", timeout=40)

    def ctl(self, *words: str, uid: int = 0, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "PYHAD_RUN_DIR": str(self.run_dir)}
        return subprocess.run(
            [str(PYHADCTL), *words], env=environment, capture_output=True, text=True, timeout=timeout_s,
            check=False, user=uid, group=uid, extra_groups=[],
        )  # fmt: skip

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.ctl("status", "-j").stdout))

    def wait_until_well(self, within_s: float = 40) -> None:
        end = time.monotonic() + within_s
        while (done := self.ctl("status")).returncode != 0:
            assert time.monotonic() < end, done.stdout + done.stderr + (self.run_dir / "log").read_text()
            time.sleep(0.05)


@pytest.fixture
def run_dir() -> Iterator[pathlib.Path]:
    path = pathlib.Path(tempfile.mkdtemp(prefix="pyhad-control-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def daemon(run_dir: pathlib.Path) -> Iterator[Daemon]:
    running = Daemon(run_dir)
    try:
        running.wait_until_well()
        yield running
    finally:
        running.close()


def test_status_of_a_healthy_daemon_ends_with_0(daemon: Daemon) -> None:
    done = daemon.ctl("status")
    assert done.returncode == 0
    assert "All is well." in done.stdout
    assert "\033" not in done.stdout
    document = daemon.status()
    assert document["schema"] == 1
    assert [process["name"] for process in document["processes"]] == ["parent", "vrrp", "checker", "ipvs", "control"]
    assert document["data_plane"]["kind"] == "nftables"
    assert document["vrrp"]["age_s"] < 5


def test_the_control_process_runs_without_rights(daemon: Daemon) -> None:
    lines = pathlib.Path(f"/proc/{daemon.pids['control']}/status").read_text().splitlines()
    fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert fields["Uid"].split()[0] != "0"
    assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == int(fields["CapBnd"], 16) == 0


def test_is_master_answers_scripts_by_its_exit_code(daemon: Daemon) -> None:
    assert daemon.ctl("is-master", "VI_1").returncode == 0
    assert daemon.ctl("is-master", "VI_2").returncode == 1
    assert daemon.ctl("is-master", "VI_3").returncode == 3
    assert daemon.ctl("is-master").returncode == 2


def test_a_stopped_peer_is_said_silent_and_believed_again_when_it_goes_on(daemon: Daemon) -> None:
    os.kill(daemon.pids["vrrp"], signal.SIGSTOP)
    wait_until(lambda: daemon.ctl("is-master", "VI_1").returncode == 3, 2, "nobody knows its state any more")
    done = daemon.ctl("status")
    assert done.returncode == 3
    assert "SILENT" in done.stdout
    assert "MASTER?" in done.stdout
    assert "ago, the vrrp process is silent" in done.stdout
    os.kill(daemon.pids["vrrp"], signal.SIGCONT)
    daemon.wait_until_well()


def test_a_dead_peer_is_never_shown_as_good(daemon: Daemon) -> None:
    daemon.order("bury vrrp")
    done = daemon.ctl("status")
    assert done.returncode == 3
    assert "DEAD" in done.stdout
    assert "MASTER?" in done.stdout
    assert daemon.ctl("is-master", "VI_1").returncode == 3


def test_a_replaced_peer_reports_again(daemon: Daemon) -> None:
    daemon.order("replace vrrp")
    daemon.wait_until_well()
    vrrp = daemon.status()["processes"][1]
    assert (vrrp["pid"], vrrp["restarts"]) == (daemon.pids["vrrp"], 1)


def test_a_killed_control_process_loses_no_operator(daemon: Daemon) -> None:
    for _ in range(3):
        os.kill(daemon.pids["control"], signal.SIGSTOP)
        asking = subprocess.Popen(
            [str(PYHADCTL), "--run-dir", str(daemon.run_dir), "version"], stdout=subprocess.PIPE, text=True
        )
        time.sleep(0.3)
        daemon.order("replace control")
        out, _ = asking.communicate(timeout=60)
        assert asking.returncode == 0, out
    daemon.wait_until_well()


def test_a_control_process_that_hangs_is_said_as_not_known(daemon: Daemon) -> None:
    os.kill(daemon.pids["control"], signal.SIGSTOP)
    done = daemon.ctl("--timeout", "0.6", "status")
    os.kill(daemon.pids["control"], signal.SIGCONT)
    assert done.returncode == 3
    assert "does not answer" in done.stderr


def test_reload_is_done_for_root_and_refused_to_others(daemon: Daemon) -> None:
    done = daemon.ctl("reload")
    assert done.returncode == 0, done.stderr
    (daemon.run_dir / "control").chmod(0o666)
    done = daemon.ctl("reload", uid=65534)
    assert done.returncode == 5
    assert "only root may reload the configuration" in done.stderr
    assert daemon.ctl("status", uid=65534).returncode == 0


def test_a_refused_reload_is_shown_and_remembered(daemon: Daemon) -> None:
    daemon.order("break-config")
    done = daemon.ctl("reload")
    assert done.returncode == 1
    assert BROKEN in done.stderr
    done = daemon.ctl("status")
    assert done.returncode == 1
    assert BROKEN in done.stdout
    assert json.loads(daemon.ctl("reload", "-j").stdout) == {"schema": 1, "ok": False, "report": BROKEN}


def test_a_refused_reload_is_not_forgotten_when_the_control_process_is_replaced(daemon: Daemon) -> None:
    daemon.order("break-config")
    assert daemon.ctl("reload").returncode == 1
    daemon.order("replace control")
    wait_until(lambda: daemon.ctl("status").returncode != 3, 10, "all have told it")
    last = daemon.status()["configuration"]["last_reload"]
    assert last["ok"] is False
    assert "the log has its messages" in last["error"]


def test_several_operators_may_wait_for_a_reload(daemon: Daemon) -> None:
    command = [str(PYHADCTL), "--run-dir", str(daemon.run_dir), "reload"]
    asking = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(5)]
    assert [process.wait(timeout=60) for process in asking] == [0, 0, 0, 0, 0]


def test_who_may_not_open_the_socket_is_told_the_group(daemon: Daemon) -> None:
    done = daemon.ctl("status", uid=12345)
    assert done.returncode == 5
    assert "be root or a member of the group" in done.stderr


def test_a_daemon_that_is_not_running_is_said_in_one_sentence(run_dir: pathlib.Path) -> None:
    command = [str(PYHADCTL), "--run-dir", str(run_dir), "status"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4
    assert done.stderr == (
        f"pyhadctl: pyhad is not running: nothing listens on {run_dir}/control. Start it with: systemctl start pyhad\n"
    )
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(run_dir / "control"))
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 4


@pytest.mark.parametrize("channel", [STATUS, OPERATOR], ids=lambda channel: channel.name)
def test_garbage_is_counted_and_kills_nothing(daemon: Daemon, channel: Any) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    raw_bytes(daemon.run_dir / channel.path, chance)
    frames = [chance.randbytes(chance.randrange(400)) for _ in range(300)] + mutations(chance)
    shout(daemon.run_dir / channel.path, frames)
    refused = f"{channel.name}_frames_refused"
    wait_until(lambda: daemon.status()["control"]["counters"].get(refused, 0) >= 300, 10, "they are counted")
    daemon.wait_until_well()
    assert pathlib.Path(f"/proc/{daemon.pids['control']}").exists()


def mutations(chance: random.Random) -> list[bytes]:
    """Good frames cut short or with a bit turned."""
    good = [
        encode(m.StatusRequest(version=1)),
        encode(m.ReloadRequest(version=1)),
        encode(report_of(ProcessName.VRRP, 1, 1)),
    ]
    frames = []
    for _ in range(200):
        frame = bytearray(chance.choice(good))
        if chance.random() < 0.5:
            del frame[chance.randrange(len(frame)) :]
        else:
            frame[chance.randrange(len(frame))] ^= 1 << chance.randrange(8)
        frames.append(bytes(frame))
    return frames


def raw_bytes(path: pathlib.Path, chance: random.Random) -> None:
    """What is not even ZeroMQ."""
    for size in (0, 1, 64, 65536):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.settimeout(2)
            try:
                connection.sendall(chance.randbytes(size))
            except OSError:
                pass  # hung up on us: that is the right answer


def shout(path: pathlib.Path, frames: list[bytes]) -> None:
    """Good ZeroMQ with garbage inside, from a process of its own: no ZeroMQ in the process that forks."""
    program = (
        "import sys, zmq, pickle\n"
        "context = zmq.Context(); dealer = context.socket(zmq.DEALER); dealer.connect('ipc://' + sys.argv[1])\n"
        "frames = pickle.load(sys.stdin.buffer)\n"
        "for frame in frames: dealer.send(frame)\n"
        "for frame in frames[:20]: dealer.send_multipart([frame, b'', frame])\n"
        "dealer.close(linger=3000); context.term()\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], input=pickle.dumps(frames), check=True, timeout=60)
