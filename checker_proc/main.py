"""Start of the checker process: no privilege at all, programs of MISC_CHECK run as the same user."""

from __future__ import annotations

from pyhad.checker_proc.service import CheckerService, read_document
from pyhad.common.privileges import CAP_NET_RAW
from pyhad.common.runtime import ChildContext, Runtime

PROGRAMS = frozenset({CAP_NET_RAW})
"""What programs of MISC_CHECK may bring themselves: without it ping, with its file capability, cannot even start."""


def main(context: ChildContext) -> int:
    """Run as the child that `context` describes; the exit status."""
    runtime = Runtime(context, as_root=False, keep=frozenset(), programs=PROGRAMS)
    service = CheckerService(runtime, read_document(context.document))
    runtime.ready()
    code = runtime.run()
    del service
    return code
