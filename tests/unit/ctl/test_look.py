"""`pyhadctl diff` in words and as JSON."""

from __future__ import annotations

from dataclasses import replace

from pyhad.common.messages import TableDifference, TableLook, TableRepair
from pyhad.ctl.look import look_document, render_look

S = 1_000_000_000
WEB = "192.0.2.1:80/tcp"
OTHER = TableDifference(kind="other", service=WEB, server="10.1.0.11:80", wanted="weight 1 NAT", actual="weight 5 NAT")
MISSING = TableDifference(kind="missing", service="192.0.2.2:80/tcp", wanted="rr, 2 servers")
FOREIGN = TableDifference(kind="foreign", service=WEB, server="10.1.0.9:80", actual="weight 1 NAT")
SAME = TableLook(ticket=-1, taken_ns=100 * S, data_plane="ipvs", next_repair_ns=104 * S)


def test_a_table_as_it_should_be_is_one_sentence() -> None:
    assert render_look(SAME, 100 * S) == "The table is as it should be.\n"


def test_differences_are_what_is_there_and_what_is_wanted_and_when_they_are_repaired() -> None:
    look = replace(SAME, count=3, differences=(OTHER, MISSING, FOREIGN), left_alone=("203.0.113.1:80/tcp",))
    assert render_look(look, 100 * S).splitlines() == [
        "- 192.0.2.1:80/tcp -> 10.1.0.11:80  weight 5 NAT",
        "+ 192.0.2.1:80/tcp -> 10.1.0.11:80  weight 1 NAT",
        "+ 192.0.2.2:80/tcp  rr, 2 servers",
        "- 192.0.2.1:80/tcp -> 10.1.0.9:80  weight 1 NAT",
        "3 differences; what can be repaired is repaired within 4.0 s.",
        "Left alone, not of this configuration: 203.0.113.1:80/tcp",
    ]


def test_the_last_repairs_are_named_the_latest_first_and_many_differences_counted() -> None:
    repairs = (
        TableRepair(at_ns=40 * S, count=1, found=(MISSING,), refused=1),
        TableRepair(at_ns=90 * S, count=12, found=(FOREIGN,)),
    )
    assert render_look(replace(SAME, repairs=repairs), 100 * S).splitlines() == [
        "The table is as it should be.",
        "Repaired lately:",
        "  10 s ago: 12 differences",
        "    - 192.0.2.1:80/tcp -> 10.1.0.9:80  weight 1 NAT",
        "    … and 11 more",
        "  1 min ago: 1 difference, 1 services refused it",
        "    + 192.0.2.2:80/tcp  rr, 2 servers",
    ]


def test_what_was_refused_is_a_difference_that_is_not_repaired() -> None:
    look = replace(SAME, refused={WEB: "no scheduler\x1b[2J"})
    assert render_look(look, 100 * S) == "! 192.0.2.1:80/tcp  no scheduler?[2J\n"
    assert look_document(look, 100 * S)["same"] is False


def test_the_document_says_the_same() -> None:
    repair = TableRepair(at_ns=90 * S, count=1, found=(FOREIGN,))
    look = replace(SAME, count=2, differences=(OTHER,), repairs=(repair,), left_alone=("fwmark:3/inet",))
    foreign = {
        "kind": "foreign", "service": WEB, "server": "10.1.0.9:80", "wanted": None, "actual": "weight 1 NAT",
    }  # fmt: skip
    assert look_document(look, 100 * S) == {
        "same": False,
        "data_plane": "ipvs",
        "count": 2,
        "differences": [
            {
                "kind": "other", "service": WEB, "server": "10.1.0.11:80", "wanted": "weight 1 NAT",
                "actual": "weight 5 NAT",
            }
        ],
        "refused": {},
        "left_alone": ["fwmark:3/inet"],
        "next_repair_s": 4.0,
        "repairs": [{"age_s": 10.0, "count": 1, "services_refused": 0, "found": [foreign]}],
    }  # fmt: skip
