"""Start of the checker process: no privilege at all, programs of MISC_CHECK run as the same user."""

from __future__ import annotations

from pyhad.checker_proc.service import CheckerService, read_document
from pyhad.common.runtime import ChildContext, Runtime


def main(context: ChildContext) -> int:
    """Run as the child that `context` describes; the exit status."""
    runtime = Runtime(context, as_root=False, keep=frozenset())
    service = CheckerService(runtime, read_document(context.document))
    runtime.ready()
    code = runtime.run()
    del service
    return code
