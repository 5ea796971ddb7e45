"""The balance of braces in what reading gives (grammar.md section 5)."""

from __future__ import annotations

import pytest

from pyhad.common.config.reading_findings import Findings, ReadingStopped
from pyhad.common.config.reading_output import MAX_UNCLOSED, Output
from pyhad.common.config.source import LineKind, Trouble
from pyhad.common.config.words import plain_pieces


class Setting:
    def __init__(self, most: int = 1000) -> None:
        self.findings = Findings()
        self.output = Output(most, self.findings)

    def add(self, *lines: str) -> Setting:
        for number, line in enumerate(lines, 1):
            for piece in plain_pieces(line) or ():
                self.output.emit(piece, "f", number, line)
        return self

    def finish(self, *, quietly: bool = False) -> str:
        return " ".join(line.raw for line in self.output.finish(quietly=quietly))

    def said(self) -> list[tuple[str, int, str]]:
        assert all(found.trouble is Trouble.BRACE for found in self.findings.diagnostics)
        return [(found.message, found.at.line, found.hint) for found in self.findings.diagnostics]


def test_balanced_lines_pass_as_they_are() -> None:
    setting = Setting().add("a {", " b { c }", "}")
    assert setting.finish() == "a { b { c } }"
    assert setting.said() == []


def test_a_brace_that_closes_nothing_is_reported_and_dropped() -> None:
    setting = Setting().add("a { }", "}", "b")
    assert setting.finish() == "a { } b"
    assert setting.said() == [("this } closes nothing", 2, "the block before it ends at f:1")]


def test_an_unclosed_block_is_named_where_it_begins_and_closed() -> None:
    setting = Setting().add("vrrp_instance V {", "  a {", "    b", "  }", "vrrp_instance W {", "  c", "}")
    assert setting.finish().count("{") == setting.finish().count("}") == 3
    assert setting.said() == [("the block vrrp_instance V is never closed", 1, "it seems to be missing before line 5")]


def test_without_indentation_nothing_is_guessed() -> None:
    setting = Setting().add("a", "{", "b")
    setting.finish()
    assert setting.said() == [("the block a is never closed", 1, "add a }")]


def test_a_brace_without_a_keyword_is_named_itself() -> None:
    setting = Setting().add("{")
    assert setting.finish() == "{ }"
    assert setting.said() == [("this { is never closed", 1, "add a }")]


def test_what_is_closed_for_the_file_are_close_lines() -> None:
    setting = Setting().add("a { b {")
    lines = setting.output.finish(quietly=True)
    assert [line.kind for line in lines[-2:]] == [LineKind.CLOSE, LineKind.CLOSE]
    assert setting.said() == []


def test_only_so_many_blocks_are_named() -> None:
    setting = Setting().add(*["a {"] * 50)
    setting.finish()
    assert len(setting.said()) == MAX_UNCLOSED


def test_the_bound_of_lines_stops_the_reading() -> None:
    setting = Setting(most=3)
    with pytest.raises(ReadingStopped):
        setting.add("a", "b", "c", "d")


def test_it_knows_the_block_that_the_next_line_belongs_to() -> None:
    setting = Setting().add("global_defs {")
    assert setting.output.is_directly_in("global_defs")
    assert not setting.output.is_directly_in("vrrp_instance")
    setting.add("x {")
    assert not setting.output.is_directly_in("global_defs")
