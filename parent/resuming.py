"""The first steps of a program that takes over: is what it was left of use, and what if the files are not?"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pyhad.common import privileges
from pyhad.common.codec import decode
from pyhad.common.config.model import SCHEMA, ParentDocument
from pyhad.common.errors import WireError
from pyhad.common.lifeline import read_memfd
from pyhad.common.states import ProcessName
from pyhad.parent.baton import FORMAT, Baton
from pyhad.parent.compiler import Compile, Documents, Outcome, compile_unprivileged
from pyhad.parent.options import Options
from pyhad.parent.rooms import Room, import_all

REFUSED = 1


def try_upgrade(options: Options, rooms: Sequence[Room], compile_files: Compile) -> int:
    """`--upgrade-check`: 0 if this program can take over from one that leaves batons of that format."""
    if options.upgrade_check != FORMAT:
        left = f"format {options.upgrade_check}, this one takes format {FORMAT}"
        sys.stderr.write(f"pyhad: the running program hands over in {left}: restart it instead\n")
        return REFUSED
    import_all(rooms)
    compiled = compile_unprivileged(compile_files, options, privileges.service_account())
    sys.stderr.write(compiled.report)
    return REFUSED if compiled.configuration is None else 0


def documents_left(left: Baton) -> Documents | None:
    """The configuration that was in force, if this program reads its kind."""
    fds = dict(left.documents)
    parent = fds.pop(str(ProcessName.PARENT), -1)
    if parent < 0:
        return None
    try:
        document = decode(ParentDocument, read_memfd(parent))
        return Documents(document, {ProcessName(name): fd for name, fd in fds.items()})
    except (WireError, OSError, ValueError):
        return None


def instead_of(first: Outcome, left: Baton) -> Outcome:
    """The files went bad between the trial and now: what was in force still is, if it can be read."""
    documents = documents_left(left)
    if first.documents is not None or documents is None or documents.parent.schema != SCHEMA:
        return first
    return Outcome(documents=documents, summary=first.summary, report=first.report)
