"""Start of the checker process: no privilege at all. What runs scripts is forked off first (docs/decisions/0006)."""

from __future__ import annotations

import gc

from pyhad.checker_proc.nursery import fork_nursery
from pyhad.checker_proc.probes.mark_helper import mark_tools
from pyhad.checker_proc.service import CheckerService, read_document
from pyhad.checker_proc.workers.worker import work
from pyhad.checker_proc.workers.workforce import workers_of
from pyhad.common import privileges
from pyhad.common.memory import uncollected
from pyhad.common.runtime import ChildContext, Runtime
from pyhad.common.scripts.catalogue import catalogue_of
from pyhad.common.scripts.client import Scripts
from pyhad.common.scripts.helper import fork_helper


def main(context: ChildContext) -> int:
    """Run as the child that `context` describes; the exit status."""
    with uncollected():
        document = read_document(context.document)
    context.document = b""  # as long again as all that is made of it
    helper = fork_helper(catalogue_of(document))
    nursery = fork_nursery(context.account, context.log.daemon, work) if workers_of(document) else None
    tools = mark_tools(document, context.account, context.log.daemon)
    privileges.no_new_privileges()  # it starts no program
    runtime = Runtime(context, as_root=False, keep=frozenset())
    with uncollected():
        service = CheckerService(runtime, Scripts(helper, runtime.loop, runtime.logger), document, tools, nursery)
    gc.freeze()  # what is there now lasts
    runtime.ready()
    code = runtime.run()
    del service
    return code
