"""Each change of state ends in the same kernel table, the same FIFO lines and the same mails as keepalived's.

Both daemons run, one after the other, on the same configuration and the same servers; what has to come of each step is
written down here once and ipvsadm is the witness.
"""

from __future__ import annotations

import collections
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

pytestmark = pytest.mark.vm

REPO = Path(__file__).parents[2]
PATIENCE_S = 60.0
START_S = 90.0
VIP, SUSPENDED = "10.9.9.9", "10.9.9.10"
CONFIG = """
global_defs {{
    router_id R1
    script_user root
    lvs_notify_fifo {folder}/fifo root
    notification_email {{ a@example.org b@example.org }}
    notification_email_from k@example.org
    smtp_server 127.0.0.1 2525
    smtp_alert_checker
}}
virtual_server 10.9.9.9 80 {{
    delay_loop 0.3
    warmup 0.1
    retry 1
    delay_before_retry 0.1
    connect_timeout 1
    lb_algo rr
    lb_kind NAT
    protocol TCP
    quorum 2
    hysteresis 1
    quorum_up "{folder}/note quorum_up" root
    quorum_down "{folder}/note quorum_down" root
    sorry_server 127.0.0.1 8099
    real_server 127.0.0.1 8001 {{
        notify_up "{folder}/note up" root
        notify_down "{folder}/note down" root
        TCP_CHECK {{
        }}
    }}
    real_server 127.0.0.1 8002 {{
        TCP_CHECK {{
        }}
    }}
    real_server 127.0.0.1 8003 {{
        MISC_CHECK {{
            misc_path "{folder}/weight"
            misc_dynamic
            misc_timeout 10
            delay_loop 1
            user root
        }}
    }}
}}
virtual_server 10.9.9.9 81 {{
    delay_loop 0.3
    warmup 0.1
    retry 1
    delay_before_retry 0.1
    lb_algo rr
    lb_kind NAT
    protocol TCP
    inhibit_on_failure
    real_server 127.0.0.1 8001 {{
        TCP_CHECK {{
        }}
    }}
}}
virtual_server 10.9.9.10 82 {{
    delay_loop 0.3
    warmup 0.1
    retry 1
    delay_before_retry 0.1
    lb_algo rr
    lb_kind NAT
    protocol TCP
    ha_suspend
    real_server 127.0.0.1 8001 {{
        TCP_CHECK {{
        }}
    }}
}}
"""


def of_80(**servers: int) -> set[str]:
    """The lines of the first service: its servers by port, with their weights."""
    return {"-A -t 10.9.9.9:80 -s rr"} | {
        f"-a -t 10.9.9.9:80 -r 127.0.0.1:{port[1:]} -m -w {weight}" for port, weight in servers.items()
    }


def of_81(weight: int) -> set[str]:
    return {"-A -t 10.9.9.9:81 -s rr", f"-a -t 10.9.9.9:81 -r 127.0.0.1:8001 -m -w {weight}"}


def of_82(*, present: bool) -> set[str]:
    return {"-A -t 10.9.9.10:82 -s rr"} | ({"-a -t 10.9.9.10:82 -r 127.0.0.1:8001 -m -w 1"} if present else set())


ALL = of_80(p8001=1, p8002=1, p8003=1)
SORRY = of_80(p8099=1)
UP_80, UP_81, UP_82 = "VS [10.9.9.9]:tcp:80 UP", "VS [10.9.9.9]:tcp:81 UP", "VS [10.9.9.10]:tcp:82 UP"
DOWN_80, DOWN_81, DOWN_82 = (line.replace("UP", "DOWN") for line in (UP_80, UP_81, UP_82))


def rs(port: int, service: int, word: str) -> str:
    return f"RS [127.0.0.1]:tcp:{port} [10.9.9.{10 if service == 82 else 9}]:tcp:{service} {word}"


