"""Lines of `virtual_rules` and `static_rules` to the model (NET-7). Asks no kernel."""

from __future__ import annotations

import socket
from typing import Any

from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model.routes import PROTOCOL_KEEPALIVED, VirtualRule
from pyhad.common.config.name_tables import Names, NameTables
from pyhad.common.config.path_lines import PathLine, Refused, family_of, number_of, prefix_of, text_of
from pyhad.common.config.tree import Said, Statement

_TO_TABLE, _GOTO = 1, 2
_ACTIONS = {"nop": 3, "blackhole": 6, "unreachable": 7, "prohibit": 8}
_MAX_PORT = 65535
_MAX_ID = 0xFFFFFFFF


class RuleBuilder:
    """Builds rules one after the other: those without a preference count down from 16384 (NET-7)."""

    def __init__(self, names: NameTables, complaints: Complaints) -> None:
        self._names = names
        self._complaints = complaints
        self._next = {4: 16384, 6: 16384}

    def build(self, entry: Statement) -> VirtualRule | None:
        """One line; None when it cannot be used, which has been said."""
        if entry.broken:
            return None
        line = PathLine(entry, self._names, self._complaints)
        try:
            fields = _Rule(line).fields()
        except Refused:
            return None
        if "priority" not in fields:
            family = fields["family"]
            fields["priority"] = self._next[family]
            self._next[family] -= 1
            line.warn(
                f"'{line.text}' has no preference: {fields['priority']} is used",
                hint="say preference N: without it the order of lines decides about the order of rules",
            )
        return VirtualRule(text=line.text, **fields)


class _Rule:
    """One line on its way."""

    def __init__(self, line: PathLine) -> None:
        self._line = line
        self._fields: dict[str, Any] = {}
        self._actions: list[Said] = []

    def fields(self) -> dict[str, Any]:
        line, fields, options = self._line, self._fields, self._line.entry.options
        for said in line.entry.said:
            self._take(said)
        if line.entry.said[-1].name == "type":
            raise line.refuse(f"'type' of '{line.text}' names no action")
        self._decide_action()
        fields["family"] = self._family()
        table_only = [name for name in ("realms", "suppress_prefixlength", "suppress_ifgroup") if name in options]
        if table_only and fields["action"] != _TO_TABLE:
            raise line.refuse(f"{table_only[0]} needs a table to look up: '{line.text}'")
        if "realms" in options and fields["family"] == 6:
            raise line.refuse(f"realms are for IPv4 rules only: '{line.text}'")
        if "goto" in fields and fields.get("priority", 0) >= fields["goto"]:
            hint = "say a preference below the rule to jump to"
            raise line.refuse(f"goto {fields['goto']} leads back: '{line.text}'", hint=hint)
        if fields.get("protocol", PROTOCOL_KEEPALIVED) != PROTOCOL_KEEPALIVED and "no_track" not in options:
            hint = "say no_track with it, and the rule is neither watched nor put back"
            line.warn(f"protocol is ignored: '{line.text}' is tracked by it", hint=hint)
            del fields["protocol"]
        return fields

    def _take(self, said: Said) -> None:
        line, fields = self._line, self._fields
        match said.name:
            case "not":
                fields["inverted"] = True
            case "from":
                fields["source"], fields["source_len"] = prefix_of(said)
            case "to":
                fields["destination"], fields["destination_len"] = prefix_of(said)
            case "preference":
                fields["priority"] = number_of(said)
            case "tos":
                fields["tos"] = line.named(Names.DSFIELD, said)
            case "realms":
                fields["realms"] = line.realms(said)
            case "suppress_prefixlength":
                fields["suppress_prefix_len"] = number_of(said)
            case "suppress_ifgroup":
                fields["suppress_group"] = line.named(Names.GROUP, said)
            case "dev":
                fields["input_interface"] = text_of(said)
            case "oif":
                fields["output_interface"] = text_of(said)
            case "tunnel-id":
                fields["tunnel_id"] = number_of(said)
            case "protocol":
                fields["protocol"] = number_of(said)
            case "no_track":
                fields["tracked"] = False
            case "l3mdev":
                fields["l3mdev"] = True
            case "table" | "goto" | "nop" | "blackhole" | "unreachable" | "prohibit":
                self._actions.append(said)
            case _:
                self._take_selector(said)

    def _take_selector(self, said: Said) -> None:
        """The selectors of more than a word."""
        fields = self._fields
        match said.name:
            case "fwmark":
                mark, slash, mask = text_of(said).partition("/")
                fields["mark"] = self._mark(mark, said)
                if slash:
                    fields["mark_mask"] = self._mark(mask, said)
            case "uidrange":
                fields["uid_first"], fields["uid_last"] = self._span(said, _MAX_ID)
            case "sport":
                fields["source_port"], fields["source_port_last"] = self._span(said, _MAX_PORT)
            case "dport":
                fields["destination_port"], fields["destination_port_last"] = self._span(said, _MAX_PORT)
            case "ipproto":
                fields["ip_protocol"] = self._ip_protocol(said)

    def _decide_action(self) -> None:
        line, fields = self._line, self._fields
        if any(said.name == "table" for said in self._actions) and fields.get("l3mdev"):
            raise line.refuse(f"'{line.text}' has both l3mdev and a table")
        if len(self._actions) > 1:
            raise line.refuse(f"'{line.text}' has two actions", self._actions[1])
        if not self._actions and not fields.get("l3mdev"):
            raise line.refuse(
                f"rule '{line.text}' has no action",
                hint="say table NAME, goto N, l3mdev, blackhole, unreachable, prohibit or nop",
            )
        if not self._actions:
            fields["action"] = _TO_TABLE
            return
        said = self._actions[0]
        fields["action"] = _ACTIONS.get(said.name, _TO_TABLE)
        if said.name == "table":
            fields["table"] = line.named(Names.TABLE, said)
            if not fields["table"]:
                raise line.refuse("table 0 is no table", said)
        elif said.name == "goto":
            fields["action"], fields["goto"] = _GOTO, number_of(said)

    def _family(self) -> int:
        line, fields, options = self._line, self._fields, self._line.entry.options
        told = {family_of(fields[name]) for name in ("source", "destination") if name in fields}
        if "inet" in options or "inet6" in options:
            told.add(6 if "inet6" in options else 4)
        if len(told) > 1:
            raise line.refuse(f"'{line.text}' mixes IPv4 and IPv6")
        return told.pop() if told else 4

    # ------------------------------------------------------------------------------------ small languages

    def _mark(self, text: str, said: Said) -> int:
        try:
            value = int(text, 0 if text[:2] in ("0x", "0X") else 8 if text[0] == "0" else 10)
        except ValueError:
            value = -1
        if not 0 <= value <= _MAX_ID:
            raise self._line.refuse(f"fwmark: '{text}' is no mark of 32 bits", said)
        return value

    def _span(self, said: Said, top: int) -> tuple[int, int]:
        """`A-B`, or one number (QRK-6)."""
        first, dash, last = text_of(said).partition("-")
        low, high = int(first), int(last if dash else first)
        if not low <= high <= top:
            raise self._line.refuse(f"{said.name}: '{text_of(said)}' is no range up to {top}", said)
        return low, high

    def _ip_protocol(self, said: Said) -> int:
        text = text_of(said)
        if text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 255:
            return int(text)
        try:
            return socket.getprotobyname(text)
        except OSError:
            message = f"ipproto: '{text}' is no protocol of this machine"
            raise self._line.refuse(message, said, hint="write its number, as 6 for tcp") from None
