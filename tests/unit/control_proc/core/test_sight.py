"""What texts are made of: counters since their clearing, moments of the wall clock, only what was reported."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyhad.control_proc.core.sight import Sight, since

MakeSight = Callable[..., Sight]


def test_a_process_that_began_anew_counts_from_nothing() -> None:
    assert since(12, 5) == 7
    assert since(5, 5) == 0
    assert since(3, 5) == 3


@pytest.mark.behaviour("SIG-6")
def test_statistics_are_counted_from_the_last_clearing(make_sight: MakeSight) -> None:
    first, second = make_sight(cleared={"VI_1": {"advert_sent": 4, "advert_rcvd": 2}}).routers()
    assert (first.statistics["advert_sent"], first.statistics["advert_rcvd"]) == (1, 0)
    assert (second.statistics["advert_sent"], second.statistics["advert_rcvd"]) == (5, 2)
    assert first.status.counters["advert_sent"] == 5


@pytest.mark.behaviour("SIG-25")
def test_statistics_have_keepalived_s_names_in_its_order(make_sight: MakeSight) -> None:
    assert list(make_sight().routers()[0].statistics) == [
        "advert_rcvd", "advert_sent", "become_master", "release_master", "packet_len_err", "advert_interval_err",
        "ip_ttl_err", "invalid_type_rcvd", "addr_list_err", "invalid_authtype", "authtype_mismatch", "auth_failure",
        "pri_zero_rcvd", "pri_zero_sent",
    ]  # fmt: skip


def test_never_is_no_moment_of_the_wall_clock(make_sight: MakeSight) -> None:
    assert make_sight().wall_s(0) == 0.0
    assert make_sight().wall_s(1_500_000_000) == 1_000_001.5