STEPS: tuple[tuple[str, set[str], tuple[str, ...]], ...] = (
    ("start", ALL | of_81(1) | of_82(present=True), (UP_80, UP_81, UP_82)),
    (
        "one fails", of_80(p8002=1, p8003=1) | of_81(0) | of_82(present=True),
        (rs(8001, 80, "DOWN"), rs(8001, 81, "DOWN"), DOWN_81),
    ),
    ("two fail", of_80(p8003=1) | of_81(0) | of_82(present=True), (rs(8002, 80, "DOWN"),)),
    ("all fail", SORRY | of_81(0) | of_82(present=True), (rs(8003, 80, "DOWN"), DOWN_80)),
    ("one is back", SORRY | of_81(0) | of_82(present=True), (rs(8003, 80, "UP"),)),
    ("two are back", SORRY | of_81(0) | of_82(present=True), (rs(8002, 80, "UP"),)),
    ("all are back", ALL | of_81(1) | of_82(present=True), (rs(8001, 80, "UP"), UP_80, rs(8001, 81, "UP"), UP_81)),
    ("another weight", of_80(p8001=1, p8002=1, p8003=10) | of_81(1) | of_82(present=True), ()),
    (
        "the address comes, one fails", of_80(p8002=1, p8003=10) | of_81(0) | of_82(present=False),
        (rs(8001, 80, "DOWN"), rs(8001, 81, "DOWN"), DOWN_81, rs(8001, 82, "DOWN"), DOWN_82),
    ),
    (
        "the address goes, it is back", of_80(p8001=1, p8002=1, p8003=10) | of_81(1) | of_82(present=False),
        (rs(8001, 80, "UP"), rs(8001, 81, "UP"), UP_81),
    ),
)  # fmt: skip


