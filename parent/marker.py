"""The file that exists while configuration files are being read (`reload_file`, REL-5)."""

from __future__ import annotations

import os

from pyhad.common.log import FilteringBoundLogger
from pyhad.parent.setup import Setup

DEFAULT_NAME = "keepalived.reload"


class Marker:
    """`set` before a compilation, `clear` after it."""

    def __init__(self, setup: Setup, logger: FilteringBoundLogger) -> None:
        pid_file = setup.options.pid_file
        self._beside = os.path.dirname(pid_file) if pid_file else setup.run_dir.path
        self._logger = logger
        self._path = ""

    def set(self, name: str | None) -> None:
        """`name` as configured: None for no file, empty for the usual one beside the PID file. Follows no link."""
        if name is None:
            return
        path = os.path.join(self._beside, name or DEFAULT_NAME)
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            os.close(os.open(path, flags, 0o644))
            self._path = path
        except OSError as error:
            self._logger.warning("reload_file_not_made", path=path, error=error.strerror)

    def clear(self) -> None:
        """Harmless when there is none."""
        if self._path:
            try:
                os.unlink(self._path)
            except OSError as error:
                self._logger.warning("reload_file_not_removed", path=self._path, error=error.strerror)
            self._path = ""
