"""The lexical language of keepalived.conf: files in, Lines and Diagnostics out. Knows no keyword's meaning.

What comes out, for the grammar:

- One Line per keyword line and per brace, in order, comments gone, definitions expanded, includes in their places.
- OPEN and CLOSE lines stand where the braces stood, and **they always balance**: a `}` that closes nothing is reported
  here (Trouble.BRACE) and dropped; a `{` that nothing closes is reported here at the line of its block, and the missing
  CLOSE lines come at the end. So a keyword block without its `{` (which only the grammar can know) has no CLOSE either.
- `at.text` is the physical line, `at.column` and `Word.column` count in it. What a definition put in has the column of
  its `$`. `at.via` tells how reading came there, outermost first.
- `raw` is the line after substitution, for `commands.split_command`; a column c in it is about `at.column + c - 1`.

Order of work on a line: grammar.md section 1.5. Two words are read here that belong to the grammar as well, because
they change what comes after them: `include_check` and `random_seed` directly in `global_defs`.

Nothing raises for bad input, and everything is bounded: files, lines, depth, substitutions, findings.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

from pyhad.common.config.definitions import (
    DEFINITION,
    Definition,
    Definitions,
    Expansion,
    StoredLine,
    Unfinished,
)
from pyhad.common.config.includes import ALL_CHECKS, FIRST_FILE_CHECKS, FORMS, Check, apply_include_check, decode
from pyhad.common.config.reading_findings import Findings, Place, ReadingStopped
from pyhad.common.config.reading_output import Output
from pyhad.common.config.reading_sources import File, Includes, Produced, Sources
from pyhad.common.config.sequences import SEQUENCE, parse_sequence
from pyhad.common.config.source import Diagnostic, Line, LineKind, Location, Piece, Severity, Trouble, Word
from pyhad.common.config.words import (
    BLANKS,
    Text,
    brace_piece,
    find_brace,
    plain_pieces,
    split_words,
    with_final_backslash,
    without_comment,
)
from pyhad.common.errors import ConfigError
from pyhad.common.records import dataclass, field

_CONDITION = re.compile(r"@(\^?)([^ \t\f\r\v]*)")
_INCLUDE = re.compile(r"(include[rmwba]?)(?:[ \t\f\r\v]+|\Z)")
_CLOSING = re.compile(r"(?:[ \t]+\})+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderOptions:
    """How to read: `config_id` decides `@ID` lines and is `${_INSTANCE}`; `include_all` is `-e`.

    `random_seed` makes `${_RANDOM}` repeatable. The rest are bounds; `max_expanded` is that of the lines which
    definitions and sequences produce.
    """

    config_id: str
    include_all: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    random_seed: int | None = None
    max_files: int = 1000
    max_lines: int = 2_000_000
    max_depth: int = 64
    max_expanded: int = 250_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A configuration as balanced Lines; `files` are those read, in order, absolute."""

    lines: Sequence[Line]
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...]


def read(pattern: str, options: ReaderOptions) -> Reading:
    """Read the configuration that `-f PATTERN` means: a path or a shell glob (CLI-1). Never raises for bad input."""
    reader = _Reader(options)
    shown = os.fsencode(pattern).decode("utf-8", "replace")
    reader.sources.include(Text.of_line(pattern), Place(shown, 1, ""), FIRST_FILE_CHECKS)
    return reader.run()


def read_text(text: str, name: str, options: ReaderOptions) -> Reading:
    """Read `text` as if it were the file `name`; includes are relative to the working directory."""
    reader = _Reader(options)
    loaded = decode(text.encode("utf-8", "replace"), name, (0, 0))
    reader.sources.push_file(loaded, os.getcwd(), Place(name, 1, ""))
    return reader.run()


