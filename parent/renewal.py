"""Documents that were in force once, made again under a new generation. Reads no file; decides nothing.

The generation stands inside each document, and who holds a right by it takes no older one: so they cannot be handed out
as they are. The parent does not look into them either: this is a compilation, in the compiler's process.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from pyhad.common.codec import decode
from pyhad.common.config.model import CheckerDocument, Configuration, ControlDocument, IpvsDocument, VrrpDocument
from pyhad.common.states import ProcessName
from pyhad.parent.compiler import Compile, Compiled, Documents
from pyhad.parent.options import Options

NOT_CONFIRMED = "the reload was not confirmed in time: the configuration before it is in force again\n"

Part = TypeVar("Part", VrrpDocument, CheckerDocument, IpvsDocument, ControlDocument)


def renewing(kept: Documents) -> Compile:
    """A compiler whose result is always `kept`. Raises WireError or OSError within its own process."""

    def compile_kept(_options: Options, generation: int) -> Compiled:
        def again(kind: type[Part], name: ProcessName) -> Part:
            return replace(decode(kind, kept.content(name)), generation=generation)

        configuration = Configuration(
            parent=replace(kept.parent, generation=generation),
            vrrp=again(VrrpDocument, ProcessName.VRRP),
            checker=again(CheckerDocument, ProcessName.CHECKER),
            ipvs=again(IpvsDocument, ProcessName.IPVS),
            control=again(ControlDocument, ProcessName.CONTROL),
        )
        return Compiled(configuration=configuration, report=NOT_CONFIRMED, exit_status=0)

    return compile_kept
