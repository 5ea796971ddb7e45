"""The IPVS owner process alone, under test: stand-ins for parent, checker and control around the real `main`.

`Owner(argv, folder, specification)` starts this module by the given command prefix (a namespace) and talks to
it in JSON lines. The stage forks the owner as the parent does, and a peer that speaks as checker and control.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pyhad.common import channels, lifeline
from pyhad.common.blackbox import BlackBox
from pyhad.common.bus import Context, Hub, Link
from pyhad.common.codec import encode
from pyhad.common.config.model import (
    SCHEMA,
    DataPlane,
    FlushAtStop,
    Forwarding,
    IpvsDocument,
    IpvsTimeouts,
    Listener,
    Protocol,
    RealServer,
    SorryServer,
    SyncDaemon,
    Tunnel,
    TunnelType,
    VirtualServer,
)  # fmt: skip
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop
from pyhad.common.messages import (
    Beat,
    IpvsStatus,
    RoleSaid,
    SnapshotWanted,
    StatusWanted,
    TableLook,
    TableLookWanted,
    Verdict,
    VerdictChanged,
    VerdictSnapshot,
    WeightSet,
    WeightWanted,
)
from pyhad.common.privileges import service_account
from pyhad.common.pulse import PulsePage
from pyhad.common.runtime import ChildContext, ChildOptions
from pyhad.common.states import ProcessName, ProcessState
from pyhad.ipvs_proc.main import main as ipvs_main
from tests.lab.net import log_lines


class Owner:
    """The tests' side. Every method waits for the answer."""

    def __init__(self, argv: list[str], folder: Path, specification: dict[str, Any], *, keep: bool = False) -> None:
        self.log_path = folder / "ipvs.log"
        command = [*argv, sys.executable, "-m", "tests.vm.ipvs_owner", str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ask("start", specification=specification, keep=keep)

    def ask(self, command: str, **arguments: Any) -> Any:
        """One command; its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"command": command, **arguments}).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the stage died; log:\n{self.log_path.read_text() if self.log_path.exists() else ''}"
        return json.loads(line)

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """What the owner logged, of one event or all."""
        return [line for line in log_lines(self.log_path) if not name or line["event"] == name]

    def close(self) -> None:
        """End of input: the stage stops the owner in an orderly way and ends."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        assert self._process.stdout is not None
        self._process.stdout.close()


def service(address: str, servers: dict[str, int], **settings: Any) -> dict[str, Any]:
    """One service of a specification: `address` is `A:PORT/tcp` or `fwmark:N/inet`; weights by `A:PORT`."""
    return {"address": address, "servers": servers, **settings}


def document(specification: dict[str, Any]) -> bytes:
    """The owner's configuration from a specification `{plane, services: [service(...)]}`."""
    services = tuple(_virtual(each) for each in specification["services"])
    plane = DataPlane(specification.get("plane", "auto"))
    sync = specification.get("sync")
    return encode(
        IpvsDocument(
            schema=SCHEMA, generation=1, data_plane=plane, services=services,
            timeouts=IpvsTimeouts(**specification.get("timeouts", {})),
            sync=SyncDaemon(**sync) if sync else None,
            flush_at_stop=FlushAtStop(specification.get("flush", "entries")),
        )
    )  # fmt: skip


def _virtual(each: dict[str, Any]) -> VirtualServer:
    forwarding = Forwarding(each.get("forwarding", "NAT"))
    listener = _listener(each["address"])
    servers = tuple(
        RealServer(
            id=name, address=_split(name)[0], port=_split(name)[1], weight=weight, forwarding=forwarding,
            inhibit_on_failure=each.get("inhibit", False), tunnel=_tunnel(each.get("tunnel", {})),
        )
        for name, weight in each["servers"].items()
    )  # fmt: skip
    sorry = None
    if "sorry" in each:
        sorry_address, sorry_port = _split(each["sorry"])
        sorry = SorryServer(address=sorry_address, port=sorry_port, forwarding=forwarding)
    return VirtualServer(
        id=each["address"], listeners=(listener,), scheduler=each.get("scheduler", "rr"), servers=servers,
        sorry_server=sorry, persistence_timeout_s=each.get("persistence", 0),
        persistence_granularity=each.get("granularity", ""), masquerade=each.get("masquerade", False),
        flags=tuple(each.get("flags", ())),
    )  # fmt: skip


def _tunnel(words: dict[str, Any]) -> Tunnel:
    return Tunnel(type=TunnelType(words.get("type", "ipip")), port=words.get("port", 0))


def _listener(name: str) -> Listener:
    """`A:PORT/tcp` or `fwmark:N/inet`."""
    place, _, kind = name.rpartition("/")
    if place.startswith("fwmark:"):
        family = 6 if kind == "inet6" else 4
        return Listener(protocol=Protocol.NONE, family=family, fwmark=int(place.removeprefix("fwmark:")))
    address, port = _split(place)
    return Listener(protocol=Protocol(kind), family=6 if ":" in address else 4, address=address, port=port)


def _split(name: str) -> tuple[str, int]:
    address, _, port = name.rpartition(":")
    return address.strip("[]"), int(port)


# -------------------------------------------------------------------------------------------- the stage


class Stage:
    """The parent's stand-in: makes what outlives children, forks the owner and the peer."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        os.umask(0)
        os.makedirs(f"{folder}/bus", exist_ok=True)
        self._pulse = PulsePage()
        self._box = BlackBox(256, 64)
        self._listeners = {each.name: _listen(f"{folder}/{each.path}") for each in (channels.VERDICTS, channels.ROLES)}
        self._owner = 0
        self._lifeline: socket.socket | None = None
        self._peer, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._document = b""
        self._options = ChildOptions()
        self._peer_pid = os.fork()
        if self._peer_pid == 0:
            self._peer.close()
            Peer(folder, theirs).run()
            os._exit(0)
        theirs.close()
        self._note(ProcessName.CHECKER, self._peer_pid)
        self._note(ProcessName.VRRP, self._peer_pid)

    def run(self) -> None:
        """Serve commands until the end of input."""
        for line in sys.stdin:
            request = json.loads(line)
            print(json.dumps(self._serve(request)), flush=True)
        self._stop()
        os.kill(self._peer_pid, signal.SIGKILL)
        os.waitpid(self._peer_pid, 0)

    def _serve(self, request: dict[str, Any]) -> Any:
        match request["command"]:
            case "start":
                self._document = document(request["specification"])
                self._options = ChildOptions(keep_ipvs_at_exit=request["keep"])
                return self._fork()
            case "respawn":
                os.kill(self._owner, signal.SIGKILL)
                os.waitpid(self._owner, 0)
                return self._fork()
            case "document":
                self._document = document(request["specification"])
                assert self._lifeline is not None
                fd = lifeline.write_memfd("document", self._document)
                lifeline.say(self._lifeline, lifeline.DOCUMENT, fd)
                os.close(fd)
                return self._heard(lifeline.APPLIED)
            case "stop":
                return self._stop()
            case _:
                self._peer.send(json.dumps(request).encode())
                return json.loads(self._peer.recv(1 << 20))

    def _fork(self) -> int:
        ours, theirs = lifeline.pair()
        self._lifeline = ours
        parent_pid = os.getpid()
        self._owner = os.fork()
        if self._owner == 0:
            code = 70
            with contextlib.suppress(BaseException):
                ours.close()
                self._peer.close()
                code = ipvs_main(self._context(theirs, parent_pid))
            os._exit(code)
        theirs.close()
        self._note(ProcessName.IPVS, self._owner)
        self._heard(lifeline.READY)
        return self._owner

    def _context(self, end: socket.socket, parent_pid: int) -> ChildContext:
        return ChildContext(
            name=ProcessName.IPVS, parent_pid=parent_pid, run_dir=self._folder, document=self._document,
            pulse=self._pulse, box=self._box, lifeline=end,
            log=LogSettings(syslog=False, file=f"{self._folder}/ipvs.log", detail=1),
            account=service_account(), options=self._options,
            listeners={name: listener.fileno() for name, listener in self._listeners.items()},
        )  # fmt: skip

    def _heard(self, word: bytes) -> bool:
        assert self._lifeline is not None
        end = time.monotonic() + 40
        while time.monotonic() < end:
            heard = lifeline.hear(self._lifeline)
            if heard is None:
                time.sleep(0.002)
            elif heard[0] == word:
                return True
            elif heard[0] == b"":
                break
        return False

    def _stop(self) -> int:
        if not self._owner:
            return 0
        assert self._lifeline is not None
        lifeline.say(self._lifeline, lifeline.STOP)
        _, status = os.waitpid(self._owner, 0)
        self._owner = 0
        return os.waitstatus_to_exitcode(status)

    def _note(self, name: ProcessName, pid: int) -> None:
        now_ns = time.monotonic_ns()
        self._pulse.write_process(name, pid=pid, started_ns=now_ns, restarts=0, state=ProcessState.RUNNING)


def _listen(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(16)
    return listener


class Peer:
    """Checker, VRRP and control in one: says verdicts and roles, asks for the status."""

    def __init__(self, folder: str, end: socket.socket) -> None:
        self._end = end
        self._loop = Loop()
        logger = ProcessLog("peer", LogSettings(syslog=False)).logger
        counters: collections.Counter[str] = collections.Counter()
        context = Context()
        self._verdicts: dict[tuple[str, str], Verdict] = {}
        self._generation, self._sequence, self._spoken = time.monotonic_ns(), 0, False
        self._sender = b""
        self._status: IpvsStatus | None = None
        self._ticket = 0
        self._link = Link(
            self._loop, context, channels.VERDICTS, path=f"{folder}/bus/verdicts", identity="checker", logger=logger,
            counters=counters, on_message=self._asked, on_up=self._say_all,
        )  # fmt: skip
        self._roles = Link(
            self._loop, context, channels.ROLES, path=f"{folder}/bus/roles", identity="vrrp", logger=logger,
            counters=counters, on_message=lambda _message: None, on_up=lambda: None,
        )  # fmt: skip
        self._hub = Hub(
            self._loop, context, channels.STATUS, path=f"{folder}/bus/status", listener_fd=-1, logger=logger,
            counters=counters, is_welcome=lambda _peer: True, on_message=self._take,
        )  # fmt: skip
        self._loop.watch(end.fileno(), lambda _events: self._serve())
        self._loop.every(500_000_000, self._beat)

    def run(self) -> None:
        """Until the stage is gone."""
        self._loop.run()

    def _take(self, sender: bytes, _peer: object, message: Any) -> None:
        self._sender = sender
        if isinstance(message, WeightSet):
            self._answer(message.problem)
        elif isinstance(message, TableLook):
            self._answer(dataclasses.asdict(message))
        elif isinstance(message, IpvsStatus):
            self._status = message

    def _beat(self) -> None:
        if self._spoken:
            self._link.send(Beat(generation=self._generation, sequence=self._sequence))

    def _asked(self, message: object) -> None:
        if isinstance(message, SnapshotWanted):  # quorums are not for us
            self._say_all()

    def _say_all(self) -> None:
        if self._spoken:
            self._generation, self._sequence = self._generation + 1, 0
            verdicts = tuple(self._verdicts.values())
            self._link.send(VerdictSnapshot(generation=self._generation, sequence=0, verdicts=verdicts))

    def _serve(self) -> None:
        content = self._end.recv(1 << 20)
        if not content:
            self._loop.stop()
            return
        request = json.loads(content)
        if request["command"] == "verdict":
            self._verdict(**request["verdict"])
            self._answer(True)
        elif request["command"] == "speak":
            self._spoken = True
            self._say_all()
            self._answer(True)
        elif request["command"] == "mute":
            self._spoken = False
            self._answer(True)
        elif request["command"] == "role":
            self._answer(self._roles.send(RoleSaid(instance="VI_1", is_master=request["is_master"])))
        elif request["command"] == "look":
            self._hub.send(self._sender, TableLookWanted(ticket=-1))
        elif request["command"] == "weigh":
            self._hub.send(self._sender, WeightWanted(ticket=1, **{"deadline_ns": 0, "for_ns": 0, **request["wanted"]}))
        else:
            self._ticket += 1  # a late answer to the question before this one is none to this
            self._ask_status(time.monotonic() + 8)

    def _verdict(self, service: str, server: str, up: bool, weight: int = 1, lost: bool = False) -> None:
        verdict = Verdict(service=service, server=server, up=up, weight=weight, since_ns=0, reason="timeout")
        self._verdicts[service, server] = verdict
        self._sequence += 1
        if self._spoken and not lost:
            self._link.send(VerdictChanged(generation=self._generation, sequence=self._sequence, verdict=verdict))

    def _ask_status(self, end: float) -> None:
        """The answer with our ticket, or what came unasked while nobody answers."""
        if self._status is not None and self._status.ticket == self._ticket:
            self._answer(_plain(self._status))
            self._status = None
        elif time.monotonic() > end:
            self._answer(None)
        else:
            if self._sender:
                self._hub.send(self._sender, StatusWanted(ticket=self._ticket))
            self._loop.after(50_000_000, lambda: self._ask_status(end))

    def _answer(self, answer: Any) -> None:
        self._end.send(json.dumps(answer).encode())


def _plain(status: IpvsStatus) -> dict[str, Any]:
    return {
        "plane": status.data_plane,
        "counters": status.counters,
        "repairs": [dataclasses.asdict(repair) for repair in status.repairs],
        "services": {
            each.service: {
                "installed": each.installed,
                "problem": each.problem,
                "quorum": each.quorum_up,
                "servers": {
                    row.server: [row.up, row.weight, row.wanted_weight, row.connections, row.sorry]
                    for row in each.destinations
                },
            }
            for each in status.services
        },
    }


if __name__ == "__main__":
    Stage(sys.argv[1]).run()
