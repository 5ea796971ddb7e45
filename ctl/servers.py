"""`pyhadctl rs`: drain a real server, give it a weight, undo that. Asks the daemon; decides nothing."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

UNDO = -1
Tell = Callable[[argparse.Namespace, str, str, int], int]


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
        action.add_argument("service", metavar="SERVICE", help="as pyhadctl status shows it: 10.0.0.1:80/tcp")
        action.add_argument("server", metavar="SERVER", help="as pyhadctl status shows it: 10.0.0.11:80")
        if word == "weight":
            action.add_argument("weight", metavar="WEIGHT", type=_weight)
        else:
            action.set_defaults(weight=0 if word == "drain" else UNDO)
        action.set_defaults(action=lambda found: tell(found, found.service, found.server, found.weight))


def _weight(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 2147483647:
        raise argparse.ArgumentTypeError(f"{text} is no weight: 0 to 2147483647")
    return value


def outcome(server: str, weight: int) -> str:
    """What was done, as a sentence."""
    if weight == UNDO:
        return f"{server} has its own weight again."
    if weight == 0:
        return f"{server} is drained: no new connections until pyhadctl rs undrain."
    return f"{server} has weight {weight} until pyhadctl rs undrain."
