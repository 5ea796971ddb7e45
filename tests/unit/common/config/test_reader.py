"""The whole lexical language: files and texts in, balanced lines with places out (grammar.md sections 1 to 9)."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from pyhad.common.config.reader import ReaderOptions, Reading, read, read_text
from pyhad.common.config.source import LineKind, Severity, Trouble

OPTIONS = ReaderOptions(config_id="node1", environment={"HOME": "/root"}, random_seed=1)


def parse(text: str, options: ReaderOptions = OPTIONS) -> Reading:
    return read_text(text, "c.conf", options)


def flat(reading: Reading) -> list[str]:
    """Each line's words joined with `|`."""
    return ["|".join(word.text for word in line.words) for line in reading.lines]


def clean(text: str) -> list[str]:
    reading = parse(text)
    assert [found.message for found in reading.diagnostics] == []
    return flat(reading)


def said(reading: Reading) -> list[tuple[Trouble, str, int, int]]:
    return [(found.trouble, found.message, found.at.line, found.at.column) for found in reading.diagnostics]


def only(reading: Reading) -> tuple[Trouble, str, int, int]:
    assert len(said(reading)) == 1, said(reading)
    return said(reading)[0]


# ------------------------------------------------------------------------------------ lines and braces


def test_an_ordinary_block() -> None:
    text = "vrrp_instance demo\n{    # fine\n  interface eth0\n  virtual_ipaddress { 192.0.2.9/24 }\n}\n"
    assert clean(text) == [
        "vrrp_instance|demo", "{", "interface|eth0", "virtual_ipaddress", "{", "192.0.2.9/24", "}", "}",
    ]  # fmt: skip


def test_every_line_knows_its_place() -> None:
    reading = parse('\n\tfoo \\# "b c" { x # y\n}\n')
    assert [(line.kind, line.at.line, line.at.column, line.raw) for line in reading.lines] == [
        (LineKind.TEXT, 2, 2, 'foo # "b c"'),
        (LineKind.OPEN, 2, 15, "{"),
        (LineKind.TEXT, 2, 17, "x"),
        (LineKind.CLOSE, 3, 1, "}"),
    ]
    assert [word.column for word in reading.lines[0].words] == [2, 7, 9]
    assert reading.lines[0].at.text == '\tfoo \\# "b c" { x # y'
    assert reading.lines[0].at.file == "c.conf"


def test_carriage_returns_are_no_part_of_a_line() -> None:
    reading = parse('a b\r\n"c\r\n')
    assert flat(reading) == ["a|b"]
    assert reading.lines[0].at.text == "a b"


def test_a_line_with_nul_is_ignored_and_said() -> None:
    reading = parse("a\nb\0c\nd\n")
    assert flat(reading) == ["a", "d"]
    assert only(reading) == (Trouble.GENERAL, "the line has a NUL character: ignored", 2, 2)


@pytest.mark.behaviour("VER-1")
def test_a_line_too_long_is_dropped_whole() -> None:
    reading = parse("a\n" + "x" * 1024 + " y\n" + "z" * 1023 + "\n#" + "c" * 2000)
    assert [line[:1] for line in flat(reading)] == ["a", "z"]
    assert [(found.severity, found.at.line) for found in reading.diagnostics] == [
        (Severity.ERROR, 2),
        (Severity.WARNING, 4),
    ]


def test_an_unterminated_quote_is_pointed_at_and_the_words_before_it_stay() -> None:
    reading = parse('  ab "c # d\nnext')
    assert flat(reading) == ["ab", "next"]
    assert only(reading) == (Trouble.QUOTE, 'the quote " is not closed', 1, 6)


def test_a_quote_that_only_an_escape_balances_is_said_for_ordinary_keywords() -> None:
    assert only(parse(r'router_id "c\"d"'))[0] is Trouble.QUOTE
    assert clean(r'notify "/x \"a"')[0] == "notify|/x \\|a"


def test_braces_in_strings_are_characters() -> None:
    assert clean('a "{" b') == ["a|{|b"]


