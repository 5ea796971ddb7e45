"""libnftables by ctypes: commands as text, one transaction each. Knows no table. CAP_NET_ADMIN is enough."""

from __future__ import annotations

import ctypes
import errno

from pyhad.common.errors import KernelError

LIBRARY = "libnftables.so.1"
_OUTPUT_STATELESS = 1 << 1  # NFT_CTX_OUTPUT_STATELESS
_OUTPUT_JSON = 1 << 4  # NFT_CTX_OUTPUT_JSON
_OUTPUT_TERSE = 1 << 11  # NFT_CTX_OUTPUT_TERSE
_DEFAULT = 0  # NFT_CTX_DEFAULT


class Nft:
    """One context with output in buffers of our own. Raises `KernelError` when the library is missing."""

    def __init__(self) -> None:
        try:
            library = ctypes.CDLL(LIBRARY)
        except OSError as error:
            raise KernelError("load libnftables", errno.ENOENT, str(error)) from None
        library.nft_ctx_new.restype = ctypes.c_void_p
        library.nft_ctx_new.argtypes = [ctypes.c_uint32]
        library.nft_ctx_output_set_flags.argtypes = [ctypes.c_void_p, ctypes.c_uint]
        library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        library.nft_ctx_free.argtypes = [ctypes.c_void_p]
        for name in ("nft_ctx_buffer_output", "nft_ctx_buffer_error"):
            getattr(library, name).argtypes = [ctypes.c_void_p]
        for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
            getattr(library, name).argtypes = [ctypes.c_void_p]
            getattr(library, name).restype = ctypes.c_char_p
        self._library = library
        self._context = library.nft_ctx_new(_DEFAULT)
        if not self._context:
            raise KernelError("nft_ctx_new", errno.ENOMEM)
        library.nft_ctx_buffer_output(self._context)
        library.nft_ctx_buffer_error(self._context)

    def run(self, commands: str, *, terse: bool = False, stateless: bool = False) -> str:
        """Run `commands` as one transaction; returns what nft printed, `terse` without elements of sets and maps.
        `stateless`: without counters.

        Raises `KernelError` with nft's first line.
        """
        flags = _OUTPUT_JSON | (_OUTPUT_TERSE if terse else 0) | (_OUTPUT_STATELESS if stateless else 0)
        self._library.nft_ctx_output_set_flags(self._context, flags)
        status = self._library.nft_run_cmd_from_buffer(self._context, commands.encode())
        printed: bytes = self._library.nft_ctx_get_output_buffer(self._context) or b""
        complaint: bytes = self._library.nft_ctx_get_error_buffer(self._context) or b""
        if status != 0:
            text = complaint.decode("utf-8", "replace").strip()
            raise KernelError("nft", _errno_of(text), text.splitlines()[0] if text else "no reason given")
        return printed.decode()

    def trim(self) -> None:
        """Give memory back: a listing of thousands of servers takes a hundred MiB for a moment."""
        if hasattr(self._library, "malloc_trim"):  # glibc, which libnftables brings into our sight
            self._library.malloc_trim(0)

    def close(self) -> None:
        """Release the context and its netlink socket."""
        if self._context:
            self._library.nft_ctx_free(self._context)
            self._context = None


def _errno_of(text: str) -> int:
    """nft reports in words; the two that decide what we do are told apart."""
    if "Operation not permitted" in text:
        return errno.EPERM
    return errno.ENOENT if "No such file or directory" in text else errno.EINVAL
