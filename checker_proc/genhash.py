"""`pyhad --genhash`: asks for one page as a check would and prints the digest that a `digest` line wants (CHK-23).

Options and output are those of genhash. Other than there a page that could not be had is an error (exit status 1).
"""

from __future__ import annotations

import argparse
import binascii
import ipaddress
import socket
import ssl
import sys
import time
from collections.abc import Callable, Sequence

from pyhad.checker_proc.core.http import ResponseReader
from pyhad.checker_proc.core.http_request import request_bytes
from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.config.model import HttpCheck, HttpUrl, Target, Timing, TlsClient
from pyhad.common.tls import client_context

FAILED = 1
_SO_MARK = 36
_READ_BYTES = 65536
_LONGEST_S = 86_400
_RULE = "-" * 23
_PROTOCOLS = {"1.0": "1.0", "1.0c": "1.0C", "1.0C": "1.0C", "1.1": "1.1"}


def main(words: Sequence[str]) -> int:
    """Do what the words after `--genhash` say; the exit status."""
    arguments = _parser().parse_args(words)
    check = HttpCheck(
        target=Target(address=str(arguments.server), port=arguments.port, connect_timeout_ns=0),
        timing=Timing(),
        alpha=False,
        urls=(HttpUrl(path=arguments.url, host=arguments.use_virtualhost),),
        http_protocol=_PROTOCOLS[arguments.protocol],
        tls=arguments.use_ssl,
    )
    began_ns = time.monotonic_ns()
    try:
        reader, raw = _ask(check, arguments.use_virtualhost if arguments.use_sni else "", arguments)
    except (OSError, ValueError) as error:  # the latter for a name that cannot stand in a TLS handshake
        sys.stderr.write(f"Connection failed: {error}\n")
        return FAILED
    if reader.problem is not None:
        sys.stderr.write(f"no page: {Reason(reader.problem)}\n")
        return FAILED
    if arguments.verbose:
        elapsed_us = (time.monotonic_ns() - began_ns) // 1000
        _print_all(raw, reader.body.digest(), arguments.url, elapsed_us)
    else:
        _say(reader.body.digest())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pyhad --genhash", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("-s", "--server", type=_address, required=True, help="address of the server")
    parser.add_argument("-p", "--port", type=_number(1, 65535), required=True)
    parser.add_argument("-u", "--url", required=True, help="path of the page")
    parser.add_argument("-S", "--use-ssl", action="store_true", help="over TLS")
    parser.add_argument("-I", "--use-sni", action="store_true", help="name the virtual host in the TLS handshake")
    parser.add_argument("-V", "--use-virtualhost", default="", metavar="NAME", help="Host of the request")
    parser.add_argument("-P", "--protocol", choices=sorted(_PROTOCOLS), default="1.0", help="as http_protocol")
    parser.add_argument("-m", "--fwmark", type=_number(0, 2**31 - 1), default=0)
    parser.add_argument("-t", "--timeout", type=_seconds, default=5.0, metavar="SECONDS", help="of each step (5)")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what came")
    return parser


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"server should be an IP, not {text:<16}") from None


def _number(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"a number from {least} to {most}, not {text}")
        return int(text)

    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST_S:
        raise argparse.ArgumentTypeError(f"seconds above 0, at most {_LONGEST_S}, not {text}")
    return seconds


def _ask(check: HttpCheck, name: str, arguments: argparse.Namespace) -> tuple[ResponseReader, bytes]:
    """One request, and all that came. To connect, to agree on TLS and to answer may take `timeout` each.

    Raises OSError, and ValueError for a name that TLS does not take.
    """
    reader = ResponseReader(wants_digest=True)
    raw = bytearray()
    target = check.target
    family = socket.AF_INET6 if ":" in target.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as plain:
        plain.settimeout(arguments.timeout)
        if arguments.fwmark:
            plain.setsockopt(socket.SOL_SOCKET, _SO_MARK, arguments.fwmark)
        plain.connect((target.address, target.port))
        stream = client_context(TlsClient()).wrap_socket(plain, server_hostname=name or None) if check.tls else plain
        with stream:
            stream.sendall(request_bytes(check, check.urls[0]))
            end_ns = time.monotonic_ns() + int(arguments.timeout * 1e9)
            while not reader.is_done:
                left_ns = end_ns - time.monotonic_ns()
                if left_ns <= 0:
                    raise TimeoutError("timed out")
                stream.settimeout(left_ns / 1e9)
                try:
                    data = stream.recv(_READ_BYTES)
                except ssl.SSLEOFError:  # an end without close_notify is one all the same
                    data = b""
                raw += data
                if not data:
                    reader.end()
                reader.feed(data)
    return reader, bytes(raw)


def _print_all(raw: bytes, digest: str, url: str, elapsed_us: int) -> None:
    head, blank, body = raw.partition(b"\r\n\r\n")
    head += blank
    _say(f"{_RULE}[    HTTP Header Buffer    ]{_RULE}")
    _dump(head)
    _say(f"{_RULE}[ HTTP Header Ascii Buffer ]{_RULE}")
    _say("\n".join(map(_visible, head.split(b"\r\n"))))
    _say(f"{_RULE}[        HTML Buffer        ]{_RULE}")
    _dump(body)
    _say(f"\n{_RULE}[    HTML hash resulting    ]{_RULE}")
    _dump(binascii.unhexlify(digest))
    _say(f"{_RULE}[ HTML hash final resulting ]{_RULE}")
    _say(digest)
    _say(f"\nGlobal response time for [{url}] = {elapsed_us} usecs")


def _dump(data: bytes) -> None:
    """Sixteen bytes a line: place in decimal, hex in two halves, what can be printed."""
    for at in range(0, len(data), 16):
        line = data[at : at + 16]
        halves = [" ".join(f"{byte:02x}" for byte in line[half : half + 8]) for half in (0, 8)]
        _say(f"{at:04d}  {halves[0]:<23} - {halves[1]:<23}   {_visible(line):<16}")


def _visible(data: bytes) -> str:
    """What a terminal may be given of it."""
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
