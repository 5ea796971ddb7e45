"""What of a verdict can be true. The checker has fewer rights than the owner of the table: it is not believed unseen.

Ids of services and servers, and reasons, are only compared and looked up. All else goes into the kernel, into commands
for nft and into reports: it is looked at here. Pure.
"""

from __future__ import annotations

import functools
import ipaddress

from pyhad.common.messages import Verdict

MAX_WEIGHT = 2147483647
"""Of a server: a signed number of 32 bits in the kernel."""
MAX_TIME_NS = 1 << 62
"""No clock comes so far. Sums of two such times still fit into a message."""
_ADDRESS_CHARS = 45


def fault_in(verdict: Verdict, family: int) -> str:
    """What cannot be true, as a fixed token; empty: nothing. `family`: of a server given by its name, else 0.

    The address of a server that is configured with one is not looked at, for nobody uses it.
    """
    if not 0 <= verdict.weight <= MAX_WEIGHT:
        return "weight_impossible"
    if not 0 <= verdict.since_ns <= MAX_TIME_NS:
        return "time_impossible"
    if family and verdict.address and not is_place(verdict.address, family):
        return "address_impossible"
    return ""


def is_place(address: str, family: int) -> bool:
    """Whether that is an address as it is written here, and a server may have it: one host's, of `family`, no zone."""
    return len(address) <= _ADDRESS_CHARS and _is_place(address, family)


@functools.lru_cache(maxsize=65536)
def _is_place(address: str, family: int) -> bool:
    if "%" in address:  # what stands behind it may be any text
        return False
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    nobody = parsed.is_unspecified or parsed.is_loopback or parsed.is_multicast
    return str(parsed) == address and parsed.version == family and not nobody
