"""Workers of the checker: real processes, killed and stopped, while servers come and go."""

from __future__ import annotations

import os
import pathlib
import signal
from collections.abc import Iterator

import pytest

from pyhad.common import messages as m
from pyhad.common.config.model import CheckedServer, Timing
from tests.lab.checker_stand_in import MS, Director, Server, checked, closed_port, http, replying, silent, tcp

GOOD = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"
SERVERS = 12
pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else"),
]


@pytest.fixture
def director(open_folder: pathlib.Path) -> Iterator[Director]:
    one = Director(str(open_folder))
    one.workers = 2
    try:
        yield one
    finally:
        one.close()


def farm(director: Director) -> tuple[list[Server], list[CheckedServer]]:
    """Servers that answer, each checked by TCP, half of them by HTTP as well."""
    servers = [director.serve(replying(GOOD)) for _ in range(SERVERS)]
    rows = [
        checked(f"127.0.0.1:{one.port}", tcp(one.port), *([http(one.port)] if number % 2 else []))
        for number, one in enumerate(servers)
    ]
    return servers, rows


def all_up(director: Director) -> bool:
    return len(director.verdicts) == SERVERS and all(
        verdict.up and verdict.reason == "check_succeeded" for verdict in director.verdicts.values()
    )


def workers(director: Director) -> tuple[m.WorkerStatus, ...]:
    """As the checker says now."""
    director.reports.clear()

    def told() -> bool:
        director.hubs[1].send(b"checker", m.StatusWanted(ticket=9))
        director.turn(0.05)
        return any(report.ticket == 9 for report in director.reports)

    director.until(told)
    return director.reports[-1].workers


def working(director: Director) -> tuple[m.WorkerStatus, ...]:
    """Both, once they have said who they are."""
    director.until(lambda: all(worker.pid for worker in workers(director)))
    return workers(director)


def is_running(pid: int) -> bool:
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_two_workers_share_the_checks_and_find_what_is_up_and_down(director: Director) -> None:
    servers, rows = farm(director)
    director.start(*rows)
    director.until(lambda: all_up(director))
    found = working(director)
    assert [worker.number for worker in found] == [1, 2]
    assert sum(worker.checks for worker in found) == SERVERS + SERVERS // 2
    assert all(worker.checks for worker in found)
    servers[3].close()
    director.until(lambda: director.up(f"127.0.0.1:{servers[3].port}") is False)
    director.until(lambda: director.lines("check_failed"))
    # reset: it was asked in the moment of its end
    assert director.lines("check_failed")[0]["reason"] in ("connect_refused", "connection_reset")

    def ran() -> bool:
        workers(director)
        return all(check.runs > 1 for health in director.reports[-1].servers for check in health.checks)

    director.until(ran)
    assert director.reports[-1].counters["checks"] == SERVERS + SERVERS // 2


def test_workers_hold_no_right(director: Director) -> None:
    _, rows = farm(director)
    director.start(*rows)
    for worker in working(director):
        status = pathlib.Path(f"/proc/{worker.pid}/status").read_text()
        lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert lines["Uid"].split() == [str(director.account[1])] * 4
        assert {int(lines[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
        assert lines["NoNewPrivs"] == "1"


def test_the_death_of_a_worker_changes_no_verdict_and_its_checks_go_on(director: Director) -> None:
    servers, rows = farm(director)
    dead = closed_port()
    director.start(*rows, checked(f"127.0.0.1:{dead}", tcp(dead)))
    director.until(lambda: director.up(f"127.0.0.1:{dead}") is False and len(director.lines("server_down")) == 1)
    director.until(lambda: sum(one.reason == "check_succeeded" for one in director.verdicts.values()) == SERVERS)
    before, first = dict(director.verdicts), working(director)
    director.heard.clear()
    for worker in first:
        os.kill(worker.pid, signal.SIGKILL)
    director.until(lambda: [worker.restarts for worker in working(director)] == [1, 1])
    assert {worker.pid for worker in working(director)}.isdisjoint(worker.pid for worker in first)
    asked = [server.accepted for server in servers]
    director.until(lambda: all(one.accepted > was for one, was in zip(servers, asked, strict=True)))
    assert director.verdicts == before
    assert not [one for one in director.heard if isinstance(one, (m.VerdictChanged, m.VerdictSnapshot))]
    servers[5].close()
    director.until(lambda: director.up(f"127.0.0.1:{servers[5].port}") is False)


def test_a_worker_that_hangs_is_replaced(director: Director) -> None:
    _, rows = farm(director)
    director.start(*rows)
    hung = working(director)[0]
    os.kill(hung.pid, signal.SIGSTOP)
    director.until(lambda: [worker.restarts for worker in working(director)] == [1, 0])
    assert not is_running(hung.pid)
    assert [line["worker"] for line in director.lines("worker_silent")] == [1]


def test_workers_end_with_the_checker_also_one_that_hangs(director: Director) -> None:
    _, rows = farm(director)
    director.start(*rows)
    director.until(lambda: all_up(director))
    pids = [worker.pid for worker in working(director)]
    os.kill(pids[0], signal.SIGSTOP)
    director.kill()
    director.until(lambda: not any(is_running(pid) for pid in pids))
    before = dict(director.verdicts)
    director.start(*rows)
    assert {worker.pid for worker in working(director)}.isdisjoint(pids)
    assert director.verdicts == before


def test_a_reload_moves_checks_between_workers_and_changes_no_verdict(director: Director) -> None:
    servers, rows = farm(director)
    dead = closed_port()
    rows.append(checked(f"127.0.0.1:{dead}", tcp(dead)))
    director.start(*rows)
    director.until(lambda: director.up(f"127.0.0.1:{dead}") is False)
    director.until(lambda: sum(one.reason == "check_succeeded" for one in director.verdicts.values()) == SERVERS)
    before = {key: one.up for key, one in director.verdicts.items()}
    for count in (3, 1, 0, 2):
        director.workers = count
        director.reload(*rows)
        director.until(lambda count=count: len(workers(director)) == count)
        asked = [server.accepted for server in servers]
        director.until(lambda asked=asked: all(one.accepted > was for one, was in zip(servers, asked, strict=True)))
        assert {key: one.up for key, one in director.verdicts.items()} == before


def test_a_reload_that_wants_the_first_workers_gets_them_from_a_new_checker(director: Director) -> None:
    _, rows = farm(director)
    director.workers = 0
    director.start(*rows)
    director.until(lambda: all_up(director))
    assert workers(director) == ()
    director.workers = 2
    director.reload(*rows)
    director.until(lambda: not director.is_alive())
    director.pid = 0
    assert director.applied == 1
    director.start(*rows)
    assert len(working(director)) == 2


def test_many_servers_that_fail_at_once_are_all_told(director: Director) -> None:
    """More than a socket holds at once."""
    one = director.serve(silent)
    slow = Timing(delay_loop_ns=2000 * MS, retry=0, warmup_ns=0)  # 1500 in 100 ms are more than this process can answer
    rows = [checked(f"127.9.{n // 250}.{n % 250 + 1}:80", tcp(one.port, slow)) for n in range(1500)]
    director.start(*rows)
    director.until(lambda: sum(v.reason == "check_succeeded" for v in director.verdicts.values()) == 1500)
    one.close()
    director.until(lambda: not any(verdict.up for verdict in director.verdicts.values()))
