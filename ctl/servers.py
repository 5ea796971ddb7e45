"""`pyhadctl rs`: drain a real server, give it a weight, undo that. Asks the daemon; decides nothing."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from pyhad.ctl.orders import time_s

UNDO = -1
Tell = Callable[[argparse.Namespace, str, str, int], int]
SECOND_NS = 1_000_000_000


def add_commands(commands: Any, common: argparse.ArgumentParser, tell: Tell) -> None:
    """The command with its actions. `tell` sends service, server and weight, and returns an exit code."""
    rs = commands.add_parser("rs", help="drain a real server, or set its weight (root only)")
    actions = rs.add_subparsers(metavar="ACTION", required=True)
    for word, help_text in (
        ("drain", "no new connections; those it has go on, over reloads and restarts until undrain"),
        ("undrain", "undo drain and weight"),
        ("weight", "another weight than the configuration's or the checks', until undrain"),
    ):
        action = actions.add_parser(word, parents=[common], help=help_text)
        action.add_argument(
            "service", metavar="SERVICE", help="as pyhadctl status shows it: 10.0.0.1:80/tcp; or 10.0.0.1:80"
        )
        action.add_argument("server", metavar="SERVER", help="as pyhadctl status shows it: 10.0.0.11:80")
        if word == "weight":
            action.add_argument("weight", metavar="WEIGHT", type=_weight)
        else:
            action.set_defaults(weight=0 if word == "drain" else UNDO)
        if word == "drain":
            help_text = "out of the table after that time, connections or not; without it when the last one is gone"
            action.add_argument("--deadline", dest="deadline_s", type=time_s, default=0, metavar="TIME", help=help_text)
        if word != "undrain":
            help_text = "undone by itself after that time: 90, 90s, 10m, 2h, 1d"
            action.add_argument("--for", dest="for_s", type=time_s, default=0, metavar="TIME", help=help_text)
        action.set_defaults(action=lambda found: tell(found, found.service, found.server, found.weight))


def _weight(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 2147483647:
        raise argparse.ArgumentTypeError(f"{text} is no weight: 0 to 2147483647")
    return value


def times_ns(arguments: argparse.Namespace) -> tuple[int, int]:
    """(deadline, for how long), 0 where nothing was said."""
    return getattr(arguments, "deadline_s", 0) * SECOND_NS, getattr(arguments, "for_s", 0) * SECOND_NS


def outcome(server: str, weight: int, deadline_ns: int = 0, for_ns: int = 0) -> str:
    """What was done, as a sentence."""
    if weight == UNDO:
        return f"{server} has its own weight again."
    until = f"for {for_ns // SECOND_NS} s" if for_ns else "until pyhadctl rs undrain"
    if weight:
        return f"{server} has weight {weight} {until}."
    leaves = f", {deadline_ns // SECOND_NS} s from now at the latest" if deadline_ns else ""
    return f"{server} is drained {until}: no new connections; it leaves the table with its last one{leaves}."
