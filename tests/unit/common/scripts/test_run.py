"""Programs that run: their end, their deadline, their group, their environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyhad.common.config.model.tracking import Program
from pyhad.common.loop import Loop
from pyhad.common.scripts.orders import Rules
from pyhad.common.scripts.run import Outcome, Runner

SECOND_NS = 1_000_000_000
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loop = Loop()
        self.warned: list[str] = []
        self.runner = Runner(self.loop, lambda event, path, detail: self.warned.append(f"{event} {detail}"))

    def script(self, body: str, *, head: str = "#!/bin/sh\n") -> str:
        path = self.folder / "script"
        path.write_text(f"{head}{body}\n")
        path.chmod(0o755)
        return str(path)

    def run(self, *argv: str, timeout_ns: int = 5 * SECOND_NS, uid: int = 0, gid: int = 0) -> Outcome:
        ended: list[Outcome] = []
        self.runner.start(Program(argv=argv, uid=uid, gid=gid), timeout_ns, ended.append)
        until_ns = self.loop.now_ns() + 6 * SECOND_NS
        while not ended and self.loop.now_ns() < until_ns:
            self.loop.turn(0.2)
        return ended[0]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] not in "ZX"
    except OSError:
        return False


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.behaviour("TRK-14")
def test_its_status_and_its_signal(bench: Bench) -> None:
    assert bench.run(bench.script("exit 3")) == Outcome(status=3)
    assert bench.run(bench.script("kill -9 $$")) == Outcome(status=-9)
    assert bench.runner.running == set()


@pytest.mark.behaviour("TRK-13")
def test_the_whole_group_ends_at_the_deadline(bench: Bench) -> None:
    left = bench.folder / "left"
    outcome = bench.run(bench.script(f"sleep 60 & echo $! > {left}; wait"), timeout_ns=SECOND_NS // 5)
    assert outcome.timed_out
    until_ns = bench.loop.now_ns() + 2 * SECOND_NS  # it has been killed; to be gone takes it a moment
    while is_alive(int(left.read_text())) and bench.loop.now_ns() < until_ns:
        bench.loop.turn(0.02)
    assert not is_alive(int(left.read_text()))


@pytest.mark.behaviour("NTF-4")
def test_without_a_first_line_of_its_own_it_is_the_shells(bench: Bench) -> None:
    assert bench.run(bench.script("exit 4", head="")).status == 4


@pytest.mark.behaviour("NTF-4")
def test_what_it_inherits(bench: Bench) -> None:
    said = bench.folder / "said"
    held = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(held, True)
    body = f'echo "$PWD ${{LD_PRELOAD:-none}} $(ls /proc/self/fd | wc -l) $(ps -o sid= -p $$ | tr -d " ") $$" > {said}'
    assert bench.run(bench.script(body)).status == 0
    os.close(held)
    folder, preload, _, session, own = said.read_text().split()
    assert (folder, preload) == ("/", "none")
    assert session == own


@needs_root
@pytest.mark.behaviour("SEC-1")
def test_as_whom_it_runs(bench: Bench) -> None:
    bench.folder.chmod(0o777)
    for part in list(bench.folder.parents)[:3]:
        if "pytest" in str(part):
            part.chmod(0o755)
    script = bench.script(f'echo "$(id -u) $(id -g) $(id -G)" > {bench.folder}/said')
    assert bench.run(script, uid=65534, gid=65534).status == 0
    assert (bench.folder / "said").read_text() == "65534 65534 65534\n"


@needs_root
@pytest.mark.behaviour("SEC-3")
def test_what_others_can_write_runs_with_a_warning_or_not_at_all(bench: Bench) -> None:
    script = bench.script("exit 0")
    Path(script).chmod(0o777)
    assert [bench.run(script).status for _ in range(2)] == [0, 0]
    assert len(bench.warned) == 1
    bench.runner.rules = Rules(script_security=True, keep_links=False)
    outcome = bench.run(script)
    assert outcome.status == 127
    assert "can be written by others than root" in outcome.detail


@needs_root
@pytest.mark.behaviour("SEC-3", "SEC-5")
def test_a_link_that_is_not_roots_is_run_as_what_it_leads_to_or_not_at_all(bench: Bench) -> None:
    link = bench.folder / "link"
    link.symlink_to(bench.script("exit 0"))
    os.chown(link, 65534, 65534, follow_symlinks=False)
    bench.runner.rules = Rules(script_security=True, keep_links=False)
    assert bench.run(str(link)).status == 0
    bench.runner.rules = Rules(script_security=True, keep_links=True)
    outcome = bench.run(str(link))
    assert (outcome.status, "link is a link of user 65534" in outcome.detail) == (127, True)


@pytest.mark.behaviour("SEC-4")
def test_what_is_not_there_is_a_failure(bench: Bench) -> None:
    assert bench.run("/no/such").detail == "No such file or directory"
