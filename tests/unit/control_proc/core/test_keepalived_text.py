"""The text dumps: labels and indentation as 2.2.7 was seen to write them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyhad.control_proc.core import keepalived_text
from pyhad.control_proc.core.sight import Sight

MakeSight = Callable[..., Sight]


@pytest.mark.behaviour("SIG-30")
def test_statistics_have_keepalived_s_labels(make_sight: MakeSight) -> None:
    lines = keepalived_text.statistics(make_sight()).splitlines()
    assert lines[:19] == [
        "VRRP Instance: VI_1", "  Advertisements:", "    Received: 2", "    Sent: 5", "  Became master: 0",
        "  Released master: 0", "  Packet Errors:", "    Length: 0", "    TTL: 0", "    Invalid Type: 0",
        "    Advertisement Interval: 0", "    Address List: 0", "  Authentication Errors:", "    Invalid Type: 0",
        "    Type Mismatch: 0", "    Failure: 0", "  Priority Zero:", "    Received: 0", "    Sent: 0",
    ]  # fmt: skip
    assert lines[19] == "VRRP Instance: VI_6"
    assert len(lines) == 38


@pytest.mark.behaviour("SIG-3")
def test_the_data_of_an_instance_has_the_lines_that_readers_look_for(make_sight: MakeSight) -> None:
    lines = keepalived_text.data(make_sight())[""].splitlines()
    wanted = [
        "------< VRRP Topology >------", " VRRP Instance = VI_1", "   VRRP Version = 2", "   Sync group = G",
        "   State = MASTER", "   Flags: none", "   Wantstate = MASTER",
        "   Last transition = 1000500.000000 (Mon Jan 12 13:55:00.000000 1970)", "   Interface = eth0",
        "   Multicast address 224.0.0.18", "   Gratuitous ARP delay = 5",
    ]  # fmt: skip
    start = lines.index(wanted[0])
    assert lines[start : start + len(wanted)] == wanted
    for line in (
        "   Virtual Router ID = 51", "   Advert interval = 1 sec", "   Advert interval = 500 milli-sec",
        "   Authentication type = SIMPLE_PASSWORD", "   Virtual IP (2):", "     192.0.2.101 dev eth0 scope global set",
        "   Virtual IP Excluded :", "   Tracked interfaces :", "     lo weight 5", "     chk weight 10",
        "   Master state transition script = '/usr/bin/true' 'x', uid:gid 0:0", "   Using smtp notification = yes",
        "   Preempt = disabled", "   Master router = fe80::9", "------< VRRP Scripts >------", " VRRP Script = chk",
        "   Status = GOOD", "     VI_1, weight 10", " VRRP Sync Group = G, MASTER",
    ):  # fmt: skip
        assert line in lines, line


def test_there_is_a_file_for_each_part_that_is_configured(make_sight: MakeSight) -> None:
    assert set(keepalived_text.data(make_sight())) == {"", "_parent"}
    texts = keepalived_text.data(make_sight(configs=(), full=True))
    assert set(texts) == {"_check", "_parent"}
    assert " VirtualServer = 10.0.0.1:80/tcp\n   lb_algo = rr\n" in texts["_check"]


def test_no_password_is_told(make_sight: MakeSight) -> None:
    assert "assword =" not in keepalived_text.data(make_sight())[""]
