"""What is not as it should be, in an operator's words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyhad.common.config.model import Forwarding, Tunnel, TunnelChecksum, TunnelType
from pyhad.common.messages import TableDifference
from pyhad.ipvs_proc.core.differences import destination_words, differences, service_words
from pyhad.ipvs_proc.core.table import DAMAGED, Destination

WEB = "10.0.0.1:80/tcp"


def test_what_is_as_wanted_is_no_difference(make: Any) -> None:
    assert differences(make.listener, make.entry({1: 1}), make.entry({1: 1})) == []
    assert differences(make.listener, None, None) == []


def test_servers_are_missing_foreign_or_other_and_so_is_the_service(make: Any) -> None:
    wanted, actual = make.entry({1: 1, 2: 2}), make.entry({2: 5, 9: 1}, scheduler="wlc")
    found = {(one.kind, one.server): one for one in differences(make.listener, wanted, actual)}
    assert found == {
        ("other", ""): TableDifference(kind="other", service=WEB, wanted="rr", actual="wlc"),
        ("missing", "10.1.0.1:80"): TableDifference(
            kind="missing", service=WEB, server="10.1.0.1:80", wanted="weight 1 NAT"
        ),
        ("other", "10.1.0.2:80"): TableDifference(
            kind="other", service=WEB, server="10.1.0.2:80", wanted="weight 2 NAT", actual="weight 5 NAT"
        ),
        ("foreign", "10.1.0.9:80"): TableDifference(
            kind="foreign", service=WEB, server="10.1.0.9:80", actual="weight 1 NAT"
        ),
    }


def test_a_whole_service_is_one_difference(make: Any) -> None:
    entry = make.entry({1: 1, 2: 2})
    [missing] = differences(make.listener, entry, None)
    assert missing == TableDifference(kind="missing", service=WEB, wanted="rr, 2 servers")
    [foreign] = differences(make.listener, None, make.entry({1: 1}))
    assert foreign == TableDifference(kind="foreign", service=WEB, actual="rr, 1 server")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scheduler": "sh", "flags": 0x18}, "sh sh-fallback sh-port"),
        ({"scheduler": "mh", "flags": 0x10}, "mh mh-port"),
        ({"scheduler": "wrr", "flags": 0x2C}, "wrr ops flag-1 flag-3"),
        (
            {"persistence_timeout_s": 60, "persistence_prefix_len": 24, "persistence_engine": "sip"},
            "rr persistent 60/24 engine sip",
        ),
        ({"scheduler": DAMAGED}, "damaged"),
        ({"masquerade": True}, "rr masquerade"),
    ],
)
def test_a_service_in_words(make: Any, changes: dict[str, Any], words: str) -> None:
    assert service_words(replace(make.entry({}).service, **changes)) == words


def test_a_destination_in_words() -> None:
    tunnel = Tunnel(type=TunnelType.GUE, port=6080, checksum=TunnelChecksum.REMOTE)
    gue = Destination(
        address="10.1.0.1", port=80, weight=1, forwarding=Forwarding.TUNNEL, upper_threshold=9, lower_threshold=3,
        tunnel=tunnel,
    )  # fmt: skip
    assert destination_words(gue) == "weight 1 TUN gue 6080 remcsum limits 9 3"
