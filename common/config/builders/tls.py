"""The `SSL` block to the model: the only builder that reads files, since the checker has no right to.

The last block counts. What does not fit is an error here, not a failed check later.
"""

from __future__ import annotations

import os
import stat

from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import TlsClient
from pyhad.common.config.tree import Statement
from pyhad.common.errors import ConfigError
from pyhad.common.tls import client_context

MAX_BYTES = 256 * 1024
"""Of one file: a chain of a hundred certificates is far below."""


def build_tls(root: Statement, complaints: Complaints) -> TlsClient:
    """The client material for SSL_GET; empty without an `SSL` block."""
    block = root.last("SSL")
    if block is None:
        return TlsClient()
    before = len(complaints.diagnostics)
    client = TlsClient(
        certificate=_content(block, "certificate", complaints),
        key=_content(block, "key", complaints),
        ca=_content(block, "ca", complaints),
        password=block.text_of("password"),
    )
    if len(complaints.diagnostics) > before:
        return TlsClient()
    if client.key and not client.certificate:
        complaints.warning("SSL: the key is not used without a certificate", block.at)
    if client.certificate and not client.key and b"PRIVATE KEY" not in client.certificate:
        complaints.error("SSL certificate and key: there is no key", block.at, hint="add: key FILE")
        return TlsClient()
    try:
        client_context(client)
    except ConfigError as problem:
        complaints.error(problem.message, block.at)
        return TlsClient()
    return client


def _content(block: Statement, name: str, complaints: Complaints) -> bytes:
    found = block.last(name)
    if found is None:
        return b""
    path = found.text()
    try:
        return _read(path)
    except OSError as error:
        complaints.error(f"SSL {name}: cannot read {path}: {error.strerror or error}", found.at)
        return b""


def _read(path: str) -> bytes:
    """A plain file of reasonable size; never waits for a pipe or a device. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(0, "not a plain file")
        content = os.read(fd, MAX_BYTES + 1)
    finally:
        os.close(fd)
    if len(content) > MAX_BYTES:
        raise OSError(0, f"longer than {MAX_BYTES} bytes")
    return content
