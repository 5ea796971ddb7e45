"""The real checker process, unprivileged, against servers of every kind on loopback; the test plays the IPVS owner."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import pathlib
import shutil
import socket
import struct
import tempfile
import time
from collections.abc import Callable

import pytest

from pyhad.common import messages as m
from pyhad.common.codec import encode
from pyhad.common.config.model import (
    DnsCheck,
    FileCheck,
    GrpcCheck,
    HttpCheck,
    HttpUrl,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    Target,
    TcpCheck,
    Timing,
    UdpCheck,
)
from pyhad.common.config.model.tracking import Program, TrackFile
from pyhad.common.privileges import CAP_NET_RAW
from pyhad.common.scripts.catalogue import catalogue_of
from pyhad.common.scripts.helper import fork_helper
from pyhad.common.scripts.orders import ANSWERS, Adopt, Check, Ended, Tell, Trouble
from tests.lab.checker_stand_in import (
    FAST,
    MS,
    SERVICE,
    Behaviour,
    Director,
    Server,
    checked,
    closed_port,
    document,
    http,
    replying,
    sealed,
    silent,
    target,
    tcp,
)
from tests.lab.net import PATIENCE_S

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else"),
]


CAP_NET_RAW_EFFECTIVE = struct.pack("<5I", 0x02000001, 1 << CAP_NET_RAW, 0, 0, 0)
"""As `setcap cap_net_raw=ep` writes it (VFS_CAP_REVISION_2)."""

SLEEPS = f"sleep 6{os.getpid()}", f"sleep 7{os.getpid()}"
"""Nobody else's, so that they can be looked for among all processes."""
OK = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.mark.behaviour("CHK-30")
def test_a_closed_port_is_down_for_being_refused_and_an_open_one_is_up(director: Director) -> None:
    server = director.serve(silent)
    director.start(checked("10.0.0.11:80", tcp(server.port)), checked("10.0.0.12:80", tcp(closed_port())))
    director.until(lambda: director.up("10.0.0.12:80") is False)
    first = next(one for one in director.heard if isinstance(one, m.VerdictSnapshot))
    assert {(one.up, one.reason) for one in first.verdicts} == {(True, "not_checked_yet")}
    assert director.says("10.0.0.12:80") == (False, "connect_refused")
    director.until(lambda: director.says("10.0.0.11:80") == (True, "check_succeeded"))
    server.close()
    director.until(lambda: director.up("10.0.0.11:80") is False)
    again = director.serve(silent, server.port)
    director.until(lambda: director.up("10.0.0.11:80"))
    director.until(lambda: [line["server"] for line in director.lines("server_up")] == ["10.0.0.11:80"])
    assert director.stop() == 0
    again.close()


def test_each_http_answer_gives_its_own_reason(director: Director) -> None:
    digest = hashlib.md5(b"hello", usedforsecurity=False).hexdigest()
    bodies = {
        "10.0.0.11:80": (OK, HttpUrl(path="/", digest=digest), True, "check_succeeded"),
        "10.0.0.12:80": (OK, HttpUrl(path="/", digest="0" * 32), False, "http_digest"),
        "10.0.0.13:80": (b"HTTP/1.0 503 Busy\r\n\r\n", HttpUrl(path="/"), False, "http_status"),
        "10.0.0.14:80": (b"", HttpUrl(path="/"), False, "http_no_data"),
        "10.0.0.15:80": (bytes(range(256)) * 8, HttpUrl(path="/"), False, "http_bad_status_line"),
    }
    servers = {name: director.serve(replying(body)) for name, (body, *_) in bodies.items()}
    director.start(*(checked(name, http(servers[name].port, url)) for name, (_, url, *_) in bodies.items()))
    for name, (_, _, up, reason) in bodies.items():
        director.until(lambda name=name, said=(up, reason): director.verdicts and director.says(name) == said)
    director.until(lambda: len(director.lines("check_failed")) == 4)
    assert {line["server"][-5:-3]: line["detail"] for line in director.lines("check_failed")} == {
        "12": f"{digest} of /", "13": "503 of /", "14": "of /", "15": "of /",
    }  # fmt: skip
    port = servers["10.0.0.11:80"].port
    request = f"GET / HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    assert servers["10.0.0.11:80"].requests[0] == request.encode()
    for server in servers.values():
        server.close()


