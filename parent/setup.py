"""What the parent's parts share from its start to its end. Pure data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyhad.common.log import LogSettings
from pyhad.parent.baton import Baton
from pyhad.parent.compiler import Compile
from pyhad.parent.options import Options
from pyhad.parent.rooms import Room
from pyhad.parent.run_dir import RunDir


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One daemon: what was asked, where it lives, who its children are."""

    options: Options
    rooms: Sequence[Room]
    compile_files: Compile
    run_dir: RunDir
    account: tuple[str, int, int]
    """(name, uid, gid) of the unprivileged processes."""
    log: LogSettings
    folder: str = "/"
    """Where the command was given: its words may name files from there."""
    left: Baton | None = None
    """What the program before this one left, when it was upgraded."""