@dataclass(slots=True)
class World:
    """The servers, the FIFO's reader, the mail relay: all in this process."""

    folder: Path
    lines: list[str] = field(default_factory=list)
    mails: list[tuple[str, str]] = field(default_factory=list)
    servers: dict[int, socket.socket] = field(default_factory=dict)

    def up(self, port: int) -> None:
        listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.servers[port] = listener
        threading.Thread(target=_accept, args=(listener,), daemon=True).start()

    def down(self, port: int) -> None:
        listener = self.servers.pop(port)
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()

    def weight(self, status: int) -> None:
        path = self.folder / "weight"
        path.with_suffix(".new").write_text(f"#!/bin/sh\nexit {status}\n")
        path.with_suffix(".new").chmod(0o755)
        path.with_suffix(".new").rename(path)

    def do(self, step: str) -> None:
        match step:
            case "one fails":
                self.down(8001)
            case "two fail":
                self.down(8002)
            case "all fail":
                self.weight(1)
            case "one is back":
                self.weight(0)
            case "two are back":
                self.up(8002)
            case "all are back":
                self.up(8001)
            case "another weight":
                self.weight(12)
            case "the address comes, one fails":
                ip("addr", "add", f"{SUSPENDED}/32", "dev", "d9")
                self.down(8001)
            case "the address goes, it is back":
                ip("addr", "del", f"{SUSPENDED}/32", "dev", "d9")
                time.sleep(0.3)
                self.up(8001)

    def notes(self) -> collections.Counter[str]:
        path = self.folder / "notes"
        return collections.Counter(path.read_text().split() if path.exists() else [])

    def read_fifo(self, stop: threading.Event) -> None:
        path = self.folder / "fifo"
        while not path.exists():
            if stop.wait(0.005):
                return
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        rest = ""
        while not stop.is_set():
            try:
                rest += os.read(descriptor, 4096).decode()
            except BlockingIOError:
                pass
            *whole, rest = rest.split("\n")
            self.lines += whole
            time.sleep(0.01)
        os.close(descriptor)

    def relay(self, listener: socket.socket) -> None:
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._dialogue, args=(connection,), daemon=True).start()

    def _dialogue(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb", 0) as stream:
            stream.write(b"220 relay\r\n")
            while line := stream.readline():
                if line.upper().startswith(b"DATA"):
                    stream.write(b"354 go on\r\n")
                    text = b""
                    while not text.endswith(b"\r\n.\r\n"):
                        text += stream.readline()
                    found = re.search(r"Subject: (.*?)\r\n.*?\r\n\r\n(.*?)\r\n", text.decode(), re.DOTALL)
                    assert found is not None
                    self.mails.append((found[1], found[2]))
                stream.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 yes\r\n")


def _accept(listener: socket.socket) -> None:
    while True:
        try:
            listener.accept()[0].close()
        except OSError:
            return


def ip(*words: str) -> None:
    subprocess.run(("ip", *words), check=True)


def table() -> set[str]:
    return set(subprocess.run(("ipvsadm", "-Sn"), capture_output=True, text=True, check=True).stdout.split("\n")) - {""}


@pytest.fixture
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        one = World(Path(folder))
        Path(folder, "note").write_text(f'#!/bin/sh\necho "$1" >>{folder}/notes\n')
        Path(folder, "note").chmod(0o755)
        Path(folder, "conf").write_text(CONFIG.format(folder=folder))
        one.weight(0)
        one.up(8001)
        one.up(8002)
        for command in ("link set lo up", "link add d9 type dummy", f"addr add {VIP}/32 dev d9", "link set d9 up"):
            ip(*command.split())
        stop = threading.Event()
        reader = threading.Thread(target=one.read_fifo, args=(stop,), daemon=True)
        reader.start()
        relay = socket.create_server(("127.0.0.1", 2525))
        threading.Thread(target=one.relay, args=(relay,), daemon=True).start()
        yield one
        stop.set()
        reader.join(5)
        relay.shutdown(socket.SHUT_RDWR)
        relay.close()
        for port in list(one.servers):
            one.down(port)
        ip("link", "del", "d9")
        subprocess.run(("ipvsadm", "-C"), check=True)


def command(daemon: str, folder: Path) -> list[str]:
    if daemon == "keepalived":
        pids = [f"-{letter}{folder}/{letter}.pid" for letter in "pc"]
        return ["keepalived", "-nlC", "-f", f"{folder}/conf", *pids]
    return [str(REPO / ".venv/bin/pyhad"), "-n", "-l", "-f", f"{folder}/conf", "--run-dir", f"{folder}/run"]


@pytest.mark.behaviour(
    "LVS-31", "LVS-33", "LVS-34", "LVS-36", "LVS-37", "CHK-3", "CHK-4", "CHK-7", "CHK-10", "CHK-61", "NTF-21", "NTF-22",
    "MAIL-5", "MAIL-6",
)  # fmt: skip
@pytest.mark.parametrize("daemon", ["keepalived", "pyhad"])
def test_every_step_ends_in_this_table_and_says_these_lines(world: World, daemon: str) -> None:
    with (world.folder / "log").open("w") as log:
        running = subprocess.Popen(command(daemon, world.folder), stdout=log, stderr=subprocess.STDOUT)
    try:
        for step, wanted, lines in STEPS:
            said = len(world.lines)
            world.do(step)
            end = time.monotonic() + (START_S if step == "start" else PATIENCE_S)
            while (table(), sorted(world.lines[said:])) != (wanted, sorted(lines)) and time.monotonic() < end:
                time.sleep(0.05)
            assert table() == wanted, (step, (world.folder / "log").read_text()[-3000:])
            assert sorted(world.lines[said:]) == sorted(lines), step
            assert _servers_first(world.lines[said:]), (step, world.lines[said:])
            time.sleep(0.4)  # and stays so
            assert (table(), sorted(world.lines[said:])) == (wanted, sorted(lines)), step
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(60)
    notes, mails = {"quorum_up": 2, "quorum_down": 1, "up": 2, "down": 2}, set(_mails())
    end = time.monotonic() + PATIENCE_S
    while (world.notes(), set(world.mails)) != (notes, mails) and time.monotonic() < end:
        time.sleep(0.1)  # scripts and mails are under way
    assert world.notes() == notes
    assert set(world.mails) == mails


def _servers_first(lines: list[str]) -> bool:
    """LVS-36: of one service the server's line comes before the service's."""
    places = {line.split()[-2]: index for index, line in enumerate(lines) if line.startswith("VS")}
    return all(
        index < places.get(line.split()[-2], len(lines)) for index, line in enumerate(lines) if line.startswith("RS")
    )


def _mails() -> Iterator[tuple[str, str]]:
    """What is mailed in all, each at least once: keepalived mails the first success of a MISC_CHECK too."""
    for service, body in ((80, "2+1=3 <= 3"), (81, "1+0=1 <= 1"), (82, "1+0=1 <= 1")):
        yield _of_service(service, "UP"), f"=> Starting with quorum up {body} <="
    for service, lost, gained in ((80, "2+1=1 <= 0", "2+1=3 <= 3"), (81, "1+0=1 <= 0", "1+0=1 <= 1")):
        yield _of_service(service, "DOWN"), f"=> Lost quorum {lost} <="
        yield _of_service(service, "UP"), f"=> Gained quorum {gained} <="
    yield _of_service(82, "DOWN"), "=> Lost quorum 1+0=1 <= 0 <="
    for port, service in ((8001, 80), (8001, 81), (8002, 80)):
        yield _of_server(port, service, "DOWN"), "=> TCP CHECK failed on service <="
        yield _of_server(port, service, "UP"), "=> TCP CHECK succeed on service <="
    yield _of_server(8001, 82, "DOWN"), "=> TCP CHECK failed on service <="
    yield _of_server(8003, 80, "DOWN"), "=> MISC CHECK failed on service <="
    yield _of_server(8003, 80, "UP"), "=> MISC CHECK succeeded on service <="


def _name(service: int) -> str:
    return f"[10.9.9.{10 if service == 82 else 9}]:tcp:{service}"


def _of_service(service: int, word: str) -> str:
    return f"[R1] Virtualserver {_name(service)} - {word}"


def _of_server(port: int, service: int, word: str) -> str:
    return f"[R1] Realserver [127.0.0.1]:tcp:{port} of virtual server {_name(service)} - {word}"
