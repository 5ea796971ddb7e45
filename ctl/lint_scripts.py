"""Whether the programs that a configuration names are there. Looks at this machine's files and at nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from pyhad.common.config.arguments import Kind
from pyhad.common.config.commands import split_command
from pyhad.common.config.compile import CompileResult
from pyhad.common.config.source import Diagnostic
from pyhad.common.config.tree import Statement
from pyhad.common.errors import ConfigError
from pyhad.ctl.lint_node import warning

_NO_PROGRAM = ("regex",)


def lint_scripts(result: CompileResult) -> tuple[Diagnostic, ...]:
    """One finding for each program that cannot be run."""
    return tuple(_look(result.root))


def _look(owner: Statement) -> Iterator[Diagnostic]:
    for child in owner.children:
        yield from _look(child)
        arguments = child.keyword.arguments
        if not arguments or arguments[0].kind is not Kind.SCRIPT or child.broken or child.name in _NO_PROGRAM:
            continue
        try:
            command = split_command(child.line.raw)
        except ConfigError:
            continue  # the compiler has said so, where the keyword acts
        program = command.argv[0] if command.argv else ""
        problem = _problem(program)
        if problem:
            yield warning(f"{child.name}: {program} {problem}", child.at, "correct the path, or install the program")


def _problem(program: str) -> str:
    """Why it cannot be run; empty when it can, or when only a shell could say (`</dev/tcp/...`)."""
    if not program or program.startswith("<"):
        return ""
    if not program.startswith("/"):
        return "is no absolute path: which program that is depends on who runs it"
    try:
        found = os.stat(program)
    except PermissionError:
        return ""
    except OSError as error:
        return f"cannot be run: {error.strerror}"
    if not stat.S_ISREG(found.st_mode):
        return "is not a plain file"
    if not found.st_mode & 0o111:
        return "is not executable"
    return "can be changed by everybody" if found.st_mode & 0o002 else ""
