"""Pieces of real configurations, cut and joined wrongly: nothing comes out but diagnostics, in bounded time."""

from __future__ import annotations

import os
import time
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings, strategies as st

from pyhad.common.config.compile import CompileOptions, compile_text, encode_documents
from pyhad.common.config.diagnostics import render, to_json
from pyhad.common.config.source import Severity

LINES = (Path(__file__).parents[3] / "data/everything.conf").read_text().splitlines()
MORE = int(os.environ.get("PYHAD_FUZZ", "1"))
"""How many times as long as usual."""

LONGEST_S = 5
"""Of a processor. A file of some hundred lines takes hundredths of a second; this is far away from that anywhere."""

PIECES = (
    *(
        "{",
        "}",
        "{ }",
        "} }",
        '"',
        "'",
        "\\",
        "#",
        "!",
        "@node1 ",
        "@^node1 ",
        "@",
        "\t",
        "\r",
        "\x00",
        "\ufeff",
        "é",
        "/",
    ),
    *("$A=1", "$A=${A}", "$A=${B}", "$B=$A", "${A}", "$A", "$", "${", "$M= \\", "  text \\"),
    *("${_RANDOM 1 5}", "${_ENV HOME}", "${_PWD}", "~SEQ(", "~", "~SEQ(X, 1, 3) ${X}", "~SEQ(X, 3, -1, 1) $X"),
    *("~SEQ(X, 1, 0, 9)", "~SEQx(X, 0xa, 0xc) ${X}", "~LST(X, a, b) $X", "~LST({X,Y},{a,b},{c}) $X"),
    *("include /nonexistent", "include [", "includea *", "include t.conf", "x" * 1100, "99999999999999999999999"),
    *("-0", "+1", "1e9", "0x", "::", "fe80::1%eth0", "1.2.3.4/", "weight", "on"),
)

lines = st.one_of(
    st.sampled_from(LINES),
    st.sampled_from(PIECES),
    st.builds(lambda line, piece, at: line[: at % (len(line) + 1)] + piece + line[at % (len(line) + 1) :],
              st.sampled_from(LINES), st.sampled_from(PIECES), st.integers(0, 60)),
    st.builds(lambda line, at: line[:at], st.sampled_from(LINES), st.integers(0, 40)),
)  # fmt: skip
whole = st.builds(
    lambda first, count, extra, at: "\n".join(
        [*LINES[:at], *extra, *LINES[at:first], *LINES[first + count :]]
    ),
    st.integers(0, len(LINES)), st.integers(0, 5), st.lists(lines, max_size=4), st.integers(0, len(LINES)),
)  # fmt: skip
"""The file that uses everything, less a few lines, with a few others put in somewhere."""


def check(text: str) -> None:
    begin = time.process_time()
    result = compile_text(text, "t.conf", CompileOptions(config_id="node1", interfaces=frozenset({"eth0"})))
    failed = any(one.severity is Severity.ERROR for one in result.diagnostics)
    assert (result.configuration is None) is failed
    assert render(result.diagnostics, True, result.files) or not result.diagnostics
    to_json(result.diagnostics)
    if result.configuration is not None:
        encode_documents(result.configuration)
    assert time.process_time() - begin < LONGEST_S


@settings(
    max_examples=300 * MORE, deadline=None, database=None, print_blob=True, suppress_health_check=list(HealthCheck)
)
@given(st.lists(lines, max_size=40))
@example(["$A=${A}", "${A}"])
@example(["track_interface {", "eth1 weight x", "}"])
@example(["vrrp_instance VI {", "track_interface {", "eth1 weight", "}", "}"])
def test_fragments_of_real_lines_give_diagnostics_and_nothing_else(found: list[str]) -> None:
    check("\n".join(found))


@settings(
    max_examples=40 * MORE, deadline=None, database=None, print_blob=True, suppress_health_check=list(HealthCheck)
)
@given(whole)
def test_a_real_file_with_a_few_wrong_lines_gives_diagnostics_and_nothing_else(text: str) -> None:
    check(text)
