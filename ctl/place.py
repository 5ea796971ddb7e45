"""What every command needs of its arguments: where the daemon is, how long to wait, for whom the answer is."""

from __future__ import annotations

import argparse
import os

RUN_DIR_VARIABLE = "PYHAD_RUN_DIR"


def run_dir(arguments: argparse.Namespace) -> str:
    """Run directory: as said, else of the environment, else the default. A word without / is the name of a daemon."""
    from pyhad.common.channels import DAEMONS, DEFAULT_RUN_DIR

    said = str(getattr(arguments, "run_dir", None) or os.environ.get(RUN_DIR_VARIABLE) or DEFAULT_RUN_DIR)
    return said if "/" in said else os.path.join(DEFAULT_RUN_DIR, DAEMONS, said)


def wants_json(arguments: argparse.Namespace) -> bool:
    """A program reads the answer."""
    return getattr(arguments, "json", False)


def timeout_s(arguments: argparse.Namespace, otherwise: float) -> float:
    """How long to wait."""
    return float(getattr(arguments, "timeout", otherwise))
