"""Characters of one line: comments, quotes, braces, words. Knows no files, no definitions, no keywords' meaning.

A `Text` carries, beside its characters, the column of the physical line that each of them came from, so that a word
can still be pointed at after comments were cut and definitions expanded (grammar.md sections 2, 3 and 5).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from pyhad.common.config.source import LineKind, Piece, Word
from pyhad.common.records import dataclass

BLANKS = " \t\f\n\r\v"

_COMMENT = re.compile(r'["#!\\]')
_BRACE = re.compile(r'["\\{}]')
_WORD = re.compile(r'"([^"]*)("?)|[^ \t\f\n\r\v"]+')
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?:[ \t]+[^{}\"]*)?\}")
_NOT_PLAIN = re.compile(r"[$@~\\\0]|include|random_seed")
_SIMPLE = re.compile(r"([\w.:/ \t-]*)([{}]?)[ \t]*\Z", re.ASCII)
"""Nearly every line: words without quotes, and perhaps a brace at its end."""
_SIMPLE_WORD = re.compile(r"[^ \t]+")


@dataclass(frozen=True, slots=True)
class Text:
    """Characters with the 1-based physical column of each; `columns` is as long as `text`."""

    text: str
    columns: Sequence[int]

    @classmethod
    def of_line(cls, line: str) -> Text:
        """A physical line as it stands."""
        return cls(line, range(1, len(line) + 1))

    def cut(self, start: int, end: int | None = None) -> Text:
        """The part from `start` to `end`, without blanks at either side."""
        part = self.text[start:end]
        first = start + len(part) - len(part.lstrip(BLANKS))
        part = part.strip(BLANKS)
        return Text(part, self.columns[first : first + len(part)])

    def without(self, positions: Sequence[int]) -> Text:
        """The text less the characters at `positions` (ascending)."""
        keep = set(range(len(self.text))).difference(positions)
        order = sorted(keep)
        return Text("".join(self.text[i] for i in order), [self.columns[i] for i in order])

    def replaced(self, start: int, end: int, new: str) -> Text:
        """`new` in place of what lies between; all of it has the column where the old began."""
        column = self.columns[start]
        columns = [*self.columns[:start], *([column] * len(new)), *self.columns[end:]]
        return Text(self.text[:start] + new + self.text[end:], columns)

    def column(self, position: int) -> int:
        """Physical column of a position; just behind the last character when it lies beyond."""
        if position < len(self.columns):
            return self.columns[position]
        return self.columns[-1] + 1 if self.columns else 1


def without_comment(text: Text) -> tuple[Text, int | None]:
    """Cut the comment and outer blanks; turn `\\#` and `\\!` into the character (grammar.md section 2).

    The second value is the position in `text` of a quote that nobody closes; everything from it on is dropped.
    A backslash keeps the next character from opening or closing a string.
    """
    line = text.text
    escapes: list[int] = []
    opened = -1
    position, end = 0, len(line)
    while match := _COMMENT.search(line, position):
        at = match.start()
        position = at + 1
        char = line[at]
        if char == "\\":
            if opened < 0 and line[at + 1 : at + 2] in ("#", "!"):
                escapes.append(at)
            position = at + 2
        elif char == '"':
            opened = at if opened < 0 else -1
        elif opened < 0:
            end = at
            break
    unclosed = None
    if opened >= 0:
        unclosed, end = opened, opened
    if not escapes:
        return text.cut(0, end), unclosed
    kept = Text(line[:end], text.columns[:end]).without(escapes)
    return kept.cut(0), unclosed


def with_final_backslash(text: Text) -> Text:
    """A backslash at the end joins the word before it, blanks or not (grammar.md section 7)."""
    end = len(text.text) - 1
    return text.without(range(len(text.text[:end].rstrip(BLANKS)), end))


def find_brace(line: str) -> tuple[int, list[tuple[int, str]]]:
    """Position of the first brace outside a string, -1 without one; and the `${NAME}`s passed on the way.

    The braces of a `${NAME}` that nothing has expanded belong to the name: they open no block.
    """
    references: list[tuple[int, str]] = []
    quoted = False
    position = 0
    while match := _BRACE.search(line, position):
        at = match.start()
        position = at + 1
        char = line[at]
        if char == "\\":
            position = at + 2
        elif char == '"':
            quoted = not quoted
        elif not quoted:
            reference = _REFERENCE.match(line, at - 1) if at and char == "{" else None
            if reference is None:
                return at, references
            references.append((at - 1, reference[1]))
            position = reference.end()
    return -1, references


def is_scripted(keyword: str) -> bool:
    """Whether the keyword's line is split a second time, for a program (grammar.md section 4)."""
    return keyword in _SCRIPTED or keyword.startswith("notify")


_SCRIPTED = frozenset(
    {
        "quorum_up",
        "quorum_down",
        "startup_script",
        "shutdown_script",
        "vrrp_notify_fifo_script",
        "lvs_notify_fifo_script",
        "script",
        "misc_path",
        "regex",
    }
)


def split_words(text: Text) -> tuple[tuple[Word, ...], int | None]:
    """The words of one keyword line, and the position of a quote without its partner (grammar.md section 3).

    No escapes here: a string ends at the next `"`. Behind the second word of a scripted keyword a lone quote is
    no error, since its line is split again by other rules.
    """
    words: list[Word] = []
    columns = text.columns
    for match in _WORD.finditer(text.text):
        inside = match[1]
        if inside is None:
            words.append(Word(sys.intern(match[0]), columns[match.start()]))
        elif match[2]:
            words.append(Word(inside, columns[match.start()], True))
        else:
            excused = len(words) >= 2 and is_scripted(words[0].text)
            return tuple(words), None if excused else match.start()
    return tuple(words), None


def brace_piece(text: Text, position: int) -> Piece:
    """The piece of a brace that stands at `position`."""
    char = text.text[position]
    kind = LineKind.OPEN if char == "{" else LineKind.CLOSE
    column = text.column(position)
    return Piece(kind, (Word(char, column),), char, column)


def plain_pieces(line: str) -> tuple[Piece, ...] | None:
    """All pieces of a physical line that means the same wherever it stands; None: it needs the long way.

    Plain is what has no definition, condition, sequence, include or backslash in it, and closed strings.
    """
    if _NOT_PLAIN.search(line):
        return None
    if simple := _SIMPLE.match(line):
        return _simple_pieces(simple[1], simple[2])
    text, unclosed = without_comment(Text.of_line(line))
    if unclosed is not None:
        return None
    pieces: list[Piece] = []
    while text.text:
        brace, _ = find_brace(text.text)
        part = text if brace < 0 else text.cut(0, brace)
        if part.text:
            words, unmatched = split_words(part)
            if unmatched is not None:
                return None
            pieces.append(Piece(LineKind.TEXT, words, part.text, part.columns[0]))
        if brace < 0:
            break
        pieces.append(brace_piece(text, brace))
        text = text.cut(brace + 1)
    return tuple(pieces)


def _simple_pieces(text: str, brace: str) -> tuple[Piece, ...]:
    """The same by a short way: the column of a character is its place in the line."""
    words = tuple(Word(sys.intern(match[0]), match.start() + 1) for match in _SIMPLE_WORD.finditer(text))
    pieces: list[Piece] = []
    if words:
        pieces.append(Piece(LineKind.TEXT, words, text.strip(BLANKS), words[0].column))
    if brace:
        column = len(text) + 1
        kind = LineKind.OPEN if brace == "{" else LineKind.CLOSE
        pieces.append(Piece(kind, (Word(brace, column),), brace, column))
    return tuple(pieces)
