"""The configuration compiler in a process of its own: unprivileged, short-lived, killed when it takes too long.

It hands back one encoded document per process and a report, each in a memfd made before the fork. The parent looks
into the ParentDocument and a small summary only, strictly decoded; the other documents it passes on unread.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterable

from pyhad.common import privileges
from pyhad.common.codec import decode, encode
from pyhad.common.config.model import SCHEMA, Configuration, ParentDocument
from pyhad.common.errors import WireError
from pyhad.common.log import LogSettings
from pyhad.common.records import dataclass
from pyhad.common.states import ProcessName
from pyhad.parent.dump_conf import log_configuration
from pyhad.parent.fork import fork_into, watch_of
from pyhad.parent.options import Options

LIMIT_NS = 60_000_000_000
_SMALL_BYTES = 64 * 1024
_LARGE_BYTES = 256 * 1024 * 1024
_SUMMARY = "summary"
_REPORT = "report"
_CRASHED = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What a compiler returns: `configuration` is None when there are errors; `report` is for a person."""

    configuration: Configuration | None
    report: str
    exit_status: int
    errors: int = 0
    first_error: str = ""


Compile = Callable[[Options, int], Compiled]
"""(options, generation) -> Compiled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The little that travels beside the documents."""

    accepted: bool
    exit_status: int
    errors: int
    first_error: str


class Documents:
    """A configuration that can be handed out: sealed memfds by process."""

    def __init__(self, parent: ParentDocument, fds: dict[ProcessName, int]) -> None:
        self.parent = parent
        self.fds = fds

    def content(self, name: ProcessName) -> bytes:
        """The encoded document of one child."""
        fd = self.fds[name]
        return os.pread(fd, os.fstat(fd).st_size, 0)

    def close(self) -> None:
        """Nobody needs it any more."""
        for fd in self.fds.values():
            os.close(fd)
        self.fds = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of a compilation. `documents` is None when the configuration cannot be used."""

    documents: Documents | None
    summary: Summary
    report: str


class Compilation:
    """One run of the compiler. `pidfd` becomes readable when it ended; then call `outcome()` once."""

    def __init__(
        self,
        compile_files: Compile,
        options: Options,
        *,
        generation: int,
        account: tuple[str, int, int],
        log: LogSettings,
        keep: Iterable[int] = (),
    ) -> None:
        """`keep`: descriptors that `compile_files` reads. Raises OSError."""
        names = [*ProcessName, _SUMMARY, _REPORT]
        flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
        self._fds: dict[str, int] = {name: os.memfd_create(f"pyhad_{name}", flags) for name in names}
        parent_pid = os.getpid()

        def work() -> int:
            _drop(account)
            privileges.die_with_parent(parent_pid)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            compiled = compile_files(options, generation)
            self._write(compiled)
            if options.dump_conf and compiled.configuration is not None:
                log_configuration(compiled.configuration, log)
            return 0

        try:
            self.pid = fork_into(work, keep=[*self._fds.values(), *keep], name="config", log=log)
            self.pidfd = watch_of(self.pid)
        except OSError:
            self._close_all()
            raise
        self.limit_at_ns = time.monotonic_ns() + LIMIT_NS

    def kill(self) -> None:
        """It takes too long, or nobody wants it any more."""
        signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def outcome(self) -> Outcome:
        """Reap it and read what it left. Never raises for what it wrote."""
        ended = os.waitid(os.P_PIDFD, self.pidfd, os.WEXITED)
        os.close(self.pidfd)
        if ended is None or ended.si_code != os.CLD_EXITED or ended.si_status != 0:
            return self._unusable("the configuration compiler crashed or took too long")
        try:
            return self._read()
        except (WireError, UnicodeDecodeError) as error:
            return self._unusable(f"the configuration compiler left something unreadable: {error}")

    def _write(self, compiled: Compiled) -> None:
        """In the compiler's process."""
        configuration = compiled.configuration
        if configuration is not None:
            documents = {
                ProcessName.PARENT: configuration.parent,
                ProcessName.VRRP: configuration.vrrp,
                ProcessName.CHECKER: configuration.checker,
                ProcessName.IPVS: configuration.ipvs,
                ProcessName.CONTROL: configuration.control,
            }
            for name, document in documents.items():
                _fill(self._fds[name], encode(document))
        summary = Summary(
            accepted=configuration is not None,
            exit_status=compiled.exit_status,
            errors=compiled.errors,
            first_error=compiled.first_error[:500],
        )
        _fill(self._fds[_REPORT], compiled.report.encode("utf-8", "replace"))
        _fill(self._fds[_SUMMARY], encode(summary))

    def _read(self) -> Outcome:
        summary = decode(Summary, _content(self._fds[_SUMMARY], _SMALL_BYTES))
        report = _content(self._fds[_REPORT], _LARGE_BYTES).decode()
        if not summary.accepted:
            self._close_all()
            return Outcome(documents=None, summary=summary, report=report)
        parent = decode(ParentDocument, _content(self._fds[ProcessName.PARENT], _SMALL_BYTES))
        if parent.schema != SCHEMA:
            raise WireError(f"schema {parent.schema} instead of {SCHEMA}")
        kept: dict[ProcessName, int] = {}
        for name in ProcessName:
            if name is not ProcessName.PARENT:
                kept[name] = self._fds.pop(name)
                fcntl.fcntl(kept[name], fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
        self._close_all()
        return Outcome(documents=Documents(parent, kept), summary=summary, report=report)

    def _unusable(self, reason: str) -> Outcome:
        self._close_all()
        summary = Summary(accepted=False, exit_status=_CRASHED, errors=1, first_error=reason)
        return Outcome(documents=None, summary=summary, report=f"{reason}\n")

    def _close_all(self) -> None:
        for fd in self._fds.values():
            os.close(fd)
        self._fds = {}


def _drop(account: tuple[str, int, int]) -> None:
    """Who reads text written by people has no right but to read."""
    _, uid, gid = account
    privileges.drop(uid=uid, gid=gid, keep=frozenset({privileges.CAP_DAC_READ_SEARCH}))


def compile_unprivileged(compile_files: Compile, options: Options, account: tuple[str, int, int]) -> Compiled:
    """For --config-test: the same in the calling process, which ends afterwards."""
    _drop(account)
    return compile_files(options, 1)


def _fill(fd: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]


def _content(fd: int, limit_bytes: int) -> bytes:
    size = os.fstat(fd).st_size
    if size > limit_bytes:
        raise WireError(f"{size} bytes are over the limit of {limit_bytes}")
    return os.pread(fd, size, 0)