def test_an_extra_brace_is_named_and_dropped() -> None:
    reading = parse("a {\n}\n}\nb\n")
    assert flat(reading) == ["a", "{", "}", "b"]
    assert only(reading) == (Trouble.BRACE, "this } closes nothing", 3, 1)


def test_a_missing_brace_is_named_where_its_block_begins() -> None:
    reading = parse("vrrp_instance A {\n  x {\n    y\n  }\nglobal_defs {\n}\n")
    assert flat(reading)[-1] == "}"
    assert only(reading) == (Trouble.BRACE, "the block vrrp_instance A is never closed", 1, 1)


def test_a_backslash_at_the_end_of_an_ordinary_line_belongs_to_its_word_and_is_said() -> None:
    reading = parse("a\\\nb  \\\n\\\n c")
    assert flat(reading) == ["a\\", "b\\", "\\", "c"]
    assert [(found.severity, found.at.line, found.at.column) for found in reading.diagnostics] == [
        (Severity.WARNING, 1, 2),
        (Severity.WARNING, 2, 4),
        (Severity.WARNING, 3, 1),
    ]


# --------------------------------------------------------------------------------------- conditionals


def test_conditions_keep_and_drop() -> None:
    text = "@node1 a\n@^node1 b\n@node2 c\n@^node2 d\n@node1\n@ node1 e\n@^ f\n@node1x g\n"
    assert clean(text) == ["a", "d", "f"]


def test_a_second_condition_is_looked_at_only_after_substitution() -> None:
    assert clean("@node1 @node1 a\n@node1 @node2 a$Z\n") == ["@node1|a", "@node2|a$Z"]
    assert clean("$C=@node1\n$C keyword\n@node1 $C other\n$D=@node2\n$D never") == ["keyword", "other"]


def test_conditions_choose_definitions_sequences_and_blocks() -> None:
    text = "@node1 $P=200\n@^node1 $P=100\npriority $P\n@node1 ~SEQ(N,2) k$N\n@node1 a { @node2 b\n}\n"
    assert clean(text) == ["priority|200", "k1", "k2", "a", "{", "}"]


def test_a_condition_drops_all_lines_of_a_definition() -> None:
    text = "@^node1 $A= \\\n a \\\n b\n@node1 $A= \\\n c \\\n d\n$A\n@node2 $B= \\\n x \\\n"
    assert clean(text) == ["c", "d"]


# ---------------------------------------------------------------------------------------- definitions


def test_a_definition_is_replaced_by_a_later_one() -> None:
    assert clean("$A= x y\nk $A\n$A=z # c\nk $A\n$A=\nk $A\n") == ["k|x|y", "k|z", "k"]


def test_a_blank_before_the_equals_sign_defines_nothing() -> None:
    assert clean("$A =1\n") == ["$A|=1"]


def test_a_value_may_bring_braces_quotes_and_comments() -> None:
    assert clean('$A=x { y }\n$Q="a b"\n$H=${_HASH} rest\nk $A\nq $Q\nr s$H\n') == [
        "k|x", "{", "y", "}", "q|a b", "r|s",
    ]  # fmt: skip


def test_a_hash_put_in_is_a_comment_unless_quoted() -> None:
    assert clean('router_id A${_HASH}B\nrouter_id "A${_HASH}B"') == ["router_id|A", "router_id|A#B"]


def test_definitions_work_in_strings_and_value_blocks() -> None:
    assert clean('$A=1\nk "x${A}y"\nb { ${A}/24 }\n') == ["k|x1y", "b", "{", "1/24", "}"]


def test_an_unknown_name_in_braces_is_one_error_not_a_block() -> None:
    reading = parse("$PRIORITY=5\nk ${PRIORTY}y\n")
    assert flat(reading) == ["k|${PRIORTY}y"]
    assert only(reading) == (Trouble.GENERAL, "${PRIORTY} is not defined", 2, 3)
    assert reading.diagnostics[0].hint == "${PRIORITY} is"
    assert clean('k "${HOME}"') == ["k|${HOME}"]


