"""Where lines come from: files, includes still to be read, and what definitions and sequences produce.

A stack, innermost last. Opens files and bounds their number, depth and size; understands no line.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from pyhad.common.config.definitions import MAX_LINE_BYTES
from pyhad.common.config.includes import Check, Loaded, TooLarge, find_files, load
from pyhad.common.config.reading_findings import Findings, Place
from pyhad.common.config.source import Severity, Trouble
from pyhad.common.config.words import BLANKS, Text
from pyhad.common.errors import ConfigError
from pyhad.common.records import dataclass


@dataclass(slots=True)
class File:
    """A file being read: the next line to take is `index`. `checks` are those of its plain `include`s."""

    loaded: Loaded
    directory: str
    real_directory: str
    via: tuple[str, ...]
    checks: Check
    index: int = 0

    def place(self, index: int) -> Place:
        """The physical line at `index`."""
        return Place(self.loaded.path, index + 1, self.loaded.lines[index], self.via)

    def say_too_long(self, index: int, findings: Findings) -> None:
        """Report the line at `index`; a comment loses nothing by being ignored."""
        text = self.loaded.lines[index]
        severity = Severity.WARNING if text.lstrip(BLANKS)[:1] in ("#", "!") else Severity.ERROR
        at = Place(self.loaded.path, index + 1, text[:MAX_LINE_BYTES], self.via).at(1)
        findings.add(severity, Trouble.GENERAL, f"the line is longer than {MAX_LINE_BYTES} bytes: ignored", at)


@dataclass(slots=True)
class Produced:
    """Lines that a multi-line definition (then `name` is its name), a sequence or the rest of a line still gives."""

    lines: Iterator[tuple[Text, Place]]
    name: str = ""


@dataclass(slots=True)
class Includes:
    """Files that one include still has to read."""

    paths: Iterator[str]
    place: Place
    column: int
    checks: Check


class Sources:
    """The stack. `files` are the paths read so far; `checks` what a plain include of the present file must satisfy."""

    def __init__(self, max_files: int, max_lines: int, max_depth: int, checks: Check, findings: Findings) -> None:
        self.stack: list[File | Produced | Includes] = []
        self.files: list[str] = []
        self._first_checks = checks
        self._max_files = max_files
        self._lines_left = max_lines
        self._max_depth = max_depth
        self._findings = findings

    def file(self) -> File | None:
        """The file that is being read."""
        return next((entry for entry in reversed(self.stack) if isinstance(entry, File)), None)

    def real_directory(self) -> str:
        """Directory of the file that is being read, links resolved: `${_PWD}`."""
        file = self.file()
        return file.real_directory if file else ""

    def is_using(self, name: str) -> bool:
        """Whether lines of the multi-line definition `name` are being read."""
        return any(isinstance(entry, Produced) and entry.name == name for entry in self.stack)

    def push(self, entry: File | Produced | Includes, place: Place) -> None:
        """Take lines from `entry` next. Raises ReadingStopped when it lies too deep."""
        deep = sum(not isinstance(other, Includes) for other in self.stack)
        if deep >= self._max_depth:
            chain = " -> ".join([*place.via[-4:], place.step("this")])
            message = f"includes and definitions are nested deeper than {self._max_depth} ({chain})"
            self._findings.stop(message, place.at(1))
        self.stack.append(entry)

    def push_file(self, loaded: Loaded, directory: str, place: Place) -> None:
        """Read `loaded` next; `place` is the include, where there is a file around it."""
        around = self.file()
        via = (*place.via, place.step("included")) if around else ()
        checks = around.checks if around else self._first_checks
        self._lines_left -= len(loaded.lines)
        self.files.append(loaded.path)
        file = File(loaded, directory, os.path.realpath(directory), via, checks)
        self.push(file, place)
        if not loaded.is_utf8:
            number = next(index for index, line in enumerate(loaded.lines) if not line.isascii())
            message = "the file is not UTF-8: read as Latin-1"
            self._findings.add(Severity.NOTE, Trouble.GENERAL, message, file.place(number).at(1))

    def include(self, pattern: Text, place: Place, checks: Check) -> None:
        """Have the files that `pattern` names read next."""
        around = self.file()
        at = place.at(pattern.column(0))
        directory = around.directory if around else os.getcwd()
        try:
            found = find_files(pattern.text, directory)
        except ConfigError as error:
            self._findings.error(Trouble.INCLUDE, f"{pattern.text}: {error.message}", at)
            return
        missing = ", ".join(found.missing)
        if missing or (not found.paths and found.has_wildcard):
            check = Check.WILDCARD_MATCH if not missing else Check.BRACE_MATCH if found.has_braces else Check.MATCH
            message = f"no such file: {missing}" if missing else f"nothing matches {pattern.text}"
            hint = "" if pattern.text.startswith("/") else f"looked for in {directory}"
            if around is None and not found.paths:
                self._findings.error(Trouble.FILE_NOT_FOUND, message, at, hint)
            elif check in checks:
                self._findings.error(Trouble.INCLUDE, message, at, hint)
            elif missing:
                self._findings.add(Severity.NOTE, Trouble.FILE_NOT_FOUND, message, at, hint)
        self.push(Includes(iter(found.paths), place, at.column, checks), place)

    def read_next(self, top: Includes) -> None:
        """Open the next file of an include, if there is one and it can be read."""
        path = next(top.paths, None)
        if path is None:
            self.stack.pop()
            return
        at = top.place.at(top.column)
        if len(self.files) >= self._max_files:
            self._findings.stop(f"more than {self._max_files} files", at)
        try:
            loaded = load(path, self._lines_left)
        except TooLarge as error:
            self._findings.error(Trouble.INCLUDE, f"{path} {error.message}", at)
            return
        except ConfigError as error:
            severity = Severity.ERROR if Check.READ in top.checks else Severity.NOTE
            self._findings.add(severity, Trouble.INCLUDE, f"{path}: {error.message}: skipped", at, error.hint)
            return
        reading = [entry.loaded for entry in self.stack if isinstance(entry, File)]
        if any(other.identity == loaded.identity for other in reading):
            chain = " -> ".join([*(other.path for other in reading), loaded.path])
            self._findings.error(Trouble.INCLUDE, f"the file includes itself: {chain}", at)
        else:
            self.push_file(loaded, os.path.dirname(path), top.place)
