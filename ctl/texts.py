"""`pyhadctl dump` and `pyhadctl metrics`: what the control process renders for others, on standard output."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from pyhad.ctl.exits import FINE, NOT_WELL
from pyhad.ctl.place import run_dir, timeout_s

TIMEOUT_S = 3.0


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Both commands."""
    dump = commands.add_parser("dump", parents=[common], help="what keepalived writes on a signal, on standard output")
    dump.add_argument("form", choices=["data", "stats", "json"], help="SIGUSR1, SIGUSR2 or SIGRTMIN+2")
    dump.set_defaults(action=_dump)
    metrics = commands.add_parser("metrics", parents=[common], help="metrics in the OpenMetrics text format")
    metrics.set_defaults(action=_dump, form="metrics")


def _dump(arguments: argparse.Namespace) -> int:
    from pyhad.common.messages import TextForm
    from pyhad.ctl import client

    texts = client.texts(run_dir(arguments), TextForm(arguments.form), timeout_s(arguments, TIMEOUT_S))
    if not texts:
        print("pyhadctl: there is no virtual router to tell about", file=sys.stderr)
        return NOT_WELL
    for _, text in sorted(texts.items()):
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    return FINE
