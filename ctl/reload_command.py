"""`pyhadctl reload`, with `--confirm TIME` and `confirm`. Light to import; asks only when run."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from pyhad.ctl.exits import FINE, NOT_WELL
from pyhad.ctl.orders import time_s
from pyhad.ctl.place import run_dir, timeout_s, wants_json

if TYPE_CHECKING:
    from pyhad.common.messages import ReloadReply

RELOAD_TIMEOUT_S = 130.0
CONFIRM_TIMEOUT_S = 5.0
CONFIRM_MOST_S = 86_400


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Put the command into the parser."""
    reload = commands.add_parser("reload", parents=[common], help="read the configuration files again (root only)")
    kept = "go back to the configuration before unless `reload confirm` comes within TIME: 90, 90s, 10m, 2h, 1d"
    reload.add_argument("--confirm", dest="confirm_s", type=_confirm_s, default=0, metavar="TIME", help=kept)
    reload.add_argument("word", nargs="?", choices=["confirm"], help="keep what such a reload put in force")
    reload.set_defaults(action=lambda arguments: _run(reload, arguments))


def _confirm_s(text: str) -> int:
    seconds = time_s(text)
    if seconds > CONFIRM_MOST_S:
        raise argparse.ArgumentTypeError(f"{text} is more than a day")
    return seconds


def _run(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    from pyhad.ctl import client

    if arguments.word is None:
        reply = client.reload(run_dir(arguments), timeout_s(arguments, RELOAD_TIMEOUT_S), arguments.confirm_s)
        return _tell_reload(arguments, reply)
    if arguments.confirm_s:
        parser.error("a confirmation takes no --confirm")
    reply = client.confirm_reload(run_dir(arguments), timeout_s(arguments, CONFIRM_TIMEOUT_S))
    if _tell_json(arguments, reply):
        pass
    elif reply.ok:
        print("Confirmed: the configuration stays.")
    else:
        print(f"pyhadctl: not confirmed: {reply.report}", file=sys.stderr)
    return FINE if reply.ok else NOT_WELL


def _tell_reload(arguments: argparse.Namespace, reply: ReloadReply) -> int:
    if _tell_json(arguments, reply):
        return FINE if reply.ok else NOT_WELL
    if reply.report:
        print(reply.report.rstrip("\n"), file=sys.stderr)
    if not reply.ok:
        print("pyhadctl: reload refused; the configuration before it stays in force.", file=sys.stderr)
        return NOT_WELL
    print("The new configuration is in force.")
    if arguments.confirm_s:
        print(f"It goes back by itself {arguments.confirm_s} s after it came, unless you say: pyhadctl reload confirm")
    return FINE


def _tell_json(arguments: argparse.Namespace, reply: ReloadReply) -> bool:
    """Whether a program reads."""
    if wants_json(arguments):
        document = {"schema": 1, "ok": reply.ok, "report": reply.report}
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return wants_json(arguments)
