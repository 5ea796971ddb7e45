"""What a heard advert means beside our own configuration."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyhad.common.adverts import Advert, compare
from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.ctl.frames import Announcement
from pyhad.ctl.wire import Listener, describe
from pyhad.ctl.wire_commands import own_addresses

OURS = VrrpInstance(
    name="VI_1", vrid=51, family=4, interface="eth0", version=2, start_as_master=False, base_priority=100,
    advertisement_interval_cs=100, addresses=(VirtualAddress(address="192.0.2.100", prefix_len=24, interface="eth0"),),
)  # fmt: skip
HEARD = Advert(
    source="10.0.0.2", destination="224.0.0.18", mac="02:00:00:00:00:02", ttl=255, version=2, vrid=51, priority=150,
    interval_cs=100, addresses=("192.0.2.100",),
)  # fmt: skip


def remarks(heard: Advert) -> tuple[str, ...]:
    return compare(heard, (OURS,), frozenset({"10.0.0.1"}))


def test_an_advert_that_fits_gives_no_remark() -> None:
    assert remarks(HEARD) == ()


@pytest.mark.parametrize(
    ("heard", "remark"),
    [
        (replace(HEARD, interval_cs=200),
         "10.0.0.2 sends advert_int 2, ours ('VI_1') is 1: we drop it, both may be master"),
        (replace(HEARD, version=3), "10.0.0.2 speaks version 3, ours ('VI_1') is 2: neither hears the other"),
        (replace(HEARD, priority=100), "10.0.0.2 has our own priority 100: the greater address wins"),
        (replace(HEARD, addresses=()), "10.0.0.2 does not serve 192.0.2.100 of 'VI_1'"),
        (replace(HEARD, addresses=("192.0.2.100", "192.0.2.7")),
         "10.0.0.2 serves 192.0.2.7, which we do not have in 'VI_1'"),
        (replace(HEARD, vrid=52), "no virtual router of ours has VRID 52 (ours: 51)"),
        (replace(HEARD, destination="224.0.0.99"), "10.0.0.2 sends to 224.0.0.99, we listen to 224.0.0.18"),
        (replace(HEARD, authentication="PASS"), "10.0.0.2 has authentication PASS, ours ('VI_1') is none"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(heard: Advert, remark: str) -> None:
    assert remarks(heard) == (remark,)


def test_our_own_adverts_are_not_held_against_us() -> None:
    assert remarks(replace(HEARD, source="10.0.0.1", priority=100)) == ()
    assert own_addresses() >= {"127.0.0.1", "::1"}


def test_a_stream_is_shown_when_it_begins_and_when_it_changes() -> None:
    listener = Listener((OURS,), compares=True)
    assert len(listener.hear(HEARD)) == 1
    assert listener.hear(HEARD) == ()
    assert listener.hear(replace(HEARD, priority=0)) == (describe(replace(HEARD, priority=0)),)
    assert listener.summary() == "3 adverts of 10.0.0.2 for VRID 51"


def test_two_senders_of_one_router_are_named() -> None:
    listener = Listener((OURS,), compares=True)
    listener.hear(HEARD)
    lines = listener.hear(replace(HEARD, source="10.0.0.3"))
    assert lines[1:] == ("! VRID 51 was also sent by 10.0.0.2 (priority 150): a change, or two masters",)


def test_an_announcement_is_a_line() -> None:
    heard = Announcement(kind="gratuitous ARP", address="192.0.2.100", mac="02:00:00:00:00:02")
    assert Listener((), compares=False).hear(heard) == ("gratuitous ARP: 192.0.2.100 is at 02:00:00:00:00:02",)
