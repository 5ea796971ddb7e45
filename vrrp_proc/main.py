"""Entry of the VRRP process after the fork: root's uid with two capabilities, one service, one loop.

What runs scripts is forked off first and keeps the rights that are given up here.
"""

from __future__ import annotations

from pyhad.common.codec import decode
from pyhad.common.config.model import VrrpDocument
from pyhad.common.privileges import CAP_NET_ADMIN, CAP_NET_RAW
from pyhad.common.runtime import ChildContext, Runtime
from pyhad.common.scripts.client import Scripts
from pyhad.common.scripts.helper import fork_helper
from pyhad.vrrp_proc.outside import Outside
from pyhad.vrrp_proc.service import Service
from pyhad.vrrp_proc.stopgap import Stopgap

KEPT = frozenset({CAP_NET_ADMIN, CAP_NET_RAW})
"""Addresses by rtnetlink; raw and packet sockets."""


def main(context: ChildContext) -> int:
    """Run the VRRP process to its end; returns its exit status."""
    stopgap = Stopgap(context.box)
    stopgap.begin()
    helper = fork_helper()
    runtime = Runtime(context, as_root=True, keep=KEPT)
    service = Service(runtime, Scripts(helper, runtime.loop, runtime.logger), Outside(runtime))
    service.start(decode(VrrpDocument, context.document), stopgap.release)
    stopgap.end()
    if stopgap.sent:
        runtime.logger.info("adverts_repeated", count=stopgap.sent)
    runtime.on_document = lambda document: service.reload(decode(VrrpDocument, document, service.breathe))
    runtime.ready()
    return runtime.run()
