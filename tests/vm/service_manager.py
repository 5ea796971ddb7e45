"""A real systemd, as first process of namespaces of its own, that knows the unit under test and nothing else.

    with ServiceManager(folder) as manager:
        manager.install(Path("conf/pyhad.service"))
        manager.systemctl("start", "pyhad")
        manager.run("ip", "-o", "addr")       # in systemd's own namespaces, where /run is its own too

Everything it writes is below `folder` or in memory: /run and /sys/fs/cgroup are mounted anew for it, /etc is not
touched. The kernel must have cgroups of version 2 (the lab kernel has them).
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from types import TracebackType

from tests.lab.net import LabError, wait_until

_SYSTEMD = "/lib/systemd/systemd"
_TARGETS = ("basic", "sysinit", "shutdown", "multi-user", "network-online", "default")
# The first process of the namespaces: what systemd finds when it starts. $0 is the folder.
_START = f"""
mount -t tmpfs -o mode=755 run /run && mount -t proc proc /proc || exit 1
mkdir -p /run/systemd/system /sys/fs/cgroup
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup /sys/fs/cgroup || exit 1
cp -r "$0"/units/. /run/systemd/system
export SYSTEMD_UNIT_PATH=/run/systemd/system SYSTEMD_GENERATOR_PATH="$0"/none container=lab
exec {_SYSTEMD} --system --log-target=console --show-status=no </dev/null
"""


class ServiceManager:
    """One running systemd. `folder` holds the units and `systemd.log`, everything that was printed."""

    def __init__(self, folder: Path) -> None:
        self.log_path = folder / "systemd.log"
        self._folder = folder
        self._units = folder / "units"
        self._units.mkdir()
        for name in _TARGETS:
            self.write(f"{name}.target", "[Unit]\nDefaultDependencies=no\n")
        self._outer: subprocess.Popen[bytes] | None = None
        self._pid = 0

    def write(self, name: str, text: str) -> None:
        """A unit or drop-in `name` (below the unit folder), before systemd is started."""
        path = self._units / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def install(self, unit: Path) -> None:
        """A unit as it is shipped, with its drop-ins."""
        self.write(unit.name, unit.read_text())
        for drop_in in Path(f"{unit}.d").glob("*.conf"):
            self.write(f"{unit.name}.d/{drop_in.name}", drop_in.read_text())

    def __enter__(self) -> ServiceManager:
        unshare = ("unshare", "--pid", "--fork", "--kill-child", "--mount", "--cgroup", "sh", "-c", _START)
        with self.log_path.open("wb") as log:
            self._outer = subprocess.Popen((*unshare, str(self._folder)), stdout=log, stderr=log)
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children")
        wait_until(lambda: bool(children.read_text().split()), 20, "the namespaces are there")
        self._pid = int(children.read_text().split()[0])
        wait_until(lambda: self.systemctl("list-jobs", check=False) == "No jobs running.\n", 60, "systemd is up")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._outer is not None
        # The first process of a namespace takes all others of it along.
        os.kill(self._pid, signal.SIGKILL)
        self._outer.wait(40)

    def run(self, *command: str, check: bool = True) -> str:
        """Run `command` beside systemd, at most 90 s; returns what it printed. Raises LabError when it fails."""
        entered = ("nsenter", "-t", str(self._pid), "--pid", "--mount", "--cgroup", *command)
        done = subprocess.run(entered, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=90, check=False)
        text = done.stdout.decode(errors="replace")
        if check and done.returncode:
            raise LabError(f"{' '.join(command)}: exit {done.returncode}\n{text}")
        return text

    def systemctl(self, *words: str, check: bool = True) -> str:
        return self.run("systemctl", "--no-pager", *words, check=check)

    def value(self, unit: str, name: str) -> str:
        """One property of a unit, as systemd says it."""
        return self.systemctl("show", unit, "--value", "-p", name).strip()

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")
