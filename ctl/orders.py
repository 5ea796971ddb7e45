"""The commands that change something: `pyhadctl vrrp standby` and `takeback`. Light to import; asks only when run."""

from __future__ import annotations

import argparse
import json
import re
import sys
from typing import Any

from pyhad.ctl.exits import FINE, UNKNOWN, CommandError
from pyhad.ctl.place import run_dir, timeout_s, wants_json

ORDER_TIMEOUT_S = 5.0
_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_TIME = re.compile(r"(\d{1,9})([smhd]?)")


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Put the commands into the parser."""
    group = commands.add_parser("vrrp", parents=[common], help="hold a virtual router back, or let it go (root only)")
    verbs = group.add_subparsers(metavar="ORDER", title="orders", required=True)
    standby = verbs.add_parser("standby", parents=[common], help="let another node be master, until taken back")
    standby.add_argument("name", metavar="NAME", help="name of the vrrp_instance, or all")
    standby.add_argument("--for", dest="hold_s", type=time_s, default=0, metavar="TIME", help="90, 90s, 10m, 2h, 1d")
    standby.set_defaults(action=lambda arguments: _order(arguments, True, arguments.hold_s))
    back = verbs.add_parser("takeback", parents=[common], help="end the standby: the priority decides again")
    back.add_argument("name", metavar="NAME", help="name of the vrrp_instance, or all")
    back.set_defaults(action=lambda arguments: _order(arguments, False, 0))


def time_s(text: str) -> int:
    """`90`, `90s`, `10m`, `2h`, `1d` as seconds, for argparse."""
    match = _TIME.fullmatch(text)
    if match is None or int(match.group(1)) == 0:
        raise argparse.ArgumentTypeError(f"{text} is no time: say 90, 90s, 10m, 2h or 1d")
    return int(match.group(1)) * _UNITS_S[match.group(2)]


def _order(arguments: argparse.Namespace, standby: bool, hold_s: int) -> int:
    from pyhad.ctl import client

    reply = client.standby(
        run_dir(arguments), arguments.name, standby, hold_s * 1_000_000_000, timeout_s(arguments, ORDER_TIMEOUT_S)
    )
    if not reply.names:
        raise CommandError(f"there is no vrrp_instance {arguments.name!r}", UNKNOWN)
    names = ", ".join(reply.names)
    if wants_json(arguments):
        document = {"schema": 1, "instances": list(reply.names), "admin": "standby" if standby else ""}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    elif standby:
        print(f"{names}: held back" + (f" for {hold_s} s" if hold_s else " until taken back"))
    else:
        print(f"{names}: taken back, the priority decides again")
    return FINE
