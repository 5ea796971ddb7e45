"""Reports for people and for editors."""

from __future__ import annotations

import json

from pyhad.common.config.diagnostics import render, summarise, to_json
from pyhad.common.config.source import Diagnostic, Location, Severity, Trouble

ERROR = Diagnostic(
    Severity.ERROR,
    Trouble.INVALID_VALUE,
    "priority: 'high' is not a whole number",
    Location("a.conf", 3, 12, "\tpriority  high", ("included at b.conf:1",)),
    "say 100",
)
WARNING = Diagnostic(Severity.WARNING, Trouble.GENERAL, "odd", Location("a.conf", 1, 1, "odd"))
NOTE = Diagnostic(
    Severity.NOTE,
    Trouble.NOT_YET,
    "'smtp_alert' in x is understood, not yet acted on (2 times)",
    Location("a.conf", 2, 1),
)


def test_a_report_has_places_lines_carets_hints_and_a_summary() -> None:
    assert render([ERROR, NOTE, WARNING], False) == (
        "a.conf:1:1: warning: odd\n"
        "    odd\n"
        "    ^\n"
        "a.conf:3:12: error: priority: 'high' is not a whole number\n"
        "    \tpriority  high\n"
        "    \t          ^\n"
        "  via: included at b.conf:1\n"
        "  hint: say 100\n"
        "note: understood, not yet acted on:\n"
        "  a.conf:2: 'smtp_alert' in x (2 times)\n"
        "1 error, 1 warning\n"
    )


def test_colours_change_nothing_but_colours() -> None:
    coloured = render([ERROR], True)
    assert "\x1b[1;31merror:" in coloured
    for paint in ("\x1b[1;31m", "\x1b[1m", "\x1b[0m"):
        coloured = coloured.replace(paint, "")
    assert coloured == render([ERROR], False)


def test_nothing_to_say_is_an_empty_report() -> None:
    assert render([], False) == ""


def test_files_come_in_the_order_of_reading() -> None:
    other = Diagnostic(Severity.ERROR, Trouble.GENERAL, "x", Location("z.conf", 9, 1))
    shown = render([ERROR, other], False, ["z.conf", "a.conf"])
    assert shown.index("z.conf:9") < shown.index("a.conf:3")


def test_what_could_steer_a_terminal_is_not_printed() -> None:
    evil = Diagnostic(Severity.ERROR, Trouble.GENERAL, "\x1b[2J", Location("a.conf", 1, 1, "\x1b]0;x\x07"))
    assert "\x1b" not in render([evil], False)
    assert "\x07" not in render([evil], False)


def test_of_a_long_line_the_part_around_the_caret_is_shown() -> None:
    text = "x" * 500 + "HERE" + "y" * 500
    rows = render([Diagnostic(Severity.ERROR, Trouble.GENERAL, "m", Location("a", 1, 501, text))], False).splitlines()
    assert len(rows[1]) < 200
    assert rows[1][rows[2].index("^")] == "H"


def test_counts_are_put_in_words() -> None:
    assert summarise([ERROR, ERROR, WARNING, NOTE]) == "2 errors, 1 warning"
    assert summarise([NOTE]) == ""


def test_json_has_the_same_facts() -> None:
    assert json.loads(to_json([ERROR])) == [
        {
            "severity": "error",
            "trouble": "invalid_value",
            "message": "priority: 'high' is not a whole number",
            "file": "a.conf",
            "line": 3,
            "column": 12,
            "text": "\tpriority  high",
            "via": ["included at b.conf:1"],
            "hint": "say 100",
        }
    ]


def test_of_many_findings_with_the_same_words_a_few_are_shown_and_the_rest_counted() -> None:
    many = [
        Diagnostic(Severity.ERROR, Trouble.GENERAL, "no such word", Location("a.conf", n, 1)) for n in range(1, 201)
    ]
    rows = render(many, False).splitlines()
    assert rows[:2] == ["a.conf:1:1: error: no such word", "a.conf:2:1: error: no such word"]
    assert rows[5:] == ["a.conf: and 195 more like it, to line 200: no such word", "200 errors"]
    assert len(json.loads(to_json(many))) == 200
