"""`plan`, `config show` and `config lint`: what configuration files say, read with the caller's own rights."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from pyhad.ctl.exits import FINE, NOT_WELL, CommandError

if TYPE_CHECKING:
    from pyhad.common.config.compile import CompileResult
    from pyhad.common.messages import StatusReply

_TIMEOUT_S = 3.0
_PLAN = """Say what a reload with FILE would do, before it is done.

FILE is compiled here and compared with what the running daemon works with, which only root may read. With --against OLD
two files are compared and no daemon is asked. Without FILE the daemon's own files are taken, as a reload would.
Exit codes: 0 the plan is shown, 1 FILE has errors."""
_SHOW = """Show a configuration with every default filled in and where each value was written.

Without FILE the files of the running daemon are read (as they are now), and it is said whether that is in force.
Exit codes: 0 shown, 1 the files have errors."""
_LINT = """Look for what is allowed but likely to hurt: in each file, and between the files of the nodes of a cluster.

Exit codes: 0 nothing found, 1 something found or a file with errors."""


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Put the commands into the parser of pyhadctl."""
    raw = argparse.RawDescriptionHelpFormatter
    plan = commands.add_parser(
        "plan", parents=[common], help="what a reload would do", description=_PLAN, formatter_class=raw
    )
    plan.add_argument("file", nargs="?", metavar="FILE", help="configuration to compare [the daemon's own]")
    plan.add_argument("--against", metavar="OLD", help="compare with this file instead of the running daemon")
    plan.add_argument("-i", "--config-id", default="", metavar="ID", help="which @ID lines count [the node's name]")
    plan.set_defaults(action=_plan)
    config = commands.add_parser("config", help="show or lint configuration files")
    inner = config.add_subparsers(metavar="COMMAND", title="commands", required=True)
    show = inner.add_parser(
        "show", parents=[common], help="every value and its origin", description=_SHOW, formatter_class=raw
    )
    show.add_argument("file", nargs="?", metavar="FILE")
    show.add_argument("--resolved", action="store_true", help="with defaults and origins (always done)")
    show.add_argument("-i", "--config-id", default="", metavar="ID", help="which @ID lines count [the node's name]")
    show.set_defaults(action=_show)
    lint = inner.add_parser(
        "lint", parents=[common], help="find what is likely to hurt", description=_LINT, formatter_class=raw
    )
    lint.add_argument("files", nargs="+", metavar="FILE", help="one file, or one of each node")
    lint.add_argument("-i", "--config-id", default="", metavar="ID", help="which @ID lines count [the node's name]")
    lint.set_defaults(action=_lint)


# --------------------------------------------------------------------------------------------------- plan


def _plan(arguments: argparse.Namespace) -> int:
    from pyhad.ctl import in_force, plan, plan_writes

    if arguments.against and not arguments.file:
        raise CommandError("plan --against OLD needs a FILE to compare it with", 2)
    states: dict[str, Any] = {}
    if arguments.against:
        before = _good(arguments, arguments.against)
        if before is None:
            return NOT_WELL
        assert before.configuration is not None
        old = in_force.of(before.configuration)
        path = arguments.file
    else:
        reply = _status(arguments)
        old = in_force.read(reply)
        path = arguments.file or reply.config_files[0]
        states = {router.name: router.state for router in reply.vrrp.routers} if reply.vrrp else {}
    after = _good(arguments, path)
    if after is None:
        return NOT_WELL
    assert after.configuration is not None
    new = in_force.of(after.configuration)
    changes, writes = plan.plan(old, new, states), plan_writes.kernel_writes(old, new, states)
    if _wants_json(arguments):
        _say_json(plan.to_document(changes, writes))
    else:
        sys.stdout.write(plan.render(changes, writes))
    return FINE


# --------------------------------------------------------------------------------------------------- show


def _show(arguments: argparse.Namespace) -> int:
    from pyhad.ctl import resolved

    reply = None if arguments.file else _status(arguments)
    result = _good(arguments, arguments.file or (reply.config_files[0] if reply else ""))
    if result is None:
        return NOT_WELL
    assert result.configuration is not None
    if _wants_json(arguments):
        _say_json(resolved.to_document(result.configuration, result.root))
        return FINE
    sys.stdout.write(resolved.to_text(result.configuration, result.root))
    if reply is not None:
        print(_is_in_force(reply, result))
    return FINE


def _is_in_force(reply: StatusReply, result: CompileResult) -> str:
    from pyhad.ctl import in_force, plan

    assert result.configuration is not None
    try:
        changes = plan.plan(in_force.read(reply), in_force.of(result.configuration), {})
    except CommandError:
        return "\n# Whether this is in force only root can see."
    if not changes:
        return "\n# This is in force."
    return "\n# The files were changed since they were read: this is NOT in force. See: pyhadctl plan"


# --------------------------------------------------------------------------------------------------- lint


def _lint(arguments: argparse.Namespace) -> int:
    from pyhad.common.config.diagnostics import render, to_json
    from pyhad.common.config.source import Severity
    from pyhad.ctl import in_force
    from pyhad.ctl.lint_cluster import forecast, lint_cluster
    from pyhad.ctl.lint_node import lint_node
    from pyhad.ctl.lint_scripts import lint_scripts

    results = [in_force.compile_file(path, arguments.config_id) for path in arguments.files]
    found = [
        *(one for result in results for one in result.diagnostics if one.severity is not Severity.NOTE),
        *(one for result in results for one in (*lint_node(result), *lint_scripts(result))),
        *(lint_cluster(results) if len(results) > 1 else ()),
    ]
    if _wants_json(arguments):
        sys.stdout.write(to_json(found) + "\n")
        return NOT_WELL if found else FINE
    files = [file for result in results for file in result.files]
    sys.stdout.write(render(found, _colour(), files))
    if len(results) > 1:
        sys.stdout.write(forecast(results))
    if not found:
        print("Nothing found.")
    return NOT_WELL if found else FINE


# ------------------------------------------------------------------------------------------------ together


def _good(arguments: argparse.Namespace, path: str) -> CompileResult | None:
    """The compilation of `path`; None, and its errors shown, when it cannot be used."""
    from pyhad.common.config.diagnostics import render, to_json
    from pyhad.common.config.source import Severity
    from pyhad.ctl import in_force

    result = in_force.compile_file(path, arguments.config_id)
    if result.configuration is not None:
        return result
    errors = [one for one in result.diagnostics if one.severity is Severity.ERROR]
    if _wants_json(arguments):
        sys.stdout.write(to_json(errors) + "\n")
    else:
        sys.stderr.write(render(errors, sys.stderr.isatty() and not os.environ.get("NO_COLOR"), result.files))
    return None


def _status(arguments: argparse.Namespace) -> StatusReply:
    from pyhad.common.channels import DEFAULT_RUN_DIR
    from pyhad.ctl import client

    run_dir = getattr(arguments, "run_dir", None) or os.environ.get("PYHAD_RUN_DIR") or DEFAULT_RUN_DIR
    return client.status(str(run_dir), float(getattr(arguments, "timeout", _TIMEOUT_S)))


def _wants_json(arguments: argparse.Namespace) -> bool:
    return getattr(arguments, "json", False)


def _say_json(document: dict[str, Any]) -> None:
    from pyhad.ctl.document import to_text

    sys.stdout.write(to_text(document))


def _colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
