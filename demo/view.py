"""What a running daemon says of itself, asked over its control socket as pyhadctl does."""

from __future__ import annotations

from pathlib import Path

from pyhad.common import bus, channels, messages as m
from pyhad.common.errors import PyhadError
from pyhad.common.states import RouterState


class View:
    """The daemon of one run directory. Every answer is fresh; a daemon that does not answer knows nothing."""

    def __init__(self, run_dir: Path) -> None:
        self._path = str(run_dir / channels.OPERATOR.path)

    def status(self) -> m.StatusReply | None:
        try:
            reply = bus.ask(channels.OPERATOR, self._path, m.StatusRequest(version=m.VERSION), timeout_s=1)
        except (PyhadError, OSError):
            return None
        return reply if isinstance(reply, m.StatusReply) else None

    def is_master(self) -> bool:
        """Does it hold the addresses, and is what it says fresh?"""
        status = self.status()
        if status is None or status.vrrp is None or self._silent(status, "vrrp"):
            return False
        return any(router.state is RouterState.MASTER for router in status.vrrp.routers)

    def servers(self) -> set[str]:
        """The real servers that get connections now."""
        status = self.status()
        if status is None or status.ipvs is None:
            return set()
        return {
            destination.server
            for service in status.ipvs.services
            for destination in service.destinations
            if destination.weight > 0
        }

    def process(self, name: str) -> m.ProcessStatus | None:
        """One of its processes."""
        status = self.status()
        found = [process for process in status.processes if process.name == name] if status else []
        return found[0] if found else None

    @staticmethod
    def _silent(status: m.StatusReply, name: str) -> bool:
        return any(process.silent for process in status.processes if process.name == name)
