"""Lightweight tunnels of routes (`encap mpls|ip|ip6|ila`) to the model. Knows no route."""

from __future__ import annotations

import re
from dataclasses import replace

from pyhad.common.config.model.routes import EncapKind, Encapsulation
from pyhad.common.config.name_tables import Names
from pyhad.common.config.path_lines import PathLine, number_of, text_of
from pyhad.common.config.tree import Said
from pyhad.common.records import dataclass, field

_MAX_LABELS = 2
_MAX_LABEL = 0xFFFFF
_LOCATOR = re.compile(r"[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4}){3}\Z")


@dataclass(slots=True)
class EncapReader:
    """Takes `encap` and the options behind it, one by one."""

    line: PathLine
    encap: Encapsulation | None = field(default=None)
    said: Said | None = None

    def begin(self, said: Said) -> None:
        """`encap KIND`."""
        kind = EncapKind(text_of(said))
        self.said = said
        self.encap = Encapsulation(kind=kind)
        if kind is EncapKind.MPLS:
            self.encap = replace(self.encap, labels=self._labels(said))
        elif kind is EncapKind.ILA:
            if not _LOCATOR.match(said.tail):
                raise self.line.refuse(f"encap ila: '{said.tail}' is no locator", said, hint="four groups: 1:2:3:4")
            groups = [int(group, 16) for group in said.tail.split(":")]
            self.encap = replace(self.encap, locator=sum(group << 48 - 16 * at for at, group in enumerate(groups)))

    def _labels(self, said: Said) -> tuple[int, ...]:
        texts = said.tail.split("/")
        good = all(text.isascii() and text.isdigit() and len(text) < 8 and int(text) <= _MAX_LABEL for text in texts)
        if not good or len(texts) > _MAX_LABELS:
            message = f"encap mpls: '{said.tail}' is not one or two labels of at most {_MAX_LABEL}"
            raise self.line.refuse(message, said, hint="write LABEL or LABEL/LABEL")
        return tuple(int(text) for text in texts)

    def take(self, said: Said) -> None:
        """An option of the tunnel, as `encap ip: ttl`."""
        assert self.encap is not None  # the grammar knows these words behind `encap` only
        word = said.name.partition(": ")[2]
        match word:
            case "dst":
                self.encap = replace(self.encap, destination=text_of(said))
            case "src":
                self.encap = replace(self.encap, source=text_of(said))
            case "id":
                self.encap = replace(self.encap, tunnel_id=number_of(said))
            case "ttl" | "hoplimit":
                self.encap = replace(self.encap, ttl=number_of(said))
            case "flags":
                self.encap = replace(self.encap, flags=number_of(said))
            case _:  # tos, tc
                self.encap = replace(self.encap, tos=self.line.named(Names.DSFIELD, said))

    def end(self) -> Encapsulation | None:
        """The tunnel; None where there is none. The reader is empty afterwards."""
        encap, said, self.encap = self.encap, self.said, None
        tunnel = encap is not None and encap.kind in (EncapKind.IP, EncapKind.IP6)
        if encap is not None and tunnel and encap.tunnel_id is None and not encap.destination:
            raise self.line.refuse(
                f"encap {encap.kind} has neither id nor dst", said, hint="name where the tunnel ends"
            )
        return encap
