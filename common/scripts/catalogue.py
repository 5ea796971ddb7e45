"""What a script helper may do for a master that it does not trust: exactly what the configuration names. Runs nothing.

The checker talks to the network, so its word is not enough. A later configuration reaches the helper through it, as the
sealed memfd that the daemon's parent made: its owner is root, which no process without rights can forge.
"""

from __future__ import annotations

import fcntl
import os

from pyhad.common.codec import decode
from pyhad.common.config.model import SCHEMA, CheckerDocument, FileCheck, MiscCheck, VrrpDocument
from pyhad.common.config.model.tracking import Fifo, Program, TrackFile
from pyhad.common.errors import WireError
from pyhad.common.records import dataclass
from pyhad.common.scripts.orders import Cancel, Check, CloseFifo, Finish, Follow, Mail, OpenFifo, Order, Rules, Tell

_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What one configuration allows."""

    generation: int
    rules: Rules
    programs: frozenset[Program]
    fifos: frozenset[Fifo]
    files: frozenset[TrackFile]

    def allows(self, order: Order) -> bool:
        """Whether this order asks for nothing but what is named."""
        match order:
            case Check():
                return order.program in self.programs
            case Tell():
                return all(program in self.programs for program in order.programs)
            case OpenFifo():
                return order.fifo in self.fifos
            case Follow():
                return all(file in self.files for file in order.files)
            case Mail() | CloseFifo() | Cancel() | Finish():
                return True
            case _:
                return False


def rules_of(document: CheckerDocument | VrrpDocument) -> Rules:
    """How programs run and mails go, of either half."""
    return Rules(script_security=document.script_security, keep_links=document.keep_script_links, mail=document.mail)


def catalogue_of(document: CheckerDocument) -> Catalogue:
    """What the checks of this configuration may have done for them."""
    programs: set[Program] = set()
    files: set[TrackFile] = set()
    for server in document.servers:
        for check in server.checks:
            if isinstance(check, MiscCheck):
                programs.add(check.program)
            elif isinstance(check, FileCheck):
                files.add(check.file)
    for service in document.told:
        named = [service.up, service.down, *(program for told in service.servers for program in (told.up, told.down))]
        programs.update(program for program in named if program is not None)
    return Catalogue(
        generation=document.generation,
        rules=rules_of(document),
        programs=frozenset(programs),
        fifos=frozenset(document.fifos),
        files=frozenset(files),
    )


def catalogue_from(descriptor: int) -> Catalogue:
    """The catalogue of the document in this memfd. Raises WireError unless the parent made and sealed it."""
    try:
        found = os.fstat(descriptor)
        seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
    except OSError as error:
        raise WireError(f"no sealed document: {error.strerror}") from None
    if found.st_uid != os.geteuid() or seals & _SEALS != _SEALS:
        raise WireError("a document that the parent did not make")
    document = decode(CheckerDocument, os.pread(descriptor, found.st_size, 0))
    if document.schema != SCHEMA:
        raise WireError(f"document schema {document.schema}, this is {SCHEMA}")
    return catalogue_of(document)
