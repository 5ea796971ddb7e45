"""Hosts and wires for the lab and the demonstration: network namespaces, veth pairs and bridges of this run alone.

    with Lab() as lab:
        lab.host("d1"), lab.host("client")
        lab.wire("d1", "eth0", "lan", "192.0.2.11/24")
        lab.wire("client", "eth0", "lan", "192.0.2.10/24")
        lab.run("client", "ping", "-c1", "192.0.2.11")
        daemon = lab.start("d1", "pyhad", "-n", ..., log=path)
        lab.cut("d1", "eth0")          # pull the cable at the switch: carrier is lost at the host too
        lab.mute("d1", "eth0")         # the switch drops its frames: carrier stays

A host "d1" is the namespace `ph<PID>-d1`; each LAN is a namespace with a bridge. `close()` ends every process that was
started, by pid, and deletes the namespaces; it runs however the block ends. What a killed run left is swept by the
next one: namespaces whose run's pid is gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

PATIENCE_S = 40
"""What has to happen is waited for at least as long: where it happens that costs nothing."""
PREFIX = re.compile(r"^ph(\d+)-")
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class LabError(Exception):
    """A command of the lab failed; the text says which and what it printed."""


class Running:
    """A process on a host. `stop()` asks by SIGTERM and waits, `kill()` does not ask."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path | None) -> None:
        self.process = process
        self.log_path = log
        self.pid = process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def log(self) -> str:
        """What it printed so far."""
        return self.log_path.read_text(errors="replace") if self.log_path else ""

    def signal(self, number: int) -> None:
        if self.alive:
            self.process.send_signal(number)

    def stop(self, timeout_s: float = PATIENCE_S) -> int:
        """SIGTERM, wait, SIGKILL if it must be; returns its exit status (negative: the signal)."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def kill(self) -> int:
        self.signal(signal.SIGKILL)
        return self.wait(PATIENCE_S)

    def wait(self, timeout_s: float) -> int:
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(PATIENCE_S)


class Lab:
    """All hosts, wires and processes of one run."""

    def __init__(self) -> None:
        sweep()
        self._hosts: dict[str, str] = {}
        self._ports: dict[tuple[str, str], tuple[str, str]] = {}
        self._running: list[Running] = []
        self._count = 0

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------ build

    def host(self, name: str, *, forward: bool = False) -> str:
        """A new host (or the one of that name); `forward` makes it a router. Returns the namespace's name."""
        if name not in self._hosts:
            namespace = f"ph{os.getpid()}-{name}"
            _command("ip", "netns", "add", namespace)
            self._hosts[name] = namespace
            _command("ip", "-n", namespace, "link", "set", "lo", "up")
        if forward:
            self.sysctl(name, "net.ipv4.ip_forward", "1")
        return self._hosts[name]

    def wire(self, host: str, interface: str, lan: str, *addresses: str) -> None:
        """Connect `interface` of `host` to the switch `lan` (made when new) and give it addresses."""
        self.host(host)
        switch = self._switch(lan)
        self._count += 1
        port = f"p{self._count}"
        _command(
            "ip", "link", "add", interface, "netns", self._hosts[host],
            "type", "veth", "peer", "name", port, "netns", switch,
        )  # fmt: skip
        _command("ip", "-n", switch, "link", "set", port, "master", "br0", "up")
        for address in addresses:
            # Without duplicate address detection an IPv6 address can be used at once.
            extra = ("nodad",) if ":" in address else ()
            _command("ip", "-n", self._hosts[host], "addr", "add", address, "dev", interface, *extra)
        _command("ip", "-n", self._hosts[host], "link", "set", interface, "up")
        self._ports[host, interface] = (switch, port)

    def route(self, host: str, *words: str) -> None:
        _command("ip", "-n", self._hosts[host], "route", "add", *words)

    def sysctl(self, host: str, name: str, value: str) -> None:
        self.run(host, "sysctl", "-qw", f"{name}={value}")

    def _switch(self, lan: str) -> str:
        name = f"sw.{lan}"
        if name not in self._hosts:
            namespace = self.host(name)
            _command("ip", "-n", namespace, "link", "add", "br0", "type", "bridge", "forward_delay", "0")
            _command("ip", "-n", namespace, "link", "set", "br0", "up")
        return self._hosts[name]

    # ----------------------------------------------------------------------------------------- faults

    def cut(self, host: str, interface: str, *, until_told: bool = True) -> None:
        """Pull the cable: both ends lose carrier. The kernel tells of links once a second at the most, and of a cable
        that is plugged in again meanwhile not at all: returns when it has told of this one, or at once."""
        switch, port = self._ports[host, interface]
        _command("ip", "-n", switch, "link", "set", port, "down")
        shown = ("ip", "-n", self._hosts[host], "-o", "link", "show", interface)
        if until_told:
            wait_until(lambda: " state UP " not in _command(*shown, check=False), 2, f"{interface} of {host} is down")

    def mend(self, host: str, interface: str) -> None:
        """Plug the cable in again."""
        switch, port = self._ports[host, interface]
        _command("ip", "-n", switch, "link", "set", port, "up")

    def mute(self, host: str, interface: str) -> None:
        """The switch forwards nothing from or to the host any more; the host sees carrier all the time."""
        switch, port = self._ports[host, interface]
        _command("ip", "-n", switch, "link", "set", port, "nomaster")

    def unmute(self, host: str, interface: str) -> None:
        switch, port = self._ports[host, interface]
        _command("ip", "-n", switch, "link", "set", port, "master", "br0")

    # -------------------------------------------------------------------------------------- processes

    def argv(self, host: str, *command: str) -> list[str]:
        """The command line that runs `command` on `host`."""
        return ["ip", "netns", "exec", self._hosts[host], *command]

    def run(self, host: str, *command: str, check: bool = True, timeout_s: float = 60) -> str:
        """Run to its end and return what it printed (standard output and error). `LabError` when it failed."""
        return _command(*self.argv(host, *command), check=check, timeout_s=timeout_s)

    def start(
        self, host: str, *command: str, log: Path | None = None, environment: dict[str, str] | None = None
    ) -> Running:
        """Run in the background; output goes to `log` (appended). It gets SIGTERM if this process dies."""
        output = log.open("ab") if log else subprocess.DEVNULL
        try:
            process = subprocess.Popen(
                self.argv(host, *command), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True, preexec_fn=die_with_parent, env={**os.environ, **(environment or {})},
            )  # fmt: skip
        finally:
            if log:
                output.close()  # type: ignore[union-attr]
        running = Running(process, log)
        self._running.append(running)
        return running

    def pids(self, host: str, *names: str) -> list[int]:
        """Processes on the host, or those whose name (`comm`) begins so. Who ends meanwhile is left out."""
        found = [int(word) for word in self.run(host, "ip", "netns", "pids", self._hosts[host]).split()]
        return [pid for pid in found if _name_of(pid).startswith(names or "")]

    def kill_all(self, host: str, *names: str) -> None:
        """All of them at once: stopped first, so that none sees another die. Returns when they are dead."""
        found = self.pids(host, *names)
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        wait_until(lambda: not set(found) & set(self.pids(host, *names)), PATIENCE_S, f"all of {host} are dead")

    # ---------------------------------------------------------------------------------------- queries

    def addresses(self, host: str) -> set[str]:
        """Every IPv4 and IPv6 address on the host, without prefix length."""
        text = self.run(host, "ip", "-o", "addr", "show")
        return {match.group(1) for match in re.finditer(r"inet6? ([0-9a-f.:]+)", text)}

    def holders(self, address: str, hosts: Iterable[str]) -> list[str]:
        """Those of `hosts` that hold `address` now."""
        return [host for host in hosts if address in self.addresses(host)]

    # -------------------------------------------------------------------------------------------- end

    def close(self) -> None:
        """End all processes and remove all namespaces. May be called twice; not interrupted by Ctrl-C."""
        held = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for running in reversed(self._running):
                running.signal(signal.SIGTERM)
            for running in reversed(self._running):
                running.wait(10)
            self._running.clear()
            for namespace in self._hosts.values():
                _remove(namespace)
            self._hosts.clear()
        finally:
            for number, action in held.items():
                signal.signal(number, action)


