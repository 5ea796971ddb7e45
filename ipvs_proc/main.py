"""Entry of the IPVS owner process. Runs as the service user with CAP_NET_ADMIN and nothing else.

Both data planes were tried so: generic netlink and nftables ask for the capability, not for uid 0.
"""

from __future__ import annotations

import gc

from pyhad.common import namespaces, privileges
from pyhad.common.codec import Rereader
from pyhad.common.config.model import SCHEMA, IpvsDocument
from pyhad.common.errors import WireError
from pyhad.common.memory import uncollected
from pyhad.common.runtime import ChildContext, Runtime
from pyhad.ipvs_proc.service import IpvsService


def main(context: ChildContext) -> int:
    """Run in the forked child until told to stop; the exit code."""
    privileges.no_new_privileges()  # it starts no program
    with uncollected():
        rereader = Rereader(IpvsDocument, "services", "generation")
        document = rereader.read(context.document)
        if document.namespace:
            namespaces.enter_named(document.namespace)
        elif document.namespace is not None:
            namespaces.enter(context.home_namespace)
        runtime = Runtime(context, as_root=False, keep=frozenset({privileges.CAP_NET_ADMIN}))
        if document.schema != SCHEMA:
            raise WireError(f"document of schema {document.schema}, expected {SCHEMA}")
        IpvsService(runtime, document, rereader).start()
    gc.freeze()  # what is there now lasts
    runtime.ready()
    return runtime.run()
