"""A stand-in for the parent: forks the real control process and three peers that report a little status.

Says on standard output who has which pid, one JSON line at the start and after each order; obeys one order per line
from standard input: `break-config`, `replace NAME`, `bury NAME`, anything else ends it. Used by test_control_process.
"""

from __future__ import annotations

import dataclasses
import json
import os
import selectors
import signal
import socket
import sys
import time

from pyhad.common import lifeline, messages as m, privileges
from pyhad.common.blackbox import BlackBox
from pyhad.common.bus import Link
from pyhad.common.channels import OPERATOR, STATUS
from pyhad.common.codec import encode
from pyhad.common.config.model import SCHEMA, ControlDocument
from pyhad.common.log import LogSettings
from pyhad.common.pulse import PulsePage
from pyhad.common.runtime import ChildContext, ChildOptions, Runtime
from pyhad.common.states import ProcessName, ProcessState, RouterState
from pyhad.control_proc.main import main as control_main

PEERS = (ProcessName.VRRP, ProcessName.CHECKER, ProcessName.IPVS)
BROKEN = "keepalived.conf:3:1: unknown keyword 'vrrp_instnce'"


class StandIn:
    """Pulse page, listening sockets, four children, one selector."""

    def __init__(self, run_dir: str) -> None:
        self.run_dir = run_dir
        self.account = privileges.service_account()
        self.pulse = PulsePage()
        self.boxes = {name: BlackBox(4, 64) for name in ProcessName}
        self.listeners = {channel.name: self._listen(channel.path) for channel in (STATUS, OPERATOR)}
        self.pids: dict[ProcessName, int] = {}
        self.ends: dict[ProcessName, socket.socket] = {}
        self.reload_ok = True
        self.selector = selectors.DefaultSelector()
        started_ns = time.monotonic_ns()
        self.pulse.write_process(
            ProcessName.PARENT, pid=os.getpid(), started_ns=started_ns, restarts=0, state=ProcessState.RUNNING
        )

    def _listen(self, path: str) -> int:
        full = os.path.join(self.run_dir, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        os.chmod(os.path.dirname(full), 0o755)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(full)
        os.chmod(full, 0o660)
        os.chown(full, 0, self.account[2])
        listener.listen(128)
        return listener.detach()

    def fork(self, name: ProcessName, restarts: int = 0) -> None:
        ours, theirs = lifeline.pair()
        parent_pid = os.getpid()
        pid = os.fork()
        if pid == 0:
            ours.close()
            try:
                os._exit(self._child(name, parent_pid, theirs))
            except BaseException as error:
                print(f"{name}: {error!r}", file=sys.stderr, flush=True)
                os._exit(70)
        theirs.close()
        self.pids[name], self.ends[name] = pid, ours
        started_ns = time.monotonic_ns()
        self.pulse.write_process(name, pid=pid, started_ns=started_ns, restarts=restarts, state=ProcessState.RUNNING)

    def _child(self, name: ProcessName, parent_pid: int, theirs: socket.socket) -> int:
        document = ControlDocument(
            schema=SCHEMA, generation=5, router_id="lab", files=("/etc/keepalived/keepalived.conf",),
            instances=("VI_1", "VI_2"), services=(),
        )  # fmt: skip
        context = ChildContext(
            name=name, parent_pid=parent_pid, run_dir=self.run_dir, document=encode(document), pulse=self.pulse,
            box=self.boxes[name], lifeline=theirs, account=self.account, options=ChildOptions(),
            log=LogSettings(console=True, syslog=False),
            listeners=self.listeners if name is ProcessName.CONTROL else {},
        )  # fmt: skip
        return control_main(context) if name is ProcessName.CONTROL else peer_main(context)

    def run(self) -> None:
        for name in (ProcessName.CONTROL, *PEERS):
            self.fork(name)
        self.say_pids()
        self.selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            self.pulse.beat(ProcessName.PARENT)
            for name, end in self.ends.items():
                while (heard := lifeline.hear(end)) is not None and heard[0]:
                    if heard[0] == lifeline.RELOAD and name is ProcessName.CONTROL:
                        self._answer_reload(end)
            if self.selector.select(0.05) and not self.obey(sys.stdin.readline().split()):
                return

    def _answer_reload(self, end: socket.socket) -> None:
        time.sleep(0.1)
        text = b"" if self.reload_ok else BROKEN.encode()
        fd = lifeline.write_memfd("report", text)
        lifeline.say(end, lifeline.RELOADED if self.reload_ok else lifeline.REFUSED, fd)
        os.close(fd)

    def obey(self, words: list[str]) -> bool:
        match words:
            case ["break-config"]:
                self.reload_ok = False
            case ["replace", name]:
                self._end(ProcessName(name))
                self.fork(ProcessName(name), restarts=1)
            case ["bury", name]:
                self._end(ProcessName(name))
                self.pulse.write_process(ProcessName(name), pid=0, started_ns=0, restarts=2, state=ProcessState.BACKOFF)
            case _:
                for name in tuple(self.pids):
                    self._end(name)
                return False
        self.say_pids()
        return True

    def _end(self, name: ProcessName) -> None:
        pid = self.pids.pop(name, 0)
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self.ends.pop(name).close()

    def say_pids(self) -> None:
        print(json.dumps({"parent": os.getpid(), **self.pids}), flush=True)


def peer_main(context: ChildContext) -> int:
    """A peer of the control process: one Link on which it says its status when asked."""
    runtime = Runtime(context, as_root=False, keep=frozenset())

    def report(ticket: int = 0) -> None:
        link.send(report_of(context.name, ticket, runtime.loop.now_ns()))

    link = Link(
        runtime.loop, runtime.bus, STATUS, path=runtime.path(STATUS.path), identity=context.name,
        logger=runtime.logger, counters=runtime.counters, on_up=report,
        on_message=lambda wanted: report(wanted.ticket),
    )  # fmt: skip
    runtime.ready()
    return runtime.run()


def report_of(name: ProcessName, ticket: int, now_ns: int) -> object:
    if name is ProcessName.CHECKER:
        return m.CheckerStatus(ticket=ticket, taken_ns=now_ns, generation=5, servers=(), counters={})
    if name is ProcessName.IPVS:
        return m.IpvsStatus(
            ticket=ticket, taken_ns=now_ns, generation=5, data_plane="nftables", services=(), counters={}
        )
    first = m.RouterStatus(
        name="VI_1", vrid=51, family=4, version=2, interface="eth0", state=RouterState.MASTER, since_ns=now_ns,
        reason="active_down_timer", base_priority=150, effective_priority=150, master_address="192.0.2.2",
        master_priority=150, addresses=("192.0.2.100/24",), advert_interval_cs=100, counters={},
    )  # fmt: skip
    second = dataclasses.replace(first, name="VI_2", state=RouterState.BACKUP)
    return m.VrrpStatus(ticket=ticket, taken_ns=now_ns, generation=5, routers=(first, second), counters={})


if __name__ == "__main__":
    StandIn(sys.argv[1]).run()
