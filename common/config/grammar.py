"""Lines to a tree of checked statements, driven by the keyword table. All errors in one run; gives no meaning.

Recovery is what makes the second error worth reading: an unknown block is skipped whole, a missing brace is taken
as there, and a top-level block found inside another one closes it. Depth is bounded by the table: no block can stand
in itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pyhad.common.config import keywords
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.habits import habit_hint
from pyhad.common.config.keyword import NOW, Acts, Form, Keyword
from pyhad.common.config.keywords import ROOT, SECRET_BLOCKS, VOCABULARIES, Vocabulary
from pyhad.common.config.line_words import LineReader, shortened
from pyhad.common.config.secrets import HIDDEN
from pyhad.common.config.source import Line, LineKind, Piece, Trouble
from pyhad.common.config.tree import Statement

_ROOT_KEYWORD = Keyword(name=ROOT, arguments=(), default="-", meaning="", form=Form.BLOCK, acts=NOW, opens=ROOT)


def parse(lines: Sequence[Line], complaints: Complaints) -> Statement:
    """The tree of a whole configuration. Never raises for what the file holds."""
    return _Grammar(lines, complaints).run()


class _Grammar:
    def __init__(self, lines: Sequence[Line], complaints: Complaints) -> None:
        self._lines = lines
        self._complaints = complaints
        self._words = LineReader(complaints)
        self._next = 0
        self._open: list[Statement] = []
        self._unwinding = False
        self._closed_early = 0

    def run(self) -> Statement:
        nowhere = Line(Piece(LineKind.TEXT, (), "", 1), "", 0, "")
        root = Statement(_ROOT_KEYWORD, nowhere)
        while self._next < len(self._lines):
            if self._body(root, quiet=False):
                self._stray_close(self._lines[self._next - 1])
            self._unwinding = False
        return root

    def _stray_close(self, line: Line) -> None:
        if self._closed_early:
            self._closed_early -= 1
        else:
            self._complaints.error("extra '}': no block is open here", line.at, trouble=Trouble.BRACE)

    # --------------------------------------------------------------------------------------------- blocks

    def _body(self, owner: Statement, *, quiet: bool, implied: bool = False) -> bool:
        """Statements up to the CLOSE that ends them; whether there was one. `implied`: the OPEN is missing."""
        vocabulary = VOCABULARIES[owner.keyword.opens]
        lines = self._lines
        while self._next < len(lines) and not self._unwinding:
            line = lines[self._next]
            if line.piece.kind is LineKind.TEXT:
                if implied:
                    first = line.words[0].text
                    if first not in vocabulary.words and first in self._enclosing().words:
                        return False
                self._statement(owner, vocabulary, line, quiet=quiet)
                continue
            self._next += 1
            if line.piece.kind is LineKind.CLOSE:
                return True
            self._complaints.error("unexpected '{'", line.at, trouble=Trouble.BRACE)
            self._skip_rest()
        return False

    def _statement(self, owner: Statement, vocabulary: Vocabulary, line: Line, *, quiet: bool) -> None:
        keyword = vocabulary.words.get(line.words[0].text)
        if keyword is None:
            self._unknown(owner, vocabulary, line)
            return
        self._next += 1
        statement = Statement(keyword, line)
        owner.add((statement,))
        self._words.header(statement)
        if not quiet:
            self._acted_on(statement)
        self._deprecated(statement)
        if keyword.form is Form.BLOCK or keyword.form is Form.VALUE_BLOCK:
            self._enter(statement, quiet=quiet or keyword.acts is not NOW)
        elif self._at_open():
            self._complaints.error(
                f"unexpected '{{' after '{keyword.name}', which opens no block",
                self._lines[self._next].at,
                trouble=Trouble.BRACE,
            )
            self._next += 1
            self._skip_rest()
        if statement.broken:
            owner.spoil(keyword.canonical)

    def _acted_on(self, statement: Statement) -> None:
        keyword = statement.keyword
        if keyword.acts is Acts.LATER or keyword.acts is Acts.LOUD:
            self._complaints.later(keyword, statement.at)

    def _deprecated(self, statement: Statement) -> None:
        keyword = statement.keyword
        if keyword.deprecated:
            instead = keyword.deprecated
            hint = "" if instead == "nothing" else f"use {instead}"
            message = f"'{keyword.name}' is deprecated"
            self._complaints.warning(message, statement.at, hint=hint, trouble=Trouble.DEPRECATED)

    def _enter(self, statement: Statement, *, quiet: bool) -> None:
        opened = self._at_open()
        if opened:
            self._next += 1
        else:
            self._complaints.error(f"missing '{{' after '{_title(statement)}'", statement.at, trouble=Trouble.BRACE)
        self._open.append(statement)
        if statement.keyword.form is Form.BLOCK:
            self._body(statement, quiet=quiet, implied=not opened)
        elif opened or not self._at_word_of(self._enclosing()):
            self._entries(statement, quiet=quiet)
        self._open.pop()

    def _entries(self, owner: Statement, *, quiet: bool) -> None:
        """Free lines of a value block, up to the CLOSE that ends them."""
        while self._next < len(self._lines):
            line = self._lines[self._next]
            if line.kind is LineKind.TEXT and self._is_left_open(line):
                self._close_all(line)
                return
            self._next += 1
            if line.kind is LineKind.CLOSE:
                return
            if line.kind is LineKind.OPEN:
                self._complaints.error(f"unexpected '{{' in '{owner.keyword.name}'", line.at, trouble=Trouble.BRACE)
                self._skip_rest()
                continue
            entry = Statement(owner.keyword, line)
            self._words.entry(entry, self._enclosing(), quiet=quiet)
            owner.add((entry,))
            owner.broken = owner.broken or entry.broken

    def _enclosing(self) -> Vocabulary:
        return VOCABULARIES[self._open[-2].keyword.opens if len(self._open) > 1 else ROOT]

    # ------------------------------------------------------------------------------------------- recovery

    def _at_open(self) -> bool:
        return self._next < len(self._lines) and self._lines[self._next].piece.kind is LineKind.OPEN

    def _at_word_of(self, vocabulary: Vocabulary) -> bool:
        if self._next >= len(self._lines) or self._lines[self._next].kind is not LineKind.TEXT:
            return True
        return self._lines[self._next].words[0].text in vocabulary.words

    def _is_left_open(self, line: Line, *, surely: bool = False) -> bool:
        """A block of the top level begins here although another one is open: a '}' is missing before.

        `surely`: the word cannot be anything else, so it counts without its '{'.
        """
        keyword = VOCABULARIES[ROOT].words.get(line.words[0].text)
        if keyword is None or keyword.form not in (Form.BLOCK, Form.VALUE_BLOCK) or not self._open:
            return False
        if surely and (keyword.form is Form.BLOCK or len(line.words) > 1):
            return True
        following = self._next + 1
        return following < len(self._lines) and self._lines[following].kind is LineKind.OPEN

    def _close_all(self, line: Line) -> None:
        innermost = self._open[-1]
        self._complaints.error(
            f"missing '}}': '{_title(innermost)}' of line {innermost.at.line} is still open here",
            line.at,
            hint=f"close it before '{line.words[0].text}'",
            trouble=Trouble.BRACE,
        )
        self._closed_early += len(self._open)
        self._unwinding = True

    def _unknown(self, owner: Statement, vocabulary: Vocabulary, line: Line) -> None:
        if self._is_left_open(line, surely=True):
            self._close_all(line)
            return
        self._next += 1
        word = shortened(line.words[0].text)
        nearest = vocabulary.nearest(word)
        hint = f"did you mean '{nearest}'?" if nearest else ""
        homes = [home for home in keywords.blocks_with(word) if home != vocabulary.block]
        homes.sort(key=lambda home: not vocabulary.block.startswith(f"{home}."))  # the blocks around come first
        if homes:
            where = ", ".join("the top level" if home == ROOT else home for home in homes[:3])
            hint = f"'{word}' belongs in {where}"
        hint = habit_hint(word) or hint
        place = "at the top level" if vocabulary.block == ROOT else f"in {vocabulary.block}"
        owner.spoil(nearest)
        where_at = self._words.place_of(line, vocabulary.block)
        if vocabulary.block in SECRET_BLOCKS and not nearest:
            # It may be the secret itself, on a line of its own.
            word, where_at = HIDDEN, replace(where_at, text=HIDDEN, column=1)
        self._complaints.error(
            f"unknown keyword '{word}' {place}", where_at, hint=hint, trouble=Trouble.UNKNOWN_KEYWORD
        )
        if self._at_open():
            self._next += 1
            self._skip_rest()

    def _skip_rest(self) -> None:
        """Everything up to the CLOSE of the block whose OPEN was just taken."""
        depth = 1
        while depth and self._next < len(self._lines):
            kind = self._lines[self._next].kind
            depth += (kind is LineKind.OPEN) - (kind is LineKind.CLOSE)
            self._next += 1


def _title(statement: Statement) -> str:
    return " ".join(shortened(word.text) for word in statement.line.words[:3])