class _Reader:
    """One reading: a stack of what gives lines, and what they became."""

    def __init__(self, options: ReaderOptions) -> None:
        self._options = options
        self._findings = Findings()
        checks = ALL_CHECKS if options.include_all else Check.NONE
        bounds = (options.max_files, options.max_lines, options.max_depth)
        self.sources = Sources(*bounds, checks, self._findings)
        self._output = Output(options.max_lines, self._findings)
        self._definitions = Definitions(
            instance=options.config_id,
            directory=self.sources.real_directory,
            environment=options.environment,
            seed=options.random_seed,
            findings=self._findings,
        )
        self._unfinished: Unfinished | None = None
        self._plain: dict[str, tuple[Piece, ...] | None] = {}
        self._expanded = 0

    def run(self) -> Reading:
        """Read until nothing gives lines any more."""
        stack = self.sources.stack
        is_whole = False
        try:
            while stack:
                top = stack[-1]
                match top:
                    case File():
                        self._read_file(top)
                    case Produced():
                        self._read_produced(top)
                    case Includes():
                        self.sources.read_next(top)
                    case _:
                        assert_never(top)
            is_whole = True
        except ReadingStopped:
            pass
        lines = self._output.finish(quietly=not is_whole)
        return Reading(lines=lines, diagnostics=tuple(self._findings.diagnostics), files=tuple(self.sources.files))

    def _read_file(self, file: File) -> None:
        """Take lines from `file` until it ends or something is to be read before its next line."""
        loaded, plain, stack, emit = file.loaded, self._plain, self.sources.stack, self._output.emit
        lines, path, via, too_long = loaded.lines, loaded.path, file.via, loaded.too_long
        for index in range(file.index, len(lines)):
            line = lines[index]
            pieces = plain.get(line)
            if too_long and index in too_long:
                file.say_too_long(index, self._findings)
                continue
            if pieces is None and line not in plain:
                pieces = plain[line] = plain_pieces(line)
            if pieces is not None and self._unfinished is None:
                for piece in pieces:
                    emit(piece, path, index + 1, line, via)
                continue
            file.index = index + 1
            self._take_physical(line, file.place(index))
            if stack[-1] is not file:
                return
        if self._unfinished is not None:
            self._finish_at_end(self._unfinished)
        stack.pop()

    def _read_produced(self, top: Produced) -> None:
        stack = self.sources.stack
        for text, place in top.lines:
            self._expanded += 1
            if self._expanded > self._options.max_expanded:
                message = f"definitions and sequences make more than {self._options.max_expanded} lines"
                self._findings.stop(message, place.at(1))
            self._process(text, place)
            if stack[-1] is not top:
                return
        stack.pop()

    def _take_physical(self, line: str, place: Place) -> None:
        if "\0" in line:
            self._error(Trouble.GENERAL, "the line has a NUL character: ignored", place.at(line.index("\0") + 1))
            return
        text, unclosed = without_comment(Text.of_line(line))
        if unclosed is not None:
            self._error(Trouble.QUOTE, 'the quote " is not closed', place.at(unclosed + 1))
        if self._unfinished is not None:
            if text.text or not line.strip(BLANKS):
                self._continue_definition(self._unfinished, text, place)
        elif text.text:
            self._process(text, place)

    # ------------------------------------------------------------------------------ one line's work

    def _process(self, text: Text, place: Place) -> None:
        """All rules but the first comment pass, in their order, on one line and what is left of it."""
        is_expanded = False
        while text.text:
            if self._unfinished is not None:
                self._continue_definition(self._unfinished, text, place)
                return
            if text.text[0] == "@":
                text = self._kept_by_condition(text, place)
                if not text.text:
                    return
            if text.text[0] == "$" and (definition := DEFINITION.match(text.text)):
                self._define(definition[1], text.cut(definition.end()), text.columns[0], place)
                return
            if text.text[0] == "~" and (sequence := SEQUENCE.match(text.text)):
                self._repeat(sequence, text, place)
                return
            if "$" in text.text and not is_expanded:
                before = text
                text, place, is_expanded = self._expand(text, place)
                if text is not before:
                    continue
            if include := _INCLUDE.match(text.text):
                text = self._include_line(include, text, place)
            else:
                text = self._emit_first(text, place)

    def _kept_by_condition(self, text: Text, place: Place) -> Text:
        """What `@ID` or `@^ID` lets through, perhaps nothing (section 6)."""
        match = _CONDITION.match(text.text)
        assert match is not None
        rest = text.cut(match.end())
        if (match[2] != self._options.config_id) == bool(match[1]):
            return rest
        if DEFINITION.match(rest.text) and rest.text.endswith("\\"):
            # The further lines of a definition go the way of its first.
            self._unfinished = Unfinished("", place, text.columns[0], [])
        return Text("", ())

    def _define(self, name: str, value: Text, column: int, place: Place) -> None:
        if value.text.endswith("\\"):
            first = value.cut(0, len(value.text) - 1)
            lines = [StoredLine(first, place)] if first.text else []
            self._unfinished = Unfinished(name, place, column, lines)
        else:
            self._definitions.set(name, Definition(value.text, place))

    def _continue_definition(self, unfinished: Unfinished, text: Text, place: Place) -> None:
        goes_on = text.text.endswith("\\")
        if goes_on:
            text = text.cut(0, len(text.text) - 1)
        if text.text:
            unfinished.lines.append(StoredLine(text, place))
        if not goes_on:
            self._finish(unfinished)

    def _finish(self, unfinished: Unfinished) -> None:
        self._unfinished = None
        if unfinished.name:
            definition = Definition("", unfinished.place, tuple(unfinished.lines), is_multiline=True)
            self._definitions.set(unfinished.name, definition)

    def _finish_at_end(self, unfinished: Unfinished) -> None:
        self._finish(unfinished)
        if unfinished.name:
            message = f"the file ends within the definition of ${unfinished.name}"
            at = unfinished.place.at(unfinished.column)
            self._findings.add(Severity.WARNING, Trouble.GENERAL, message, at, "its last line must not end with \\")

    def _repeat(self, match: re.Match[str], text: Text, place: Place) -> None:
        """`~SEQ(...) rest`: the rest once per value (section 8)."""
        end = text.text.find(")", match.end())
        at = place.at(text.columns[0])
        invalid = f"invalid ~{match[1]}: "
        if end < 0:
            self._error(Trouble.GENERAL, invalid + "its parenthesis is not closed", at)
            return
        inside = text.cut(match.end(), end)
        if "$" in inside.text:
            expansion = self._substitute(inside, place)
            if expansion.name:
                self._error(Trouble.GENERAL, invalid + f"${expansion.name} has several lines", at)
                return
            inside = expansion.text
        try:
            sequence = parse_sequence(match[1], inside.text)
        except ConfigError as error:
            self._error(Trouble.GENERAL, invalid + error.message, at, error.hint)
            return
        rest = text.cut(end + 1)

        def lines() -> Iterator[tuple[Text, Place]]:
            for values in sequence.values():
                pairs = tuple(zip(sequence.names, values, strict=True))
                for name, value in pairs:
                    self._definitions.set(name, Definition(value, place, by_sequence=True))
                how = f"~{match[1]} with {', '.join(f'{name}={value}' for name, value in pairs)}"
                yield rest, place.reached(place.step(how))

        self.sources.push(Produced(lines()), place)

    def _expand(self, text: Text, place: Place) -> tuple[Text, Place, bool]:
        """The line after substitution and a second comment pass, and whether that was all there is to expand."""
        expansion = self._substitute(text, place)
        if not expansion.changed:
            return text, place, True
        if expansion.name:
            if self.sources.is_using(expansion.name):
                message = f"the definition ${expansion.name} leads to itself"
                self._error(Trouble.GENERAL, message, place.at(text.columns[0]))
                return Text("", ()), place, True
            via = (*place.via, place.step(f"${expansion.name} used"))
            following = (
                (line.text, Place(line.place.file, line.place.line, line.place.text, via))
                for line in expansion.following
            )
            # Below what the first line may bring: it is worked on before these are taken.
            self.sources.push(Produced(following, expansion.name), place)
        if expansion.used:
            places = [self._definitions[name].place for name in expansion.used[:4]]
            said = [there.step(f"${name} set") for name, there in zip(expansion.used, places, strict=False)]
            place = place.reached(*said)
        cleaned, unclosed = without_comment(expansion.text)
        if unclosed is not None:
            column = expansion.text.column(unclosed)
            self._error(Trouble.QUOTE, 'the quote " is not closed once definitions are expanded', place.at(column))
        return cleaned, place, expansion.is_final

    def _substitute(self, text: Text, place: Place) -> Expansion:
        try:
            return self._definitions.substitute(text, place)
        except ConfigError as error:
            self._findings.stop(error.message, place.at(text.column(0)), error.hint)

    # ------------------------------------------------------------------------------------ includes

    def _include_line(self, match: re.Match[str], text: Text, place: Place) -> Text:
        """An `include` at the beginning of a statement; what stands behind it waits until its files are read."""
        pattern = text.cut(match.end())
        at = place.at(text.columns[0])
        if pattern.text[:1] == pattern.text[-1:] == '"' and len(pattern.text) > 2:
            rest, pattern = Text("", ()), pattern.cut(1, len(pattern.text) - 1)
        else:
            # A closing brace at the end, standing by itself, closes the block around the include.
            closing = _CLOSING.search(pattern.text)
            end = closing.start() if closing else len(pattern.text)
            rest, pattern = pattern.cut(end), pattern.cut(0, end)
        if not pattern.text:
            self._error(Trouble.GENERAL, f"{match[1]} names no file", at)
            return rest
        if rest.text:
            self.sources.push(Produced(iter(((rest, place),))), place)
        file = self.sources.file()
        checks = FORMS[match[1]] | (file.checks if file else Check.NONE)
        self.sources.include(pattern, place, checks)
        return Text("", ())

    # -------------------------------------------------------------------------------- what comes out

    def _emit_first(self, text: Text, place: Place) -> Text:
        """Give the words up to the first brace, and the brace; what is left is a statement of its own."""
        brace, references = find_brace(text.text)
        for position, name in references:
            self._say_unknown(name, place.at(text.column(position)))
        part = text if brace < 0 else text.cut(0, brace)
        if part.text.endswith("\\") and brace < 0:
            at = place.at(part.columns[-1])
            message = "a \\ at the end of a line is part of its last word"
            hint = "only definitions of several lines go on behind it"
            self._findings.add(Severity.WARNING, Trouble.GENERAL, message, at, hint)
            part = with_final_backslash(part)
        if part.text:
            words, unmatched = split_words(part)
            if unmatched is not None:
                self._error(Trouble.QUOTE, 'the quote " has no partner', place.at(part.column(unmatched)))
            if words:
                piece = Piece(LineKind.TEXT, words, part.text, part.columns[0])
                self._output.emit(piece, place.file, place.line, place.text, place.via)
                self._obey(words)
        if brace < 0:
            return Text("", ())
        piece = brace_piece(text, brace)
        self._output.emit(piece, place.file, place.line, place.text, place.via)
        return text.cut(brace + 1)

    def _obey(self, words: tuple[Word, ...]) -> None:
        """The two words of `global_defs` that change how the rest is read (sections 7 and 9)."""
        keyword = words[0].text
        if keyword not in ("include_check", "random_seed") or not self._output.is_directly_in("global_defs"):
            return
        file = self.sources.file()
        if keyword == "include_check" and file is not None:
            file.checks = apply_include_check(file.checks, [word.text for word in words[1:]])
        elif len(words) > 1 and re.fullmatch(r"[0-9]{1,10}", words[1].text):
            self._definitions.seed(int(words[1].text))

    # --------------------------------------------------------------------------------------- messages

    def _say_unknown(self, name: str, at: Location) -> None:
        if name not in self._definitions:
            near = self._definitions.nearest(name)
            hint = f"${{{near}}} is" if near else "put the word in double quotes if it is meant as it stands"
            self._error(Trouble.GENERAL, f"${{{name}}} is not defined", at, hint)

    def _error(self, trouble: Trouble, message: str, at: Location, hint: str = "") -> None:
        self._findings.error(trouble, message, at, hint)
