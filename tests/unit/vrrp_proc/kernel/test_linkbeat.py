"""Carriers asked of a driver: the loopback interface's own, against a picture that says otherwise."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from pyhad.common.config.model.lookout import LinkPoll, PollMethod
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop
from pyhad.vrrp_proc.kernel.carrier import ask, first_that_works
from pyhad.vrrp_proc.kernel.linkbeat import LinkBeat
from pyhad.vrrp_proc.kernel.links import Changes, Links
from pyhad.vrrp_proc.kernel.netlink import LinkSeen

UP, NO_CARRIER, DOWN = 0x11043, 0x1003, 0x1002
LO = socket.if_nametoindex("lo")


def picture(flags: int) -> Links:
    links = Links()
    links.take(LinkSeen(LO, "lo", flags, bytes(6), gone=False), Changes())
    return links


@pytest.mark.behaviour("FSM-49", "TRK-30")
def test_the_polled_carrier_counts_instead_of_netlinks_but_never_over_an_interface_that_is_down() -> None:
    links = picture(NO_CARRIER)
    links.by_name["lo"].polled = True
    assert links.by_name["lo"].is_usable
    links.take(LinkSeen(LO, "lo", DOWN, bytes(6), gone=False), Changes())
    assert not links.by_name["lo"].is_usable
    links.take(LinkSeen(LO, "lo", UP, bytes(6), gone=False), Changes())
    links.by_name["lo"].polled = False
    assert not links.by_name["lo"].is_usable
    links.take(LinkSeen(LO, "other", UP, bytes(6), gone=False), Changes())
    assert links.by_name["other"].is_usable, "under another name it is not polled"


def test_a_loopback_interface_has_no_mii_and_answers_to_its_flags() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        assert ask(sock.fileno(), "lo", PollMethod.MII) is None
        assert ask(sock.fileno(), "lo", PollMethod.IOCTL) is True
        assert first_that_works(sock.fileno(), "lo") == (PollMethod.ETHTOOL, True)
        assert first_that_works(sock.fileno(), "none-such") == (PollMethod.ANY, None)


@pytest.mark.behaviour("FSM-49")
def test_what_the_driver_says_is_reported_and_forgotten_with_its_poll() -> None:
    loop, links = Loop(), picture(NO_CARRIER)
    seen: list[Changes] = []
    log = ProcessLog("test", LogSettings(console=False, syslog=False))
    beat = LinkBeat(loop, log.logger, links, seen.append)
    seen.append(beat.configure((LinkPoll(interface="lo"),)))
    for _ in range(20):
        if seen[-1].links:
            break
        loop.turn(0.1)  # on a busy machine the first answer is late
    assert (seen[-1].links, seen[-1].carried) == ({"lo"}, {"lo"})
    assert links.by_name["lo"].is_usable
    assert beat.configure(()).links == {"lo"}
    assert not links.by_name["lo"].is_usable
    loop.close()


def test_a_method_that_has_no_answer_is_said_once_and_changes_nothing(tmp_path: Path) -> None:
    loop, links = Loop(), picture(UP)
    seen: list[Changes] = []
    log = ProcessLog("test", LogSettings(console=False, syslog=False, file=str(tmp_path / "log")))
    beat = LinkBeat(loop, log.logger, links, seen.append)
    beat.configure((LinkPoll(interface="lo", method=PollMethod.MII), LinkPoll(interface="none-such")))
    for _ in range(13):
        loop.turn(0.1)
    log.flush()
    assert (tmp_path / "log").read_text().count("linkbeat_without_answer") == 1
    assert seen == []
    beat.close()
    loop.close()
