"""The control process from its fork to its end: no root, no capability, two adopted sockets."""

from __future__ import annotations

from pyhad.common import privileges
from pyhad.common.codec import decode
from pyhad.common.config.model import ControlDocument
from pyhad.common.runtime import ChildContext, Runtime
from pyhad.control_proc.service import ControlService


def main(context: ChildContext) -> int:
    """Run until the parent says stop; returns the exit code. `WireError` when the document is not one of ours."""
    privileges.no_new_privileges()  # it starts no program
    runtime = Runtime(context, as_root=False, keep=frozenset())
    ControlService(runtime, decode(ControlDocument, context.document))
    runtime.ready()
    return runtime.run()
