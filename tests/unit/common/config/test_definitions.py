"""Expansion of `$NAME` and `${NAME}` within one line (grammar.md section 7)."""

from __future__ import annotations

import pytest

from pyhad.common.config import definitions as module
from pyhad.common.config.definitions import Definition, Definitions, StoredLine
from pyhad.common.config.reading_findings import Findings, Place
from pyhad.common.config.source import Severity
from pyhad.common.config.words import Text
from pyhad.common.errors import ConfigError

PLACE = Place("f", 1, "")


class Setting:
    def __init__(self, values: dict[str, str], seed: int | None = 7) -> None:
        self.findings = Findings()
        self.definitions = Definitions(
            instance="node1",
            directory=lambda: "/etc/d",
            environment={"HOME": "/root", "TWO": "a\nb", "ODD": "x\udcff"},
            seed=seed,
            findings=self.findings,
        )
        for name, value in values.items():
            self.definitions.set(name, Definition(value, PLACE))

    def expand(self, line: str) -> str:
        return self.definitions.substitute(Text.of_line(line), PLACE).text.text

    def messages(self) -> list[str]:
        return [diagnostic.message for diagnostic in self.findings.diagnostics]


@pytest.mark.parametrize(
    ("line", "expanded"),
    [
        ("a $A", "a 1"),
        ("$A b", "1 b"),
        ("$A\tb", "1\tb"),
        ("f($A,$A)", "f(1,1)"),
        ("zz$A", "zz1"),
        ("zz${A}.x", "zz1.x"),
        ('"$A "', '"1 "'),
        ('"${A}"', '"1"'),
        ("${B}x", "10.1x"),
        ("$Z ${Z} $ $$A", "$Z ${Z} $ $1"),
        ("${EMPTY}x", "x"),
        ("${A", "${A"),
        ("$1A", "$1A"),
    ],
)
def test_known_names_are_replaced_and_others_stay(line: str, expanded: str) -> None:
    assert Setting({"A": "1", "B": "10.${A}", "EMPTY": ""}).expand(line) == expanded


def test_a_bare_name_ends_only_at_a_blank_comma_or_parenthesis() -> None:
    setting = Setting({"A": "1"})
    assert setting.expand('zz$A.x "$A" $A/24 $AB') == 'zz$A.x "$A" $A/24 $AB'
    assert [diagnostic.severity for diagnostic in setting.findings.diagnostics] == [Severity.NOTE] * 3


def test_values_are_looked_up_where_they_are_used() -> None:
    setting = Setting({"B": "10.${C}", "C": "1"})
    assert setting.expand("${B}") == "10.1"
    setting.definitions.set("C", Definition("2", PLACE))
    assert setting.expand("${B}") == "10.2"


def test_what_stands_behind_a_value_decides_about_the_name_at_its_end() -> None:
    assert Setting({"A": "$B", "B": "1"}).expand("${A}.x ${A} y") == "$B.x 1 y"


@pytest.mark.parametrize(
    ("line", "expanded"),
    [
        ("${_PWD}/x", "/etc/d/x"),
        ("$_INSTANCE", "node1"),
        ("a${_HASH}b${_BANG}", "a#b!"),
        ("${_ENV HOME}", "/root"),
        ("x${_ENV NO_SUCH}y", "xy"),
        ("${_ENV TWO}", "a b"),
        ("${_RANDOM 5 5}", "5"),
        ("${_RANDOM 90000}", "90000"),
    ],
)
def test_predefined_names(line: str, expanded: str) -> None:
    assert Setting({}).expand(line) == expanded


def test_a_reserved_name_may_be_overridden() -> None:
    assert Setting({"_PWD": "/x"}).expand("${_PWD}") == "/x"


def test_random_numbers_lie_between_their_bounds_and_repeat_with_the_seed() -> None:
    line = " ".join(["${_RANDOM 3 9}"] * 40)
    first = Setting({}).expand(line)
    assert set(map(int, first.split())) == {3, 4, 5, 6, 7, 8, 9}
    assert Setting({}).expand(line) == first
    assert Setting({}, seed=8).expand(line) != first
    assert all(0 <= int(word) <= 32767 for word in Setting({}).expand("${_RANDOM} " * 50).split())


