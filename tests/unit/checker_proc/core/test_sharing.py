"""How many workers, and whose each check is."""

from __future__ import annotations

import pytest

from pyhad.checker_proc.core.schedule import fingerprint, identity_of
from pyhad.checker_proc.core.sharing import AUTO, is_shared, worker_of, workers_for
from pyhad.common.config.model import Check, HttpCheck, HttpUrl, PingCheck, Target, TcpCheck, Timing

EACH_SECOND = Timing(delay_loop_ns=1_000_000_000)
URLS = (HttpUrl(path="/"),)


def target(number: int) -> Target:
    return Target(address=f"10.{number // 65536}.{number // 256 % 256}.{number % 256}", port=80)


def tcp(count: int) -> list[Check]:
    return [TcpCheck(target=target(number), timing=EACH_SECOND, alpha=False) for number in range(count)]


@pytest.mark.parametrize(
    ("checks", "cores", "workers"),
    [
        (tcp(0), 4, 0),
        (tcp(1000), 4, 0),  # 5 % of a core
        (tcp(6000), 4, 0),  # 30 %
        (tcp(6001), 4, 2),
        (tcp(20000), 4, 2),  # a whole core
        (tcp(20001), 4, 3),
        (tcp(100_000), 4, 4),
        (tcp(100_000), 1, 0),  # nobody to share with
    ],
)
def test_auto_goes_by_the_load(checks: list[Check], cores: int, workers: int) -> None:
    assert workers_for(AUTO, checks, cores) == workers


def test_tls_weighs_more_and_pings_nothing() -> None:
    tls = [
        HttpCheck(target=target(number), timing=EACH_SECOND, alpha=False, urls=URLS, tls=True) for number in range(400)
    ]
    assert workers_for(AUTO, tls, 4) == 2
    pings: list[Check] = [PingCheck(target=target(number), timing=EACH_SECOND, alpha=False) for number in range(20000)]
    assert workers_for(AUTO, pings, 4) == 0


def test_a_number_is_taken_as_it_is() -> None:
    assert workers_for(0, tcp(100_000), 4) == 0
    assert workers_for(3, tcp(1), 1) == 3


def test_what_hangs_on_sockets_of_the_checker_stays_there() -> None:
    assert not is_shared(PingCheck(target=target(1), timing=EACH_SECOND, alpha=False))
    assert is_shared(tcp(1)[0])


def test_the_share_is_even_and_always_the_same() -> None:
    marks = [fingerprint(identity_of(check)) for check in tcp(9000)]
    counts = [sum(worker_of(mark, 3) == number for mark in marks) for number in range(3)]
    assert all(2800 < count < 3200 for count in counts), counts
    assert [worker_of(mark, 3) for mark in marks[:6]] == [worker_of(mark, 3) for mark in marks[:6]]


def test_whose_a_check_is_says_nothing_of_its_phase() -> None:
    """Or a worker would have all its checks in the same slots."""
    marks = [fingerprint(identity_of(check)) for check in tcp(4000)]
    slots = {mark % 100 for mark in marks if worker_of(mark, 2) == 0}
    assert len(slots) == 100