def trickle(server: Server, connection: socket.socket, _data: bytes) -> None:
    """Headers that never end, a byte now and then."""

    def drip() -> None:
        if connection in server.connections:
            with contextlib.suppress(OSError):
                connection.send(b"H")
            server.loop.after(30 * MS, drip)

    connection.send(b"HTTP/1.0 200 OK\r\nX: ")
    drip()


def pouring(head: bytes, chunk: bytes) -> Behaviour:
    def behave(server: Server, connection: socket.socket, _data: bytes) -> None:
        connection.send(head)
        server.pour(connection, chunk)

    return behave


HTTP_1_1 = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HTTP_1_1 + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("behave", "digest", "timeout_ms", "reason"),
    [
        (pouring(HTTP_1_1, b"A: b\r\n" * 1000), "", 20_000, "http_headers_too_long"),
        (pouring(HTTP_1_1 + b"\r\n", b"x" * 1_000_000), "0" * 32, 20_000, "http_body_too_long"),
        (pouring(CHUNKED, b"1\r\nx\r\n" * 10_000), "0" * 32, 20_000, "http_body_too_long"),
        (pouring(b"", os.urandom(65536)), "", 20_000, "http_bad_status_line"),
        (trickle, "", 400, "timeout"),
        (silent, "", 400, "timeout"),
    ],
)  # fmt: skip
def test_a_hostile_server_never_kills_it_and_is_down_for_the_right_reason(
    director: Director, behave: Behaviour, digest: str, timeout_ms: int, reason: str
) -> None:
    server = director.serve(behave)
    director.start(checked("10.0.0.11:80", http(server.port, HttpUrl(path="/", digest=digest), timeout_ms=timeout_ms)))
    director.until(lambda: director.up("10.0.0.11:80") is False)
    assert director.says("10.0.0.11:80") == (False, reason)
    director.turn_for(0.3)
    assert director.is_alive()


def test_killed_and_respawned_it_keeps_its_verdicts(director: Director) -> None:
    alive, slow = director.serve(silent), Timing(delay_loop_ns=3_000 * MS, retry=1, warmup_ns=0)
    servers = (
        checked("10.0.0.11:80", tcp(alive.port, slow)),
        checked("10.0.0.12:80", tcp(closed_port(), slow)),
    )
    director.start(*servers)
    director.until(lambda: director.up("10.0.0.12:80") is False)
    director.until(lambda: director.says("10.0.0.11:80") == (True, "check_succeeded"))
    director.until(lambda: len(director.lines("check_failed")) == 1)  # a line not yet written dies with its process
    before = dict(director.verdicts)
    generation = director.heard[-1].generation  # type: ignore[attr-defined]
    for _ in range(5):
        director.kill()
        director.verdicts = {}
        director.start(*servers)
        director.until(lambda: director.verdicts)
        assert director.verdicts == before
        snapshot = [one for one in director.heard if isinstance(one, m.VerdictSnapshot)][-1]
        assert snapshot.generation > generation
        generation = snapshot.generation
    alive.close()
    director.until(lambda: director.up("10.0.0.11:80") is False)
    director.until(lambda: len(director.lines("check_failed")) == 2)
    assert {line["reason"] for line in director.lines("check_failed")} == {"connect_refused"}
    director.until(lambda: not director.reports[-1].servers[0].verdict.up)
    assert (
        director.reports[-1].servers[0].checks[0].failures == 2
    )  # the rule of the first failure is for the start only


def test_it_runs_without_any_privilege(director: Director) -> None:
    director.start(checked("10.0.0.11:80", tcp(closed_port())))
    director.until(lambda: director.verdicts)
    status = pathlib.Path(f"/proc/{director.pid}/status").read_text()
    facts = dict(line.split(":\t", 1) for line in status.splitlines())
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd"):
        assert int(facts[name], 16) == 0, name
    assert int(facts["NoNewPrivs"]) == 1
    assert facts["Uid"].split() == [str(director.account[1])] * 4


