"""PID files (PROC-2): written whole under a temporary name and renamed, so no symbolic link is ever followed."""

from __future__ import annotations

import os

from pyhad.common.states import ProcessName
from pyhad.parent.options import Options

_NAMES = {
    ProcessName.PARENT: "pyhad.pid",
    ProcessName.VRRP: "vrrp.pid",
    ProcessName.CHECKER: "checkers.pid",
    ProcessName.IPVS: "ipvs.pid",
    ProcessName.CONTROL: "control.pid",
}


class PidFiles:
    """One file per process: mode 0644, the number and a newline."""

    def __init__(self, options: Options) -> None:
        given = {
            ProcessName.PARENT: options.pid_file,
            ProcessName.VRRP: options.vrrp_pid_file,
            ProcessName.CHECKER: options.checkers_pid_file,
        }
        self._paths = {
            name: os.path.abspath(given.get(name) or os.path.join(options.run_dir, file))
            for name, file in _NAMES.items()
        }

    def write(self, name: ProcessName, pid: int) -> None:
        """Raises OSError."""
        path = self._paths[name]
        fresh = f"{path}.{os.getpid()}"
        _unlink(fresh)
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(fd, b"%d\n" % pid)
            os.fchmod(fd, 0o644)
        finally:
            os.close(fd)
        os.rename(fresh, path)

    def remove(self, name: ProcessName) -> None:
        """Harmless when it is not there."""
        _unlink(self._paths[name])

    def remove_all(self) -> None:
        """At the end of the daemon."""
        for path in self._paths.values():
            _unlink(path)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
