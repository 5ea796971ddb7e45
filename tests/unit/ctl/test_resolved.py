"""A configuration with its defaults, and where each value was written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyhad.common.config.compile import CompileOptions, compile_configuration, compile_text
from pyhad.common.config.tree import Statement
from pyhad.ctl.resolved import _plain, to_document, to_text

TEXT = """vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    advert_int 2
    virtual_ipaddress { 192.0.2.100/24 }
}
virtual_server 192.0.2.100 80 {
    lb_kind NAT
    lb_algo sh
    protocol TCP
    real_server 10.0.0.1 80 { TCP_CHECK { } }
}
"""


@pytest.fixture
def data() -> Path:
    return Path(__file__).resolve().parents[2] / "data"


def test_each_value_says_where_it_was_written() -> None:
    result = compile_text(TEXT, "t.conf", CompileOptions(config_id="n"))
    assert result.configuration is not None
    rows = to_text(result.configuration, result.root).splitlines()
    assert "    advert_int 2                              # t.conf:4" in rows
    assert "    priority 100                              # default" in rows
    assert "    lb_algo sh                                # t.conf:9" in rows
    assert "        192.0.2.100/24 dev eth0               # t.conf:5" in rows


def test_checks_take_their_values_from_the_blocks_around_them() -> None:
    text = TEXT.replace("lb_kind NAT", "lb_kind NAT\ndelay_loop 7").replace(
        "{ TCP_CHECK { } }", "{\nretry 4\nTCP_CHECK {\n}\n}"
    )
    result = compile_text(text, "t.conf", CompileOptions(config_id="n"))
    assert result.configuration is not None
    rows = to_text(result.configuration, result.root).splitlines()
    at = rows.index("        TCP_CHECK {  # t.conf:14")
    assert rows[at + 1 : at + 9] == [
        "            delay_loop 7                      # t.conf:9",
        "            retry 4                           # t.conf:13",
        "            delay_before_retry 1              # default",
        "            warmup 7                          # default",
        "            connect_ip 10.0.0.1               # t.conf:12",
        "            connect_port 80                   # t.conf:12",
        "            connect_timeout 5                 # default",
        "        }",
    ]


def test_every_keyword_of_a_file_is_shown_and_no_secret(data: Path) -> None:
    result = compile_configuration(str(data / "everything.conf"), CompileOptions(config_id="node1"))
    assert result.configuration is not None
    shown = to_text(result.configuration, result.root)
    words = {line.split()[0] for line in shown.splitlines() if line.strip()}
    missing = {name for name in _names(result.root) if name not in words}
    assert missing == {"nopreempt"}, "it is shown as: preempt off"
    for secret in ("hunter22", "000102030405", "very secret"):
        assert secret not in shown


def _names(block: Statement) -> Iterator[str]:
    """Of everything in it that counts, but for addresses, options and other spellings."""
    for child in block.children:
        if not child.broken and child.line.words[0].text == child.name:
            yield child.name
            yield from _names(child)


def test_programs_get_the_whole_model() -> None:
    result = compile_text(TEXT, "t.conf", CompileOptions(config_id="n"))
    assert result.configuration is not None
    document = to_document(result.configuration, result.root)
    assert document["vrrp"]["instances"][0]["advertisement_interval_cs"] == 200
    assert document["checker"]["servers"][0]["checks"][0]["kind"] == "TcpCheck"
    instance = document["written"][0]
    assert (instance["keyword"], instance["text"], instance["line"]) == ("vrrp_instance", "vrrp_instance VI_1", 1)
    assert instance["statements"][2] == {
        "keyword": "advert_int", "text": "advert_int 2", "file": "t.conf", "line": 4, "column": 5,
    }  # fmt: skip


def test_programs_get_no_secret(data: Path) -> None:
    result = compile_configuration(str(data / "everything.conf"), CompileOptions(config_id="node1"))
    assert result.configuration is not None
    shown = json.dumps(to_document(result.configuration, result.root))
    assert "everything.conf" in shown
    for secret in ("hunter22", "000102030405", "very secret"):
        assert secret not in shown


def test_what_may_be_a_key_is_not_shown() -> None:
    assert _plain(b"-----BEGIN") == "(10 bytes, hidden)"
