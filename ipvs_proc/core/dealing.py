"""Who gets which share of the new connections, where the kernel only deals by number or by hash. Pure.

A list of endpoints: the kernel takes them in turn (rr, wrr) or picks one by a hash of the client (sh, mh).
"""

from __future__ import annotations

import hashlib
import math

from pyhad.ipvs_proc.core.table import Endpoint, Entry

SLOTS_MAX = 1024
HASH_SLOTS = 1021
"""A prime: every step through the slots comes to all of them."""


def slots(entry: Entry) -> list[Endpoint]:
    """Each endpoint as often as its weight says: one of weight 0 never, rr and one of another weight once."""
    weights = {endpoint: each.weight for endpoint, each in entry.destinations.items() if each.weight > 0}
    if entry.service.scheduler == "rr" or len(weights) < 2:
        return list(weights)
    shares = _shares(weights)
    return _consistent(shares) if entry.service.scheduler == "mh" else _interleaved(shares)


def _shares(weights: dict[Endpoint, int]) -> dict[Endpoint, int]:
    """Divided by their common divisor; with a sum above SLOTS_MAX scaled down, never to nothing."""
    divisor = math.gcd(*weights.values()) or 1
    total = sum(weights.values()) // divisor
    if total > SLOTS_MAX:
        return {endpoint: max(1, weight * SLOTS_MAX // (total * divisor)) for endpoint, weight in weights.items()}
    return {endpoint: weight // divisor for endpoint, weight in weights.items()}


def _interleaved(shares: dict[Endpoint, int]) -> list[Endpoint]:
    """Whose turn it is, round by round, spread evenly (smooth weighted round robin)."""
    if len(set(shares.values())) == 1:
        return list(shares) * next(iter(shares.values()))
    total = sum(shares.values())
    credit = dict.fromkeys(shares, 0)
    order: list[Endpoint] = []
    for _ in range(total):
        for endpoint, share in shares.items():
            credit[endpoint] += share
        chosen = max(credit, key=credit.__getitem__)
        credit[chosen] -= total
        order.append(chosen)
    return order


def _consistent(shares: dict[Endpoint, int]) -> list[Endpoint]:
    """Maglev's table: when a server goes, few slots of the others change hands.

    In rounds, each endpoint takes as many of its own favourite slots that are free as its share says.
    """
    walks = {endpoint: _walk(endpoint) for endpoint in sorted(shares)}
    taken: dict[int, Endpoint] = {}
    while True:
        for endpoint, (first, step) in walks.items():
            at = first
            for _ in range(shares[endpoint]):
                while at in taken:
                    at = (at + step) % HASH_SLOTS
                taken[at] = endpoint
                if len(taken) == HASH_SLOTS:
                    return [taken[slot] for slot in range(HASH_SLOTS)]
            walks[endpoint] = (at, step)


def _walk(endpoint: Endpoint) -> tuple[int, int]:
    """Its first favourite slot and the step to the next: the same on every node."""
    digest = hashlib.blake2b(f"{endpoint[0]} {endpoint[1]}".encode(), digest_size=8).digest()
    return int.from_bytes(digest[:4], "big") % HASH_SLOTS, int.from_bytes(digest[4:], "big") % (HASH_SLOTS - 1) + 1
