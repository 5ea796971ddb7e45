"""The command `pyhad`: from the command line to what was asked for. What a daemon needs is imported only for one."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from collections.abc import Sequence

import pyhad
from pyhad.common import namespaces, privileges
from pyhad.common.log import LogSettings
from pyhad.parent import baton
from pyhad.parent.compiler import Compile, compile_unprivileged
from pyhad.parent.configuration import compile_files as compile_keepalived_conf
from pyhad.parent.daemonize import ensure_standard_descriptors
from pyhad.parent.exits import FATAL, say
from pyhad.parent.fork import guarded
from pyhad.parent.options import GENHASH, Options, read_command_line
from pyhad.parent.rooms import ROOMS, Room

GENHASH_MODULE = "pyhad.checker_proc.genhash"


def main() -> int:
    """Entry point of the installed command."""
    return run(sys.argv[1:])


def run(
    words: Sequence[str], *, rooms: Sequence[Room] = ROOMS, compile_files: Compile = compile_keepalived_conf
) -> int:
    """Do what the command line `words` says; returns the exit code. Tests bring their own children and compiler."""
    ensure_standard_descriptors()
    if words and words[0] in GENHASH:
        status: int = importlib.import_module(GENHASH_MODULE).main(words[1:])
        return status
    command = read_command_line(words, version=_version(), node_name=platform.node())
    sys.stdout.write(command.stdout)
    sys.stderr.write(command.stderr)
    if command.exit_code is not None:
        return command.exit_code
    options = command.options
    try:
        left = baton.take(os.environ)
    except baton.BatonError as error:
        return say(f"upgrade failed: {error}", FATAL)
    home = namespaces.here() if left is None or left.home_namespace < 0 else left.home_namespace
    if options.namespace and left is None and (problem := namespaces.cannot_enter(options.namespace)):
        return say(problem, FATAL)
    if options.config_test:
        return _config_test(options, compile_files)
    from pyhad.parent import resuming, starting

    if options.upgrade_check:
        return guarded(
            lambda: resuming.try_upgrade(options, rooms, compile_files),
            "trial",
            LogSettings(console=True, syslog=False),
        )
    return starting.run_daemon(options, rooms, compile_files, left, home)


def _config_test(options: Options, compile_files: Compile) -> int:
    """CLI-27: messages on stderr (JSON: stdout) or appended to a file; works without root."""
    sink = 1 if options.json else 2
    if options.config_test_log:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            sink = os.open(options.config_test_log, flags, 0o644)
        except OSError as error:
            return say(f"{options.config_test_log}: {error.strerror}", FATAL)

    def work() -> int:
        compiled = compile_unprivileged(compile_files, options, privileges.service_account())
        with open(sink, "w", encoding="utf-8", errors="replace", closefd=sink > 2) as out:
            out.write(compiled.report)
        return compiled.exit_status

    return guarded(work, "config", LogSettings(console=True, syslog=False))


def _version() -> str:
    return f"pyhad {pyhad.__version__} (Python {platform.python_version()}, {platform.system()} {platform.release()})"
