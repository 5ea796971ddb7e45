"""The process that forks workers, because the checker cannot: its ZeroMQ context would not survive it (decision 1).

Forked by the checker before it opens anything, only where workers are wanted. It holds no rights, and knows nothing but
sockets that come over its own: each becomes the end of a new worker. When the checker is gone it ends all of them.
"""

from __future__ import annotations

import functools
import os
import signal
import socket
import sys
from collections.abc import Callable

from pyhad.common import privileges
from pyhad.common.records import dataclass
from pyhad.common.title import set_title, title_of

Work = Callable[[socket.socket], None]
_LEFT_ALONE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2)
"""The end of its socket is what ends each of these processes."""


@dataclass(frozen=True, slots=True)
class Nursery:
    """Our end of its socket, and the process."""

    channel: socket.socket
    pidfd: int

    def kill(self) -> None:
        """It hangs. Workers that there are go on."""
        try:
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        except ProcessLookupError:
            pass


def fork_nursery(account: tuple[str, int, int], daemon: str, work: Work) -> Nursery:
    """Fork it, as `account`. Each worker does `work` with the end of a socket that was sent for it.

    Raises OSError when there is no process to be had.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        guard(lambda: _live(theirs, account, daemon, work))
    theirs.close()
    ours.setblocking(False)
    return Nursery(ours, os.pidfd_open(pid))


def guard(life: Callable[[], None]) -> None:
    """The life of a process that was forked just now; it never returns."""
    code = 70
    try:
        life()
        code = 0
    finally:
        error = sys.exc_info()[1]
        if error is not None:
            sys.excepthook(type(error), error, error.__traceback__)
        os._exit(code)


def _live(channel: socket.socket, account: tuple[str, int, int], daemon: str, work: Work) -> None:
    become("pyhad_nursery", title_of("checker nursery", daemon), keep=channel.fileno())
    _, uid, gid = account
    privileges.drop(uid=uid, gid=gid)
    privileges.no_new_privileges()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    workers: dict[int, int] = {}
    number = 0
    while True:
        frame, descriptors, _, _ = socket.recv_fds(channel, 16, 1)
        _reap(workers)
        if not frame:
            break
        number += 1
        with socket.socket(fileno=descriptors[0]) as end:
            pid = os.fork()
            if pid == 0:
                channel.close()
                guard(functools.partial(_work, end, frame.decode("ascii"), daemon, work))
            workers[pid] = os.pidfd_open(pid)
    for pidfd in workers.values():  # most are gone by themselves: one that hangs is not
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def _work(end: socket.socket, name: str, daemon: str, work: Work) -> None:
    become(f"pyhad_check_{name}", title_of(f"checker worker {name}", daemon), keep=end.fileno())
    work(end)


def become(name: str, title: str, *, keep: int) -> None:
    """Nothing of the checker but one descriptor, and what is said to it."""
    privileges.set_process_name(name)
    set_title(title)
    for number in _LEFT_ALONE:
        signal.signal(number, signal.SIG_IGN)
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for entry in os.listdir("/proc/self/fd"):
        if int(entry) > 2 and int(entry) != keep:
            try:
                os.close(int(entry))
            except OSError:  # the one of the listing itself
                pass


def _reap(workers: dict[int, int]) -> None:
    for pid, pidfd in list(workers.items()):
        if os.waitpid(pid, os.WNOHANG)[0]:
            os.close(pidfd)
            del workers[pid]
