"""Row by row: what is known of keepalived's 819 keywords and options is what the keyword table says.

`tests/data/keywords.csv` holds the facts: arguments, default, range, area, and whether Debian's 2.2.7 knows the word.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pyhad.common.config.keyword import Form, Keyword
from pyhad.common.config.keywords import TABLE

DATA = Path(__file__).parents[3] / "data"
with (DATA / "keywords.csv").open(newline="", encoding="utf-8") as _file:
    ROWS = list(csv.DictReader(_file))

BLOCK_DEFAULTS = {"-", "none", "required", "at least one", "multicast", "no client cert", "0 0"}
"""Ways to say that a block is not there unless it is written."""

OTHER_DEFAULTS = {
    ("global_defs", "vrrp_rt_priority"): "10 (keepalived: off)",
    ("global_defs", "vrrp_rlimit_rttime"): "5000000 (keepalived: 10000)",
    ("global_defs", "checker_rlimit_rttime"): "5000000 (keepalived: 10000)",
    ("vrrp_instance.virtual_ipaddress.ADDR", "dev"): "default_interface",  # one row serves both kinds of lines
    ("vrrp_instance.virtual_ipaddress.ADDR", "-nodad"): "NODAD is set",
    ("vrrp_instance.virtual_ipaddress.ADDR", "preferred_lft"): "IPv6 /128: 0; other IPv6: forever",
    ("vrrp_track_file", "init_file"): "not created; VALUE 0",
    ("global_defs", "process_names"): "pyhad_vrrp and the like",
    ("global_defs", "process_name"): "pyhad",
    ("global_defs", "umask"): "IRWXG IRWXO (077)",  # a daemon that may not run its own scripts would be of no use
    ("global_defs", "state_dump_file"): "keepalived.data in the run directory",
    ("global_defs", "stats_dump_file"): "keepalived.stats in the run directory",
    ("global_defs", "json_dump_file"): "keepalived.json in the run directory",
    ("global_defs", "vrrp_higher_prio_send_advert"): "on",  # decision 8: the last word
}
OTHER_RANGES = {
    ("global_defs", "smtp_connect_timeout"): "1..4294",  # 0 becomes 1
    ("global_defs", "vrrp_cpu_affinity"): "0..4294967295",  # how many CPUs there are is for the machine to say
    ("global_defs", "checker_cpu_affinity"): "0..4294967295",
    ("global_defs", "bfd_cpu_affinity"): "0..4294967295",
    ("static_ipaddress.ADDR", "preferred_lft"): "",  # or the word forever
    ("vrrp_instance.virtual_ipaddress.ADDR", "preferred_lft"): "",
    ("static_rules.RULE", "ipproto"): "",  # or a name
    ("vrrp_instance.virtual_rules.RULE", "ipproto"): "",
    ("virtual_server.real_server.HTTP_GET.url", "status_code"): "",  # its kind says 100 to 599
    ("virtual_server.real_server.SSL_GET.url", "status_code"): "",
}
WIDEST = "4294967295"


def ranges(row: Keyword) -> str:
    return next((text for argument in row.arguments if (text := argument.range_text()) and ".." in text), "")


def test_there_are_819_facts() -> None:
    assert len(ROWS) == 819


def wrong(right: Callable[[dict[str, str], Keyword], bool]) -> list[str]:
    """The rows of which it is not true."""
    return [
        f"{fact['block']} {fact['keyword']}" for fact in ROWS if not right(fact, TABLE[fact["block"], fact["keyword"]])
    ]


def has_default(fact: dict[str, str], row: Keyword) -> bool:
    if row.form in (Form.BLOCK, Form.VALUE_BLOCK):
        return row.default in BLOCK_DEFAULTS and fact["default"] in BLOCK_DEFAULTS
    return row.default == OTHER_DEFAULTS.get((row.block, row.name), fact["default"])


def has_range(fact: dict[str, str], row: Keyword) -> bool:
    written = re.match(r"(-?[0-9.]*[0-9])\.\.(-?[0-9][0-9.]*)?", fact["valid_range"])
    if written is None:
        return True
    known = f"{written.group(1)}..{written.group(2) or WIDEST}"
    return ranges(row) in (OTHER_RANGES.get((row.block, row.name), known), written.group(0))


def has_arguments(fact: dict[str, str], row: Keyword) -> bool:
    args = fact["args"].strip()
    if row.name == "type" and row.block.endswith(".RULE"):
        return row.arguments == ()  # the action that follows is an option of its own
    if args in ("(none)", "", "{ ... }"):
        return row.arguments == ()
    if re.fullmatch(r"\[(BOOL|NAME|N|PATH|VS)\]", args):
        return [argument.optional for argument in row.arguments] == [True]
    if re.fullmatch(r"[A-Z0-9-]+", args):
        return bool(row.arguments) and not row.arguments[0].optional
    return True


def test_every_row_is_in_the_table_with_its_default() -> None:
    assert wrong(has_default) == []


def test_every_row_is_in_the_table_with_its_area() -> None:
    assert wrong(lambda fact, row: (row.area == "ipvs") == (fact["area"] == "ipvs")) == []


def test_every_row_is_in_the_table_with_its_range() -> None:
    assert wrong(has_range) == []


def test_every_row_is_in_the_table_with_its_arguments() -> None:
    assert wrong(has_arguments) == []


def test_the_walk_sees_a_wrong_row() -> None:
    spoilt = {**ROWS[-1], "default": "another", "valid_range": "5..6", "args": "[BOOL]"}
    row = TABLE["vrrp_instance", "priority"]
    assert not has_default(spoilt, row)
    assert not has_range(spoilt, row)
    assert not has_arguments(spoilt, row)


@pytest.mark.parametrize("choices", ["rr|wrr|lc|wlc|lblc|lblcr|sh|mh|dh|fo|ovf|sed|nq|twos", "1.0|1.0c|1.0C|1.1"])
def test_the_choices_of_a_word_are_those_known(choices: str) -> None:
    rows = [TABLE[fact["block"], fact["keyword"]] for fact in ROWS if fact["args"] == choices]
    assert rows
    for row in rows:
        assert row.arguments[0].choices == tuple(choices.split("|"))


@pytest.mark.behaviour("VER-3")
def test_the_list_of_words_that_2_2_7_knows_is_that_of_the_facts() -> None:
    listed = (DATA / "keywords-2.2.7.txt").read_text(encoding="utf-8").splitlines()
    assert listed == [f"{row['block']} {row['keyword']}" for row in ROWS if row["in_debian_2.2.7"] == "yes"]
    newer = {("vrrp_instance", "auth_hmac"), ("vrrp_instance", "owner_ignore_adverts"), ("global_defs", "json_version")}
    assert newer <= TABLE.keys()
    assert not newer & {tuple(line.split(" ", 1)) for line in listed}
