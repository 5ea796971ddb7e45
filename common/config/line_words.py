"""The words of one line to checked values and options: arity, kinds, ranges. Knows no braces and gives no meaning."""

from __future__ import annotations

import difflib
import re
from dataclasses import replace

from pyhad.common.config.arguments import Argument, Kind
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.habits import habit_hint
from pyhad.common.config.keyword import NOW, Form, Keyword
from pyhad.common.config.keywords import SECRET_BLOCKS, VOCABULARIES, Vocabulary
from pyhad.common.config.secrets import HIDDEN
from pyhad.common.config.source import Line, Location, Trouble, Word
from pyhad.common.config.tree import Said, Statement
from pyhad.common.config.values import BadValue, Value, read_value

_MAX_SHOWN = 60
_VOWELS = ("a", "e", "i", "o", "A", "E", "I", "O", "HTTP", "MD5")
_VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*\Z")
_DEVICE = re.compile(r"(eth|en[opsx]|bond|br|vlan|lo|wl)[0-9a-z.]*\Z")
_ENCAP_WITH_VALUE = ("mpls", "ila")
_ORDERED = (".ROUTE", ".RULE")
"""Blocks in whose lines the order of options counts."""


class LineReader:
    """Fills the values and options of statements; what is wrong goes to the complaints."""

    def __init__(self, complaints: Complaints) -> None:
        self._complaints = complaints
        self._known: dict[int, tuple[Keyword, tuple[Value, ...]]] = {}
        """Values of headers of which there is nothing to say, by the identity of their piece: equal lines share one."""

    def header(self, statement: Statement) -> None:
        """The words after a keyword."""
        keyword, key = statement.keyword, id(statement.line.piece)
        known = self._known.get(key)
        if known is not None and known[0] is keyword:
            statement.values = known[1]
            return
        said = len(self._complaints.diagnostics)
        self._read_header(statement)
        is_plain = len(self._complaints.diagnostics) == said and not (statement.options or statement.said)
        if is_plain and not (keyword.form is Form.BLOCK and keyword.arguments):  # what has a name is not repeated
            self._known[key] = (keyword, statement.values)

    def _read_header(self, statement: Statement) -> None:
        keyword, words = statement.keyword, statement.line.words
        start = 1
        if keyword.leading:
            while start < len(words) and words[start].text in keyword.leading:
                start += 1
        values, used = self._arguments(statement, keyword.arguments, words, start)
        statement.values = values
        if keyword.options:
            self._options(statement, VOCABULARIES[keyword.options], used, quiet=keyword.acts is not NOW)
        elif used < len(words) and not statement.broken and not _is_script(keyword):
            self._ignored(statement, used)

    def entry(self, statement: Statement, enclosing: Vocabulary, *, quiet: bool) -> None:
        """A line of a value block: plain words, or bare values and options in any order."""
        opens = statement.keyword.opens
        if not opens:
            statement.values = tuple(word.text for word in statement.line.words)
            return
        first = statement.line.words[0].text
        hint = f"'{first}' is a keyword of {enclosing.block}: is a '}}' missing?" if first in enclosing.words else ""
        self._options(statement, VOCABULARIES[opens], 0, quiet=quiet, hint=hint)

    def place_of(self, line: Line, block: str, word: Word | None = None) -> Location:
        """Where a word stands, its physical line cleared of secrets."""
        at = line.at
        column = word.column if word else at.column
        if block in SECRET_BLOCKS:
            shown = at.text[: line.words[0].column - 1 + len(line.words[0].text)]
            return replace(at, column=min(column, len(shown) + 1), text=f"{shown} {HIDDEN}")
        return at if column == at.column else replace(at, column=column)

    # ------------------------------------------------------------------------------------------ arguments

    def _arguments(
        self, statement: Statement, arguments: tuple[Argument, ...], words: tuple[Word, ...], start: int
    ) -> tuple[tuple[Value, ...], int]:
        """Values of `words` from `start` on, and the index after the last one used."""
        values: list[Value] = []
        used = start
        for argument in arguments:
            if used >= len(words):
                if not argument.optional:
                    self._missing(statement, argument)
                break
            while used < len(words):
                value = self._value(statement, argument, words[used])
                if value is not None:
                    values.append(value)
                used += 1
                if not argument.many:
                    break
        return tuple(values), used

    @staticmethod
    def _as_option(word: Word) -> str:
        return f"did you mean 'dev {word.text}'?" if _DEVICE.match(word.text) else ""

    def _value(self, statement: Statement, argument: Argument, word: Word) -> Value | None:
        remarks: list[str] = []
        if not word.quoted and _VARIABLE.match(word.text) and statement.keyword.block not in SECRET_BLOCKS:
            message = f"{statement.keyword.name}: {shortened(word.text)} is not defined: it is taken as it stands"
            self._complaints.warning(message, self._at(statement, word), hint="define it before: $NAME=value")
        try:
            value = read_value(argument, word.text, remarks)
        except BadValue as problem:
            statement.broken = True
            self._bad(statement, word, problem)
            return None
        for remark in remarks:
            at = self._at(statement, word)
            self._complaints.warning(f"{statement.keyword.name}: {remark}", at, trouble=Trouble.INVALID_VALUE)
        return value

    def _bad(self, statement: Statement, word: Word, problem: BadValue, hint: str = "") -> None:
        secret = statement.keyword.block in SECRET_BLOCKS
        shown = HIDDEN if secret else shortened(word.text)
        hint = hint or ("" if secret else habit_hint(word.text))
        if not secret and not hint and problem.choices:
            near = difflib.get_close_matches(word.text, problem.choices, n=1, cutoff=0.5)
            hint = f"did you mean '{near[0]}'?" if near else ""
        message = f"{statement.keyword.name}: '{shown}' is not {_article(problem.expected)}"
        if problem.reason:
            message += f": {problem.reason}"
        self._complaints.error(message, self._at(statement, word), hint=hint, trouble=Trouble.INVALID_VALUE)

    def _missing(self, statement: Statement, argument: Argument) -> None:
        statement.broken = True
        keyword = statement.keyword
        message = f"'{keyword.name}' is missing its parameter: {argument.expected()}"
        usage = f"{keyword.name} {keyword.syntax()}"
        at = self._at(statement, statement.line.words[-1])
        self._complaints.error(message, at, hint=f"usage: {usage}", trouble=Trouble.MISSING_PARAMETER)

    def _ignored(self, statement: Statement, used: int) -> None:
        extra = statement.line.words[used:]
        text = (
            "" if statement.keyword.block in SECRET_BLOCKS else f": {shortened(' '.join(word.text for word in extra))}"
        )
        message = f"words after '{statement.keyword.name}' are ignored{text}"
        hint = habit_hint(extra[0].text) or habit_hint(statement.line.words[used - 1].text)
        self._complaints.warning(message, self._at(statement, extra[0]), hint=hint)

    def _at(self, statement: Statement, word: Word) -> Location:
        return self.place_of(statement.line, statement.keyword.block, word)

    # -------------------------------------------------------------------------------------------- options

    def _options(
        self, statement: Statement, vocabulary: Vocabulary, start: int, *, quiet: bool, hint: str = ""
    ) -> None:
        words = statement.line.words
        hop, encap = "", ""
        bare = list(vocabulary.bare)
        at = start
        while at < len(words) and not statement.broken:
            text = words[at].text
            option = vocabulary.words.get(encap + text) if encap else None
            if option is None:  # the first word that is none of its options ends an encap
                encap = ""
                option = vocabulary.words.get(hop + text) or vocabulary.words.get(text)
            if option is None:
                at = self._bare(statement, vocabulary, bare, at, hint)
                continue
            first = at
            at += 1
            while at < len(words) and words[at].text in option.leading:
                at += 1
            leading = tuple(word.text for word in words[first + 1 : at])
            values, at = self._arguments(statement, option.arguments, words, at)
            if statement.broken:
                return  # an option without its value is not there at all: builders may rely on it
            statement.set_option(option.canonical, values)
            tail = ""
            if option.acts is not NOW and not quiet:
                self._complaints.later(option, self._at(statement, words[at - 1]))
            if option.name == "encap" and values:
                encap = f"encap {values[0]}: "
                if values[0] in _ENCAP_WITH_VALUE and at < len(words):
                    tail = words[at].text
                    at += 1
            elif option.name == "nexthop":
                hop = "nexthop: "
            self._say(statement, option, Said(option.canonical, values, leading, tail, words[first].column))

    def _say(self, statement: Statement, option: Keyword, said: Said) -> None:
        if option.block.endswith(_ORDERED):
            statement.say(said)
        if option.deprecated:
            at, hint = replace(statement.at, column=said.column), f"use {option.deprecated}"
            self._complaints.warning(f"'{option.name}' is deprecated", at, hint=hint, trouble=Trouble.DEPRECATED)

    def _bare(self, statement: Statement, vocabulary: Vocabulary, bare: list[Keyword], at: int, hint: str) -> int:
        """A word that is no option: the first bare option that it fits. The index after what was used."""
        words = statement.line.words
        problem: BadValue | None = None
        for option in bare:
            try:
                read_value(option.arguments[0], words[at].text, [])
            except BadValue as error:
                problem = problem or error
                continue
            bare.remove(option)
            values, used = self._arguments(statement, option.arguments, words, at)
            statement.set_option(option.canonical, values)
            self._say(statement, option, Said(option.canonical, values, (), "", words[at].column))
            return used
        statement.broken = True
        word = words[at]
        nearest = vocabulary.nearest(word.text)
        if problem is not None and not nearest:
            self._bad(statement, word, problem, hint)
            return at + 1
        self._complaints.error(
            f"unknown option '{shortened(word.text)}' in {statement.keyword.name}",
            self._at(statement, word),
            hint=hint or (f"did you mean '{nearest}'?" if nearest else habit_hint(word.text) or self._as_option(word)),
            trouble=Trouble.UNKNOWN_KEYWORD,
        )
        return at + 1


def _is_script(keyword: Keyword) -> bool:
    return bool(keyword.arguments) and keyword.arguments[0].kind is Kind.SCRIPT and keyword.form is Form.KEYWORD


def _article(expected: str) -> str:
    if expected.startswith(("on,", "one of")):
        return expected
    return f"an {expected}" if expected.startswith(_VOWELS) else f"a {expected}"


def shortened(text: str) -> str:
    """At most 60 characters of a word, for messages."""
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."
