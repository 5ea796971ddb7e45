"""The TLS of outgoing checks: one context per client material, no verification, nothing read from any file system."""

from __future__ import annotations

import os
import ssl

from pyhad.common.config.model import TlsClient
from pyhad.common.errors import ConfigError

_UNUSABLE = "not usable (no PEM, or a wrong password)"


def client_context(client: TlsClient, *, http2: bool = False) -> ssl.SSLContext:
    """A context as keepalived's: the server's certificate is taken as it comes (CHK-26), ours is shown if asked for.

    With `http2` it offers that by ALPN, and nothing else.
    The limits on versions and ciphers are those of the machine's OpenSSL. Raises `ConfigError` naming the part of the
    material that does not fit, never showing any of it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT")
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # tls_compliant has to see it
    if http2:
        context.set_alpn_protocols(["h2"])
    if client.ca:
        try:
            context.load_verify_locations(cadata=client.ca.decode("ascii", "replace"))
        except (ssl.SSLError, ValueError) as error:
            raise ConfigError(f"SSL ca: {_cause(error, 'no certificate in PEM')}") from None
    if client.certificate:
        _load_certificate(context, client)
    return context


def _load_certificate(context: ssl.SSLContext, client: TlsClient) -> None:
    """The interface takes names of files only; a memory file of our own has one."""
    fd = os.memfd_create("client-certificate", os.MFD_CLOEXEC)
    try:
        with open(fd, "wb", closefd=False) as file:
            file.write(client.certificate + b"\n" + client.key)
        # A password is always given: without one OpenSSL would ask the terminal.
        context.load_cert_chain(f"/proc/self/fd/{fd}", password=client.password)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(f"SSL certificate and key: {_cause(error, _UNUSABLE)}") from None
    finally:
        os.close(fd)


def _cause(error: Exception, otherwise: str) -> str:
    """OpenSSL's word for it, without its place in OpenSSL's source."""
    reason = getattr(error, "reason", None)
    return str(reason).lower().replace("_", " ") if reason else otherwise