def wait_until(true: Callable[[], object], timeout_s: float, what: str, every_s: float = 0.02) -> float:
    """Poll until `true()`; returns how long it took in seconds. `LabError` naming `what` when it never was.

    `timeout_s` is what a machine with little else to do needs at the most; at least PATIENCE_S are waited. A test that
    shows how soon something is looks at what is returned, and compares it with what the protocol promises.
    """
    patience_s = max(timeout_s, PATIENCE_S)
    start = time.monotonic()
    while not true():
        if time.monotonic() - start > patience_s:
            raise LabError(f"waited {patience_s} s in vain until {what}")
        time.sleep(every_s)
    return time.monotonic() - start


def log_lines(path: Path) -> list[dict[str, Any]]:
    """The JSON lines of a log so far. One that is being written may be half there: it does not count yet."""
    text = path.read_text(errors="replace") if path.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]


def sweep() -> None:
    """Remove what a run left behind that was killed: namespaces `ph<PID>-*` whose pid is gone."""
    for line in _command("ip", "netns", "list").splitlines():
        name = line.split()[0] if line.split() else ""
        match = PREFIX.match(name)
        if match and not Path(f"/proc/{match.group(1)}").exists():
            _remove(name)


def _remove(namespace: str) -> None:
    """Kill what still runs in a namespace of ours, then delete it."""
    for pid in _command("ip", "netns", "pids", namespace, check=False).split():
        if pid.isdigit():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
    _command("ip", "netns", "del", namespace, check=False)


def _name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return "\0"  # begins like no name


def die_with_parent() -> None:
    """SIGTERM comes when the process that started this one ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _command(*command: str, check: bool = True, timeout_s: float = 60) -> str:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout_s
    )
    text = done.stdout.decode(errors="replace")
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(command)} ended with {done.returncode}: {text.strip()}")
    return text


def require_root() -> None:
    """End with a clear sentence where namespaces cannot be made."""
    if os.geteuid() != 0:
        sys.exit("This needs root: it makes network namespaces. Run it again as root.")
