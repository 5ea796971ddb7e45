"""SMTP_CHECK, DNS_CHECK, UDP_CHECK and FILE_CHECK to the model (CHK-40 to CHK-51, CHK-80, CHK-90)."""

from __future__ import annotations

import re
from dataclasses import replace

from pyhad.common.config.builders.scripts import path_of, track_file_of
from pyhad.common.config.checked_around import Around
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import SECOND_NS, BfdCheck, DnsCheck, FileCheck, Target, Timing, UdpCheck
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement

DEFAULT_HELO = "smtpchecker.keepalived.org"
_CONNECTING = ("connect_ip", "connect_port", "bindto", "bind_port", "bind_if", "connect_timeout", "fwmark")
_TYPES = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "RRSIG": 46, "DNSKEY": 48,
}  # fmt: skip
_TYPE_MAX = 65_535
_LABEL_MAX, _NAME_MAX = 63, 253
_DATAGRAM_MAX = 65_507
_LOOK_NS = 60 * SECOND_NS
"""A change is heard at once; this is for status."""


def smtp_targets(check: Statement, complaints: Complaints) -> tuple[Statement, ...]:
    """One checker per `host` block, which overrides the checker's own words (CHK-41).

    The checker itself is one too if it says where to connect, or has no `host`.
    """
    hosts = list(check.every("host"))
    own = [child for child in check.children if child.name != "host"]
    base = replace(check, children=own, _last=None)
    if hosts:
        complaints.warning("host is deprecated: use one SMTP_CHECK per target", hosts[0].at)
    targets = [replace(check, children=[*own, *host.children], line=host.line, _last=None) for host in hosts]
    if not hosts or any(base.given(name) for name in _CONNECTING):
        targets.insert(0, base)
    return tuple(targets)


def build_dns(check: Statement, target: Target, timing: Timing, alpha: bool, complaints: Complaints) -> DnsCheck | None:
    """The question; None with an error when it cannot be asked."""
    kind, name = check.text_of("type", "SOA"), check.text_of("name", ".")
    number = _TYPES.get(kind.upper(), int(kind) if kind.isascii() and kind.isdigit() and len(kind) <= 5 else -1)
    if not 0 < number <= _TYPE_MAX:
        at = (check.last("type") or check).at
        complaints.error(
            f"type: {kind!r} is no record type", at, hint=f"one of {', '.join(_TYPES)}, or a number of 1 to 65535",
            trouble=Trouble.INVALID_VALUE,
        )  # fmt: skip
        return None
    if not _is_domain(name):
        at = (check.last("name") or check).at
        message = f"name: {name!r} is no domain name"
        complaints.error(message, at, hint="labels of 1 to 63 bytes, 253 in all", trouble=Trouble.INVALID_VALUE)
        return None
    return DnsCheck(target=target, timing=timing, alpha=alpha, name=name, record_type=number)


def _is_domain(name: str) -> bool:
    if name == ".":
        return True
    labels = name.removesuffix(".").split(".")
    lengths = [len(label.encode("utf-8", "surrogateescape")) for label in labels]
    return all(0 < length <= _LABEL_MAX for length in lengths) and sum(lengths) + len(lengths) - 1 <= _NAME_MAX


def build_udp(check: Statement, target: Target, timing: Timing, alpha: bool, complaints: Complaints) -> UdpCheck | None:
    """What to send and what must come back; None with an error where that is no hex."""
    payload, _ = _octets(check, "payload", complaints, wild=False)
    pattern, mask = _octets(check, "require_reply", complaints, wild=True)
    low, high = check.number_of("min_reply_length", 0), check.number_of("max_reply_length", 255)
    if low > high:
        at = (check.last("min_reply_length") or check).at
        complaints.error(f"min_reply_length {low} is above max_reply_length {high}", at, trouble=Trouble.INVALID_VALUE)
    needs_reply = check.last("require_reply") is not None
    for name in () if needs_reply else ("pyhad_max_latency", "pyhad_latency_warning"):
        if (found := check.last(name)) is not None:
            message = f"{name} does nothing: without require_reply no answer is waited for"
            complaints.warning(message, found.at, hint="add: require_reply")
    return UdpCheck(
        target=target,
        timing=timing,
        alpha=alpha,
        payload=payload,
        needs_reply=needs_reply,
        pattern=pattern,
        mask=mask,
        min_reply=low,
        max_reply=high,
    )