def test_a_definition_made_within_a_block_line() -> None:
    assert clean("a { $X=1\n}\nk${X}\n") == ["a", "{", "}", "k1"]


INSTANCE = """$NET=198.51.100
$INST= \\
  vrrp_instance v${ID} { \\
    # said \\
    interface eth0 \\
    # said
    virtual_ipaddress { \\
      ${NET}.${ID}/24 \\
    } \\
  }
$ID=11
$INST
$ID=12
$INST
"""


def test_a_definition_of_several_lines_is_used_twice() -> None:
    def block(number: str) -> list[str]:
        address = f"198.51.100.{number}/24"
        return [f"vrrp_instance|v{number}", "{", "interface|eth0", "virtual_ipaddress", "{", address, "}", "}"]

    assert clean(INSTANCE) == block("11") + block("12")


def test_lines_of_a_definition_have_their_own_place_and_tell_where_they_were_used() -> None:
    line = parse(INSTANCE).lines[2]
    assert (line.at.line, line.at.column, line.at.text) == (5, 5, "    interface eth0 \\")
    assert line.at.via == ("$INST used at c.conf:12",)


def test_words_put_in_have_the_column_of_the_name_and_tell_where_it_was_set() -> None:
    line = parse("$A=x\n  k a${A}b $A c\n").lines[0]
    assert [(word.text, word.column) for word in line.words] == [("k", 3), ("axb", 5), ("x", 12), ("c", 15)]
    assert line.at.via == ("$A set at c.conf:1",)
    assert line.raw == "k axb x c"


def test_a_definition_of_several_lines_may_hold_every_other_statement() -> None:
    text = "$A= \\\n $B=7 \\\n @node1 k${B} \\\n @node2 z \\\n ~SEQ(N,1,2) w${N}\n$A\n"
    assert clean(text) == ["k7", "w1", "w2"]


def test_definitions_of_several_lines_nest() -> None:
    assert clean("$A= \\\n a1 \\\n $B \\\n a2\n$B=b1 \\\n b2\nx { $A\n}\n") == ["x", "{", "a1", "b1", "b2", "a2", "}"]


def test_the_first_line_of_a_definition_may_hold_text() -> None:
    assert clean("$A=xx \\\n aa \\\n bb\n  zz$A\n") == ["zzxx", "aa", "bb"]


def test_an_empty_line_ends_a_definition() -> None:
    assert clean("$A= \\\n aa \\\n\nbb\n$A\n") == ["bb", "aa"]


def test_nothing_may_follow_a_definition_of_several_lines() -> None:
    assert only(parse("$A= \\\n a\n$A b\n"))[1] == "$A has several lines: nothing may follow it"


def test_a_definition_cut_off_by_the_end_of_its_file_is_said() -> None:
    reading = parse("$A= \\\n a \\\n")
    assert only(reading) == (Trouble.GENERAL, "the file ends within the definition of $A", 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "$A=$A\nk $A x\n",
        "$A=${B}\n$B=${A}\nk ${A}\n",
        "$A= \\\n x \\\n $A\n$A\n",
        "$A= \\\n x \\\n $B\n$B= \\\n y \\\n $A\n$A\n",
    ],
)
def test_a_definition_that_leads_to_itself_is_said_and_ends(text: str) -> None:
    assert "leads to itself" in parse(text).diagnostics[0].message


def test_the_random_seed_of_global_defs_repeats_the_numbers() -> None:
    text = "global_defs {\n random_seed 5\n}\nk ${_RANDOM} ${_RANDOM}\n"
    numbers = {flat(read_text(text, "c", ReaderOptions(config_id="x")))[-1] for _ in range(5)}
    assert len(numbers) == 1
    elsewhere = text.replace("global_defs", "vrrp_instance")
    assert len({flat(read_text(elsewhere, "c", ReaderOptions(config_id="x")))[-1] for _ in range(5)}) > 1


