"""Lines to a tree: recovery from braces and unknown words, all errors in one run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.complaints import Complaints
from pyhad.common.config.grammar import parse
from pyhad.common.config.reader import ReaderOptions, read_text
from pyhad.common.config.source import Line, LineKind, Piece, Severity, Word

Compile = Callable[..., Any]


def test_an_unknown_keyword_names_its_neighbour_and_its_home(compiled: Compile) -> None:
    result = compiled("vrrp_instance A {\n interfce eth0\n}\nglobal_defs {\n lb_algo rr\n}\n").result
    found = [(one.message, one.hint, one.at.line, one.at.column) for one in result.diagnostics]
    assert ("unknown keyword 'interfce' in vrrp_instance", "did you mean 'interface'?", 2, 2) in found
    assert ("unknown keyword 'lb_algo' in global_defs", "'lb_algo' belongs in virtual_server", 5, 2) in found


def test_the_block_of_an_unknown_keyword_is_skipped_whole(compiled: Compile) -> None:
    result = compiled("vrrp_instace A {\n nonsense\n inner { more }\n}\nglobal_defs { router_id x }\n")
    assert result.errors == ["unknown keyword 'vrrp_instace' at the top level"]


def test_a_bad_value_is_not_also_missing(compiled: Compile) -> None:
    result = compiled(
        "vrrp_instance A {\n interface eth0\n virtual_router_id 300\n virtual_ipaddress { 192.0.2.1 }\n}\n"
    )
    assert result.errors == ["virtual_router_id: '300' is not a whole number from 1 to 255"]


def test_a_missing_parameter_is_an_error_at_the_end_of_its_line(compiled: Compile) -> None:
    [one] = compiled("global_defs {\n router_id\n}\n").result.diagnostics
    assert one.message == "'router_id' is missing its parameter: text"
    assert one.hint == "usage: router_id TEXT"


def test_too_many_words_are_a_warning(compiled: Compile) -> None:
    result = compiled("global_defs {\n router_id a b c\n}\n")
    assert result.errors == []
    assert result.warnings == ["words after 'router_id' are ignored: b c"]


def test_a_missing_open_brace_is_one_error_and_the_block_is_still_read(compiled: Compile) -> None:
    result = compiled("vrrp_instance A\n interface eth0\n virtual_router_id 999\n}\nglobal_defs { router_id x }\n")
    assert result.errors == [
        "missing '{' after 'vrrp_instance A'",
        "virtual_router_id: '999' is not a whole number from 1 to 255",
    ]


def test_a_missing_close_brace_is_said_once(compiled: Compile) -> None:
    result = compiled("vrrp_instance A {\n interface eth0\n virtual_router_id 1\n\nglobal_defs {\n router_id x\n}\n")
    assert len(result.errors) == 1
    assert "never closed" in result.errors[0]


def test_a_block_that_starts_inside_another_closes_it(compiled: Compile) -> None:
    text = (
        "vrrp_instance A {\n interface eth0\n virtual_router_id 1\nglobal_defs\n router_id x\n}\nvrrp_instance B\n}\n"
    )
    errors = compiled(text).errors
    assert "missing '}': 'vrrp_instance A' of line 1 is still open here" in errors
    assert "missing '{' after 'vrrp_instance B'" in errors


def test_a_keyword_among_addresses_hints_at_the_missing_brace(compiled: Compile) -> None:
    result = compiled("vrrp_instance A {\n virtual_ipaddress {\n  192.0.2.1\n\n nopreempt\n}\n}\n").result
    hints = [one.hint for one in result.diagnostics if "nopreempt" in one.message]
    assert hints == ["'nopreempt' is a keyword of vrrp_instance: is a '}' missing?"]


def test_a_brace_after_a_plain_keyword_is_an_error_and_its_block_is_skipped(compiled: Compile) -> None:
    result = compiled("global_defs {\n router_id x {\n  nonsense\n }\n lvs_flush\n}\n")
    assert result.errors == ["unexpected '{' after 'router_id', which opens no block"]


def test_what_is_not_acted_on_is_noted_once_with_a_count(compiled: Compile) -> None:
    text = "".join(f"bfd_instance s{n} {{\n neighbor_ip 192.0.2.1\n min_rx 10\n}}\n" for n in range(3))
    result = compiled(text)
    assert result.notes == ["'bfd_instance' is understood, not yet acted on (3 times)"]


def test_a_deprecated_word_names_its_successor(service: Compile) -> None:
    result = service(inner="HTTP_GET { url { path / } nb_get_retry 4 }").result
    [one] = [one for one in result.diagnostics if one.severity is Severity.WARNING]
    assert (one.message, one.hint) == ("'nb_get_retry' is deprecated", "use retry")
    assert result.configuration.checker.servers[0].checks[0].timing.retry == 4


@pytest.mark.parametrize(
    "line",
    [
        "198.51.100.0/24 via 192.0.2.1 dev eth0 table 100 metric 5",
        "blackhole 203.0.113.0/24",
        "to default via inet6 fd00::1 mtu lock 1400",
        "10.9.0.0/16 encap ip id 7 dst 192.0.2.7 via 192.0.2.3",
        "10.6.0.0/16 nexthop via 192.0.2.3 weight 2 nexthop via 192.0.2.4 onlink",
    ],
)
def test_lines_of_routes_are_understood(compiled: Compile, line: str) -> None:
    assert compiled(f"static_routes {{\n {line}\n}}\n").errors == []


def test_a_mistyped_option_of_a_line_names_its_neighbour(compiled: Compile) -> None:
    found = compiled("static_routes {\n 10.0.0.0/8 devv eth0\n}\n").result.diagnostics
    assert [(one.message, one.hint) for one in found if one.severity is Severity.ERROR] == [
        ("unknown option 'devv' in static_routes", "did you mean 'dev'?")
    ]


def test_blocks_nested_without_end_are_refused_not_followed() -> None:
    words = (Word("virtual_server", 1), Word("group", 2), Word("x", 3))
    opening = Line(Piece(LineKind.TEXT, words, "", 1), "t", 1, "")
    brace = Line(Piece(LineKind.OPEN, (Word("{", 1),), "{", 1), "t", 1, "")
    complaints = Complaints()
    parse([opening, brace] * 3000, complaints)
    assert complaints.diagnostics


def test_lines_cut_off_anywhere_never_raise() -> None:
    text = "vrrp_instance A {\n interface eth0\n virtual_ipaddress {\n 192.0.2.1 dev eth0\n }\n"
    text += " track_script { x weight 1 }\n}\n"
    lines = read_text(text, "t", ReaderOptions(config_id="x")).lines
    for start in range(len(lines)):
        for end in range(start, len(lines)):
            parse(lines[start:end], Complaints())