def _octets(check: Statement, name: str, complaints: Complaints, *, wild: bool) -> tuple[bytes, bytes]:
    """Of several lines the last counts, and each must be one."""
    octets = b"", b""
    for found in check.every(name):
        octets = _octets_of(found, complaints, wild=wild)
    return octets


def _octets_of(found: Statement, complaints: Complaints, *, wild: bool) -> tuple[bytes, bytes]:
    """The octets of `01 02ff`, and the bits that count: an `x` is a nibble that may be anything.

    Each word is cut into pairs from its left, and what is left over is an octet too: `012 3` is 01 02 03 on the wire.
    """
    words = " ".join(value for value in found.values if isinstance(value, str)).lower().split()
    pairs = [word[at : at + 2] for word in words for at in range(0, len(word), 2)]
    text = "".join(pair.rjust(2, "0") for pair in pairs)
    digits = "0123456789abcdefx" if wild else "0123456789abcdef"
    if not re.fullmatch(f"[{digits}]*", text) or len(pairs) > _DATAGRAM_MAX:
        hint = "octets as hex digits: 01 02ff" + (", x for any" if wild else "")
        complaints.error(
            f"{found.name}: {' '.join(words)[:40]!r} is no hex", found.at, hint=hint, trouble=Trouble.INVALID_VALUE
        )
        return b"", b""
    mask = re.sub("[^x]", "f", text).replace("x", "0")
    return bytes.fromhex(text.replace("x", "0")), bytes.fromhex(mask)


def build_file(check: Statement, around: Around, complaints: Complaints) -> FileCheck | None:
    """The file and its factor: the checker's, else the block's, else 1; `reverse` turns its sign (TRK-4)."""
    found = check.last("track_file")
    block = around.track_files.get(found.text()) if found is not None else None
    path = path_of(block) if block is not None else ""
    if block is None or not path:
        if found is None:
            said, hint = "it has no track_file", "add: track_file NAME"
        else:
            hint = "" if block is not None else "define it: track_file NAME { file PATH }"
            said = f"track_file {found.text()} " + ("names no file" if block is not None else "is not defined")
        complaints.warning(f"FILE_CHECK is ignored: {said}", (found or check).at, hint=hint)
        return None
    weight = check.last("weight") or block.last("weight")
    factor = weight.number() if weight is not None and weight.values else 1
    if weight is not None and "reverse" in weight.options:
        factor = -factor
    log_all = around.log_all_failures
    timing = Timing(
        delay_loop_ns=_LOOK_NS, retry=0, delay_before_retry_ns=_LOOK_NS, warmup_ns=0, log_all_failures=log_all
    )
    return FileCheck(file=track_file_of(block), weight=factor, timing=timing)


def build_bfd(check: Statement, around: Around, complaints: Complaints, *, alpha: bool) -> BfdCheck | None:
    """The session, which has to be defined."""
    found = check.last("name")
    if found is None or found.text() not in around.bfd_sessions:
        said = "it names no session" if found is None else f"bfd_instance {found.text()} is not defined"
        hint = "add: name SESSION" if found is None else "define it above: bfd_instance"
        complaints.warning(f"BFD_CHECK is ignored: {said}", (found or check).at, hint=hint)
        return None
    state = "is down" if alpha else "counts as up"
    message = f"BFD_CHECK: nothing speaks BFD yet: as far as this check goes the server {state} for good"
    complaints.warning(message, found.at, hint="check it in another way, too")
    timing = Timing(
        delay_loop_ns=_LOOK_NS, retry=0, delay_before_retry_ns=_LOOK_NS, warmup_ns=0,
        log_all_failures=around.log_all_failures,
    )  # fmt: skip
    return BfdCheck(session=found.text(), timing=timing, alpha=alpha)