# --------------------------------------------------------------------------------- sequences and lists


def test_the_example_of_sequences() -> None:
    text = """virtual_ipaddress {
      ~SEQ(N, 10, 12) 203.0.113.${N}/24
      ~LST({A,IF},{21,eth1},{22,eth2}) 203.0.113.${A}/24 dev ${IF}
      ~SEQx(H, 0xe, 0x10) fd00::${H}/64
    }"""
    assert clean(text)[2:-1] == [
        "203.0.113.10/24",
        "203.0.113.11/24",
        "203.0.113.12/24",
        "203.0.113.21/24|dev|eth1",
        "203.0.113.22/24|dev|eth2",
        "fd00::e/64",
        "fd00::f/64",
        "fd00::10/64",
    ]


def test_constructs_on_one_line_nest_the_leftmost_slowest() -> None:
    assert clean("~SEQ(A,1,2) ~LST(B,x,y) k$A $B\n") == ["k1|x", "k1|y", "k2|x", "k2|y"]


def test_parameters_may_use_definitions() -> None:
    assert clean("$V=3\n$L=a,b\n~SEQ(N,2,$V) k$N\n~LST(M,$L,${V}4) m$M\n~SEQ(K,1,2) ~SEQ(J,${K}) j$J") == [
        "k2", "k3", "ma", "mb", "m34", "j1", "j1", "j2",
    ]  # fmt: skip


def test_the_text_of_a_sequence_may_be_a_definition() -> None:
    assert clean("$A= \\\n aa${N} \\\n bb\n~SEQ(N,1,2) $A\n") == ["aa1", "bb", "aa2", "bb"]
    assert clean("$A=~SEQ(N,1,2) k${N}\n$A\n") == ["k1", "k2"]


def test_a_sequence_may_follow_a_brace() -> None:
    assert clean("$N=9\nfoo { ~SEQ(N,1,2) k${N}\n}\n") == ["foo", "{", "k1", "k2", "}"]


def test_the_name_stays_defined() -> None:
    assert clean("~SEQ(N,1,2) k\nz$N\n") == ["k", "k", "z2"]


def test_lines_of_a_sequence_tell_its_value() -> None:
    line = parse("\n ~SEQ(N,4,5) k $N\n").lines[1]
    assert (line.at.line, line.at.column, line.at.via) == (2, 14, ("~SEQ with N=5 at c.conf:2",))
    assert [word.column for word in line.words] == [14, 16]


@pytest.mark.parametrize("text", ["~SEQ(N,5,2,1) k", "~SEQ(N,1,2 k", "~LST(v) k", "~SEQ(N,$M) k", "~SEQ() k"])
def test_a_wrong_sequence_is_said_and_gives_nothing(text: str) -> None:
    reading = parse(f"$M= \\\n a \\\n b\n {text}\n")
    trouble, message, line, column = only(reading)
    assert (trouble, line, column) == (Trouble.GENERAL, 4, 2)
    assert message.startswith(f"invalid {text[:4]}: ")
    assert reading.lines == []


def test_other_words_with_a_tilde_are_words() -> None:
    assert clean("~FOO(A,2) y\n~SEQy\n") == ["~FOO(A,2)|y", "~SEQy"]


# ------------------------------------------------------------------------------------------- bounds


def test_a_sequence_without_end_is_stopped() -> None:
    options = ReaderOptions(config_id="x", max_expanded=2000)
    reading = parse("a {\n~SEQ(N,1,9000000000000000) ~SEQ(M,1,9000000000000000) $Z\n", options)
    assert said(reading)[-1][1:] == ("definitions and sequences make more than 2000 lines: reading stops here", 2, 1)
    assert flat(reading)[-1] == "}"
    assert len(reading.lines) <= 2003