def test_a_thousand_failing_probes_of_every_kind_leave_no_descriptor(
    director: Director, tmp_path: pathlib.Path
) -> None:
    timing = Timing(delay_loop_ns=10 * MS, retry=0, warmup_ns=0)
    mute = director.serve(silent)
    never = Target(address="127.0.0.1", port=mute.port, connect_timeout_ns=20 * MS)
    late = HttpCheck(target=never, timing=timing, alpha=False, urls=(HttpUrl(path="/"),))
    failing = [tcp(closed_port(), timing) for _ in range(3)]
    missing = MiscCheck(
        program=Program(argv=("/does/not/exist",)), timeout_ns=100 * MS, dynamic=False, timing=timing, alpha=False
    )
    nobody = Target(address="127.0.0.1", port=closed_port(), connect_timeout_ns=20 * MS)
    others = (
        SmtpCheck(target=never, timing=timing, alpha=False, helo_name="h"),
        SmtpCheck(target=nobody, timing=timing, alpha=False, helo_name="h"),
        DnsCheck(target=nobody, timing=timing, alpha=False, name=".", record_type=6),
        UdpCheck(target=nobody, timing=timing, alpha=False, needs_reply=True),
        dataclasses.replace(late, tls=True),
        dataclasses.replace(late, target=nobody),
        dataclasses.replace(late, http2=True),
        dataclasses.replace(late, http2=True, tls=True),
        GrpcCheck(target=never, timing=timing, alpha=False),
        PingCheck(
            target=Target(address="127.0.0.1", port=0, connect_timeout_ns=MS // 1000), timing=timing, alpha=False
        ),
        PingCheck(target=Target(address="::1", port=0, connect_timeout_ns=MS // 1000), timing=timing, alpha=False),
        FileCheck(file=TrackFile(name="f", path=str(tmp_path / "gate")), weight=0, timing=timing),
    )
    (tmp_path / "gate").write_text("1\n")
    director.start(checked("10.0.0.11:80", *failing, late, missing, *others))
    director.until(lambda: director.up("10.0.0.11:80") is False)
    director.until(lambda: director.reports and _failures(director) >= 100)
    at_first = director.descriptors()
    director.until(lambda: director.reports and _failures(director) >= 1000)
    assert director.descriptors() <= at_first + 50
    mute.close()


def _failures(director: Director) -> int:
    if director.counters["asked"] % 10 == 0:
        with contextlib.suppress(IndexError):
            director.hubs[1].send(b"checker", m.StatusWanted(ticket=7))
    director.counters["asked"] += 1
    return sum(check.failures for health in director.reports[-1].servers for check in health.checks)


def test_the_loopback_answers_pings_and_a_black_hole_does_not(director: Director) -> None:
    hole = Target(address="240.0.0.1", port=0, connect_timeout_ns=200 * MS)
    director.start(
        checked("10.0.0.11:80", PingCheck(target=target(0), timing=FAST, alpha=True)),
        checked("10.0.0.12:80", PingCheck(target=hole, timing=FAST, alpha=False)),
    )
    director.until(lambda: director.up("10.0.0.11:80"))
    director.until(lambda: director.up("10.0.0.12:80") is False)
    assert director.says("10.0.0.12:80")[1] in ("timeout", "no_route", "connect_failed")


@pytest.mark.behaviour("CHK-60")
def test_an_exit_status_is_a_verdict_and_a_dynamic_one_a_weight(director: Director) -> None:
    def misc(script: str, dynamic: bool = False, timeout_ms: int = 20_000) -> MiscCheck:
        program = Program(argv=("/bin/sh", "-c", script))
        return MiscCheck(program=program, timeout_ns=timeout_ms * MS, dynamic=dynamic, timing=FAST, alpha=False)

    director.start(
        checked("10.0.0.11:80", misc("exit 0"), weight=5),
        checked("10.0.0.12:80", misc("exit 3"), weight=5),
        checked("10.0.0.13:80", misc("exit 12", dynamic=True), weight=5),
        checked("10.0.0.14:80", misc(f"trap '' TERM; {SLEEPS[0]} & {SLEEPS[1]}", timeout_ms=1500), weight=5),
        checked("10.0.0.15:80", misc("kill -9 $$"), weight=5),
    )
    director.until(lambda: sum(one.reason != "not_checked_yet" for one in director.verdicts.values()) == 5)
    assert director.says("10.0.0.11:80") == (True, "check_succeeded")
    assert director.says("10.0.0.12:80") == (False, "exit_status")
    assert director.verdicts[(SERVICE, "10.0.0.13:80")].weight == 10
    assert director.says("10.0.0.14:80") == (False, "timeout")
    assert director.says("10.0.0.15:80") == (False, "killed_by_signal")
    assert director.stop() == 0
    _until(lambda: _programs(SLEEPS[0]) == [])


@pytest.mark.behaviour("CHK-62", "CHK-64")
def test_a_program_runs_as_its_user_and_ends_with_its_group_when_the_checker_is_killed(director: Director) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        script = f"id -u >{folder}/who; echo $$ >{folder}/pid; {SLEEPS[0]} & {SLEEPS[1]}"
        program = Program(argv=("/bin/sh", "-c", script), uid=65534, gid=65534)
        hangs = MiscCheck(program=program, timeout_ns=60_000 * MS, dynamic=False, timing=FAST, alpha=False)
        director.start(checked("10.0.0.11:80", hangs))
        _until(lambda: pathlib.Path(folder, "pid").exists() and _programs(SLEEPS[1]))
        assert pathlib.Path(folder, "who").read_text() == "65534\n"
        director.kill()
        _until(lambda: _programs(SLEEPS[0]) + _programs(SLEEPS[1]) == [])


def test_the_helper_runs_nothing_that_the_configuration_does_not_name(director: Director) -> None:
    """What a checker that somebody took over could ask for: another program, and a document of its own making."""
    named = Program(argv=("/bin/true",))
    check = MiscCheck(program=named, timeout_ns=1000 * MS, dynamic=False, timing=FAST, alpha=False)
    helper = fork_helper(catalogue_of(document(checked("10.0.0.11:80", check))))
    evil = Program(argv=("/bin/touch", f"{director.folder}/evil"))
    forged = sealed(encode(document(checked("10.0.0.11:80", dataclasses.replace(check, program=evil)))))
    os.fchown(forged, 65534, 65534)
    socket.send_fds(helper, [encode(Adopt())], [forged])
    helper.send(encode(Tell(key="k", programs=(evil,), timeout_ns=20 * 10**9)))
    helper.send(encode(Check(ticket=1, program=evil, timeout_ns=20 * 10**9)))
    helper.send(encode(Check(ticket=2, program=named, timeout_ns=20 * 10**9)))
    helper.settimeout(PATIENCE_S)
    answers = [ANSWERS.decode(helper.recv(65536)) for _ in range(5)]
    assert sum(isinstance(answer, Trouble) for answer in answers) == 3
    ended = {answer.ticket: (answer.status, answer.detail) for answer in answers if isinstance(answer, Ended)}
    assert ended == {1: (127, "the configuration does not name it"), 2: (0, "")}
    genuine = sealed(encode(document(checked("10.0.0.11:80", dataclasses.replace(check, program=evil)))))
    socket.send_fds(helper, [encode(Adopt())], [genuine])
    helper.send(encode(Check(ticket=3, program=evil, timeout_ns=20 * 10**9)))
    assert ANSWERS.decode(helper.recv(65536)) == Ended(ticket=3, status=0)
    assert pathlib.Path(director.folder, "evil").exists()
    helper.close()
    for descriptor in (forged, genuine):
        os.close(descriptor)


def _until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_program_with_a_capability_of_its_own_can_run(director: Director) -> None:
    with tempfile.TemporaryDirectory() as folder:  # ping itself may have been installed without
        os.chmod(folder, 0o755)
        program = pathlib.Path(folder, "true")
        shutil.copy("/bin/true", program)
        os.setxattr(program, "security.capability", CAP_NET_RAW_EFFECTIVE)
        ping = MiscCheck(
            program=Program(argv=(str(program),)), timeout_ns=20_000 * MS, dynamic=False, timing=FAST, alpha=True
        )
        director.start(checked("10.0.0.11:80", ping))
        director.until(lambda: director.verdicts and director.says("10.0.0.11:80")[1] == "check_succeeded")


def _programs(words: str) -> list[str]:
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            found += [command] if command == words else []
    return found


def test_a_reload_keeps_what_is_known_and_starts_and_ends_the_rest(director: Director) -> None:
    alive = director.serve(silent)
    dead = closed_port()
    slow = Timing(delay_loop_ns=60_000 * MS, warmup_ns=0)
    kept = (checked("10.0.0.11:80", tcp(alive.port, slow)), checked("10.0.0.12:80", tcp(dead, slow)))
    director.start(*kept, checked("10.0.0.13:80", tcp(alive.port, slow)))
    director.until(lambda: director.up("10.0.0.12:80") is False)
    director.until(lambda: director.says("10.0.0.11:80") == (True, "check_succeeded"))
    before = dict(director.verdicts)
    paced = Timing(delay_loop_ns=50_000 * MS, warmup_ns=0)
    director.reload(kept[0], checked("10.0.0.12:80", tcp(dead, paced)), checked("10.0.0.14:80"))
    director.until(lambda: director.applied == 1)
    director.until(lambda: director.up("10.0.0.14:80"))
    assert director.says("10.0.0.14:80") == (True, "no_checks")
    assert (SERVICE, "10.0.0.13:80") not in director.verdicts
    for name in ("10.0.0.11:80", "10.0.0.12:80"):
        assert director.verdicts[(SERVICE, name)] == before[(SERVICE, name)]
    alive.close()


def test_it_says_everything_again_to_a_new_hub_and_to_who_misses_something(director: Director) -> None:
    director.start(checked("10.0.0.11:80", tcp(closed_port())))
    director.until(lambda: director.up("10.0.0.11:80") is False)
    director.until(lambda: any(isinstance(one, m.Beat) and one.sequence == 1 for one in director.heard))
    director.heard.clear()
    director.hubs[0].send(director.sender, m.SnapshotWanted(reason="gap"))
    director.until(lambda: any(isinstance(one, m.VerdictSnapshot) for one in director.heard))
    for hub in director.hubs:
        hub.close()
    director.turn_for(0.2)
    director.heard.clear()
    director.open_hubs()
    director.until(lambda: any(isinstance(one, m.VerdictSnapshot) for one in director.heard))
    assert director.says("10.0.0.11:80") == (False, "connect_refused")


def test_status_comes_when_asked_with_its_ticket(director: Director) -> None:
    director.start(checked("10.0.0.11:80", tcp(closed_port())))
    director.until(lambda: director.reports)
    director.hubs[1].send(b"checker", m.StatusWanted(ticket=42))
    director.until(lambda: any(report.ticket == 42 for report in director.reports))
    director.until(lambda: not director.reports[-1].servers[0].verdict.up)
    check = director.reports[-1].servers[0].checks[0]
    assert (check.kind, check.up, check.reason) == ("TCP_CHECK", False, "connect_refused")
    assert check.runs >= 1


def test_what_several_services_ask_is_asked_once(director: Director) -> None:
    server = director.serve(silent)
    check = tcp(server.port)
    services = [dataclasses.replace(checked("10.0.0.11:80", check), service=f"10.0.0.{n}:80/tcp") for n in range(20)]
    director.start(*services)
    director.until(lambda: director.reports and director.reports[-1].counters["checks"] == 1)
    director.until(lambda: len([one for one in director.verdicts.values() if one.reason == "check_succeeded"]) == 20)
    before, begin = server.accepted, time.monotonic()
    director.until(lambda: server.accepted >= before + 10)
    each_100_ms = (time.monotonic() - begin) * 10
    assert server.accepted - before <= each_100_ms + 2
    server.close()


def test_what_cannot_be_asked_takes_nobody_down_and_is_said_once(director: Director) -> None:
    foreign = Target(address="127.0.0.1", port=1, bind_address="203.0.113.9")
    absent = Program(argv=("/nonexistent/program",))
    director.start(
        checked("10.0.0.11:80", dataclasses.replace(tcp(closed_port()), target=foreign)),
        checked("10.0.0.12:80", MiscCheck(program=absent, timeout_ns=MS, dynamic=False, timing=FAST, alpha=False)),
    )
    director.until(lambda: len(director.lines("probe_impossible")) == 2)
    director.turn_for(0.5)
    said = {line["server"]: (line["reason"], line.get("detail")) for line in director.lines("probe_impossible")}
    assert said == {
        "10.0.0.11:80": ("bind_failed", None), "10.0.0.12:80": ("cannot_run", "No such file or directory")
    }  # fmt: skip
    assert len(director.lines("probe_impossible")) == 2
    assert director.says("10.0.0.11:80") == director.says("10.0.0.12:80") == (True, "not_checked_yet")


def test_an_interface_and_an_address_to_come_from_need_no_privilege(director: Director) -> None:
    server = director.serve(silent)
    origin = Target(address="127.0.0.1", port=server.port, bind_interface="lo", bind_address="127.0.0.77")
    other = director.serve(silent)
    from_port = Target(address="127.0.0.1", port=other.port, bind_port=closed_port())
    director.start(
        checked("10.0.0.13:80", TcpCheck(target=from_port, timing=FAST, alpha=True)),
        checked("10.0.0.11:80", TcpCheck(target=origin, timing=FAST, alpha=True)),
        checked("10.0.0.12:80", PingCheck(target=origin, timing=FAST, alpha=True)),
    )
    director.until(lambda: all(director.up(f"10.0.0.{n}:80") for n in (11, 12, 13)))
    director.until(lambda: other.accepted > 1)  # a whole connection each time, from the same port
    server.close()


def test_ipv6_is_checked_like_ipv4(director: Director) -> None:
    server = director.serve(replying(OK), address="::1")
    six = Target(address="::1", port=server.port)
    url = HttpUrl(path="/")
    director.start(
        checked("10.0.0.11:80", TcpCheck(target=six, timing=FAST, alpha=True)),
        checked("10.0.0.12:80", HttpCheck(target=six, timing=FAST, alpha=True, urls=(url,))),
        checked("10.0.0.13:80", PingCheck(target=six, timing=FAST, alpha=True)),
    )
    director.until(lambda: all(director.up(f"10.0.0.{n}:80") for n in (11, 12, 13)))
    assert b"Host: [::1]:%d\r\n" % server.port in server.requests[-1]
    server.close()


def test_without_an_icmp_socket_a_ping_says_so_and_the_server_stays(director: Director) -> None:
    for fd in director.icmp:
        os.close(fd)
    director.icmp = [-1, -1]
    director.start(checked("10.0.0.11:80", PingCheck(target=target(0), timing=FAST, alpha=False)))
    director.until(lambda: director.verdicts)
    director.until(lambda: director.lines("probe_impossible") or director.says("10.0.0.11:80")[1] == "check_succeeded")
    assert director.up("10.0.0.11:80")
    allowed = pathlib.Path("/proc/sys/net/ipv4/ping_group_range").read_text().split()
    if not int(allowed[0]) <= director.account[2] <= int(allowed[1]):
        assert director.lines("probe_impossible")[0]["reason"] == "no_icmp_socket"


def test_a_reload_says_only_what_is_another(director: Director) -> None:
    one, two = checked("10.0.0.11:80"), checked("10.0.0.12:80")
    director.start(one, two)
    director.until(lambda: len(director.verdicts) == 2)
    director.turn_for(0.3)
    director.heard.clear()
    director.reload(one, two)
    director.turn_for(0.7)
    assert [message for message in director.heard if not isinstance(message, m.Beat)] == []
    director.reload(one, dataclasses.replace(two, weight=9))
    director.until(lambda: director.verdicts["10.0.0.1:80/tcp", "10.0.0.12:80"].weight == 9)
    assert [type(message) for message in director.heard if not isinstance(message, m.Beat)] == [m.VerdictChanged]
    director.reload(one, two, checked("10.0.0.13:80"))
    director.until(lambda: director.up("10.0.0.13:80"))
    assert isinstance([message for message in director.heard if not isinstance(message, m.Beat)][-1], m.VerdictSnapshot)