@pytest.mark.parametrize(
    ("line", "expanded", "message"),
    [
        ("${_RANDOM 9 3}", "9", "the least number 9 is above the greatest 3"),
        ("${_RANDOM -1}", "${_RANDOM -1}", "digits only"),
        ("${_RANDOM 1 2 3}", "${_RANDOM 1 2 3}", "at most two"),
        ("${_ENV}", "${_ENV}", "takes one name"),
        ("${_PWD x}", "${_PWD x}", "takes no parameters"),
        ("${A x}", "${A x}", "takes no parameters"),
    ],
)
def test_wrong_parameters_are_reported(line: str, expanded: str, message: str) -> None:
    setting = Setting({"A": "1"})
    assert setting.expand(line) == expanded
    assert len(setting.messages()) == 1
    assert message in setting.messages()[0]


@pytest.mark.parametrize(
    ("values", "chain"),
    [
        ({"A": "$A"}, "$A -> $A"),
        ({"A": "x ${B} y", "B": "${C}", "C": "z${A}"}, "$A -> $B -> $C -> $A"),
    ],
)
def test_a_definition_that_leads_to_itself_is_named_with_its_chain(values: dict[str, str], chain: str) -> None:
    setting = Setting(values)
    setting.expand("q ${A} r")
    assert setting.messages() == [f"the definition $A leads to itself: {chain}"]


def test_a_name_may_be_used_twice_side_by_side() -> None:
    setting = Setting({"A": "${B}${B}", "B": "x"})
    assert setting.expand("${A}${A}") == "xxxx"
    assert setting.messages() == []


def test_a_replacement_that_would_overflow_the_line_is_not_done() -> None:
    setting = Setting({"A": "x" * 600})
    assert setting.expand("${A}${A}") == "x" * 600 + "${A}"
    assert setting.messages() == ["$A would make the line longer than 1023 bytes"]


def test_the_bound_of_a_line_counts_bytes() -> None:
    setting = Setting({"A": "ä" * 511})
    assert setting.expand("x${A}") == "x" + "ä" * 511
    assert setting.expand("xy${A}") == "xy${A}"


def test_doubling_definitions_end_at_the_bound_of_the_line() -> None:
    values = {f"A{i}": f"${{A{i + 1}}}${{A{i + 1}}}" for i in range(40)} | {"A40": "x"}
    setting = Setting(values)
    assert len(setting.expand("${A0}")) <= 1023
    assert setting.messages()


def test_empty_definitions_cannot_multiply_for_ever() -> None:
    values = {f"A{i}": f"${{A{i + 1}}}${{A{i + 1}}}" for i in range(40)} | {"A40": ""}
    setting = Setting(values)
    setting.definitions.spend()
    setting.definitions._left = 5000
    with pytest.raises(ConfigError, match=f"more than {module.MAX_SUBSTITUTIONS} substitutions"):
        setting.expand("${A0}")


def several(*lines: str) -> Definition:
    return Definition("", PLACE, tuple(StoredLine(Text.of_line(line), PLACE) for line in lines), is_multiline=True)


def test_several_lines_for_a_whole_line_keep_their_places() -> None:
    setting = Setting({})
    setting.definitions.set("M", several("a", "b"))
    expansion = setting.definitions.substitute(Text.of_line("$M"), PLACE)
    assert (expansion.text.text, expansion.name) == ("", "M")
    assert [line.text.text for line in expansion.following] == ["a", "b"]


def test_several_lines_begin_where_they_are_used() -> None:
    setting = Setting({"A": "1"})
    setting.definitions.set("M", several("a${A}", "b"))
    expansion = setting.definitions.substitute(Text.of_line("x { $M"), PLACE)
    assert expansion.text.text == "x { a1"
    assert [line.text.text for line in expansion.following] == ["b"]


def test_nothing_may_follow_several_lines() -> None:
    setting = Setting({})
    setting.definitions.set("M", several("a", "b"))
    assert setting.expand("$M c") == "$M c"
    assert setting.messages() == ["$M has several lines: nothing may follow it"]


def test_a_sequence_put_in_is_not_expanded_too_early() -> None:
    setting = Setting({"S": "~SEQ(N,1,2) ", "N": "9"})
    assert setting.expand("${S} ${N}") == "~SEQ(N,1,2)  ${N}"
    assert setting.expand("x { ~SEQ(N,1,2) ${N}") == "x { ~SEQ(N,1,2) ${N}"