def test_definitions_that_multiply_are_stopped() -> None:
    text = "".join(f"$A{i}= \\\n $A{i + 1} \\\n $A{i + 1} \\\n $A{i + 1}\n" for i in range(30)) + "$A30=\n$A0\n"
    reading = parse(text, ReaderOptions(config_id="x", max_expanded=2000))
    assert reading.diagnostics[-1].message.startswith("definitions and sequences make more than 2000")


@pytest.mark.parametrize(
    "text",
    ["".join(f"$A{i}= \\\n $A{i + 1} \\\n x\n" for i in range(100)) + "$A0\n", "$A=~SEQ(N,2) ${A}\n$A\n"],
)
def test_nesting_has_a_bound(text: str) -> None:
    assert "nested deeper than 64" in only(parse(text))[1]


def test_the_bound_of_lines_stops_a_file_of_braces() -> None:
    options = ReaderOptions(config_id="x", max_lines=1000)
    reading = parse("{" * 1000 + "\n" + "{" * 1000, options)
    assert "more than 1000 lines" in reading.diagnostics[-1].message
    kinds = [line.kind for line in reading.lines]
    assert kinds.count(LineKind.OPEN) == kinds.count(LineKind.CLOSE)


def test_an_ordinary_file_is_read_in_moments() -> None:
    block = "vrrp_instance V{0} {{\n interface eth0\n priority 100\n virtual_ipaddress {{\n  10.0.{0}.1/24\n }}\n}}\n"
    text = "".join(block.format(number) for number in range(44_000 // 7))
    started = time.process_time()
    assert len(parse(text).lines) == 44_000 // 7 * 9
    # Some 0.2 s; the bound leaves room for a busy machine.
    assert time.process_time() - started < 2


def test_every_example_of_the_documentation_reads_without_a_word() -> None:
    page = Path(__file__).parents[4] / "docs" / "config-language.md"
    examples = page.read_text().split("```\n")[1::2]
    assert len(examples) == 7
    for example in examples:
        assert clean(example)


# ------------------------------------------------------------------------------------ whatever comes in

_TOKENS = st.sampled_from(
    [
        *["$A", "${A}", "${B}", "$A=", "$B=", "=", "@node1 ", "@^", "~SEQ(", "~SEQ(N,3) ", "~LST({A,B},{1},", ")"],
        *["{", "}", '"', "'", "\\", "\\\n", "\n", "\r\n", " ", "\t", "#", "!", ",", "\0", "word", "é", "0", "-1"],
        *["${_RANDOM 1 9}", "${_ENV HOME}", "${_HASH}", "${_PWD}", "include ", "includea nothing", "include_check"],
        *["global_defs {", "random_seed 4"],
    ]
)


def check_shape(reading: Reading) -> None:
    depth = 0
    for line in reading.lines:
        depth += {LineKind.OPEN: 1, LineKind.CLOSE: -1, LineKind.TEXT: 0}[line.kind]
        assert depth >= 0
        assert line.words
        assert 1 <= line.at.column <= len(line.at.text) + 1
        assert all(1 <= word.column <= len(line.at.text) + 1 for word in line.words)
        assert len(line.raw.encode()) <= 1023
    assert depth == 0
    for found in reading.diagnostics:
        assert found.message
        assert found.at.line >= 1
        assert found.at.column >= 1
        found.message.encode()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_TOKENS, max_size=40).map("".join))
def test_no_text_raises_and_every_text_ends_balanced(text: str) -> None:
    check_shape(parse(text))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_no_characters_raise(text: str) -> None:
    check_shape(parse(text))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_no_bytes_raise(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.conf"
    path.write_bytes(content)
    reading = read(str(path), OPTIONS)
    check_shape(reading)
    assert reading.files == (str(path),)


@pytest.mark.parametrize("pattern", ["", "\0", "{", "/nothing" + "*" * 600, "x" * 5000, "/", os.fsdecode(b"\xff")])
def test_no_pattern_raises(pattern: str) -> None:
    reading = read(pattern, OPTIONS)
    assert reading.lines == []
    assert any(found.severity is Severity.ERROR for found in reading.diagnostics)
