"""Names and keys of the nftables form: how a listener and a destination are called there, and found again. Pure."""

from __future__ import annotations

import functools
import ipaddress
from typing import Any

from pyhad.common.config.model import Listener, Protocol
from pyhad.ipvs_proc.core.table import Endpoint

TABLE = "inet pyhad"
_NUMBERS = {6: Protocol.TCP, 17: Protocol.UDP, 132: Protocol.SCTP}


@functools.lru_cache(maxsize=65536)
def host(address: str) -> str:
    """An address as nft gets it: what was parsed, never what somebody wrote. Raises `ValueError`."""
    if "%" in address:
        raise ValueError(f"an address with a zone: {address!r}"[:200])
    return str(ipaddress.ip_address(address))


def chain_name(listener: Listener) -> str:
    """`tcp4.10.0.0.1.80`, `tcp6.fd00__1.80`, `fwm4.9`: an identifier that nft takes and that can be read back."""
    if listener.fwmark:
        return f"fwm{listener.family}.{listener.fwmark}"
    return f"{listener.protocol}{listener.family}.{host(listener.address).replace(':', '_')}.{listener.port}"


def destination_chain_name(listener: Listener, endpoint: Endpoint) -> str:
    """The service's name, a slash, the destination's."""
    return name_within(chain_name(listener), endpoint)


def name_within(chain: str, endpoint: Endpoint) -> str:
    """A destination's chain, where that of the service is called `chain`."""
    return f"{chain}/{host(endpoint[0]).replace(':', '_')}.{endpoint[1]}"


def clients_name(listener: Listener, endpoint: Endpoint) -> str:
    """The set of clients that a destination keeps (persistence)."""
    return f"clients/{destination_chain_name(listener, endpoint)}"


def services_map(listener: Listener) -> str:
    """The verdict map in which a service is found: by mark, by address and port, or by address alone."""
    kind = "marks" if listener.fwmark else "services" if listener.port else "hosts"
    return f"{kind}{listener.family}"


def service_key(listener: Listener) -> str:
    """Its key there."""
    if listener.fwmark:
        return str(listener.fwmark)
    if not listener.port:
        return f"{host(listener.address)} . {listener.protocol}"
    return f"{host(listener.address)} . {listener.protocol} . {listener.port}"


def weights_map(listener: Listener) -> str:
    """The map in which the weights of a service's destinations are kept."""
    return f"{'markweights' if listener.fwmark else 'weights'}{listener.family}"


def weight_key(listener: Listener, endpoint: Endpoint) -> str:
    """The key of one destination there."""
    service = (
        str(listener.fwmark) if listener.fwmark else f"{host(listener.address)} . {listener.protocol} . {listener.port}"
    )
    return f"{service} . {host(endpoint[0])} . {endpoint[1]}"


def masquerade_key(listener: Listener, endpoint: Endpoint) -> str:
    """What tells a translated connection in the postrouting hook: where it was to go, and where it goes."""
    return f"{host(listener.address)} . {host(endpoint[0])} . {listener.protocol} . {endpoint[1]}"


def listener_of(key: Any, family: int) -> Listener | None:
    """The listener of a `service_key` as nft lists it; None for what is none of ours."""
    if isinstance(key, int):
        return Listener(protocol=Protocol.NONE, family=family, fwmark=key)
    try:
        address, protocol, *port = key["concat"]
        known = _NUMBERS[protocol] if isinstance(protocol, int) else Protocol(protocol)
        host = str(ipaddress.ip_address(address))
        return Listener(protocol=known, family=family, address=host, port=int(port[0]) if port else 0)
    except (KeyError, ValueError, TypeError):
        return None


def place_of(key: Any, family: int, *, by_mark: bool) -> tuple[Listener, Endpoint] | None:
    """Listener and endpoint of a `weight_key` as nft lists it; None for what is none of ours."""
    try:
        *words, address, port = key["concat"]
        listener = listener_of(words[0] if by_mark else {"concat": words}, family)
        endpoint = str(ipaddress.ip_address(address)), int(port)
    except (KeyError, ValueError, TypeError, IndexError):
        return None
    return (listener, endpoint) if listener is not None else None
