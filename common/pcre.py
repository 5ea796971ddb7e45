"""PCRE2 through its own library, bounded in time: what `regex` of HTTP_GET means to operators (decision 7).

A pattern meets bytes of a stranger inside the checker's loop, so every search ends after `BUDGET_NS` and one call at
the latest, found or not. Only here is the library called.
"""

from __future__ import annotations

import ctypes
import functools
import time

from pyhad.common.config.model import Regex
from pyhad.common.errors import ConfigError

LIBRARY = "libpcre2-8.so.0"
BUDGET_NS = 50_000_000
"""CPU time of the search after which no further call begins."""
STEPS = 2_500_000
"""Backtracking steps of one call, all its starting places together: some 30 ms, enough to cross the longest body."""
MOST_STARTS = 4096
HEAP_KIB = 32 * 1024

OPTIONS = {
    "allow_empty_class": 0x00000001,
    "alt_bsux": 0x00000002,
    "auto_callout": 0x00000004,
    "caseless": 0x00000008,
    "dollar_endonly": 0x00000010,
    "dotall": 0x00000020,
    "dupnames": 0x00000040,
    "extended": 0x00000080,
    "firstline": 0x00000100,
    "match_unset_backref": 0x00000200,
    "multiline": 0x00000400,
    "never_ucp": 0x00000800,
    "never_utf": 0x00001000,
    "no_auto_capture": 0x00002000,
    "no_auto_possess": 0x00004000,
    "no_dotstar_anchor": 0x00008000,
    "no_start_optimize": 0x00010000,
    "ucp": 0x00020000,
    "ungreedy": 0x00040000,
    "utf": 0x00080000,
    "never_backslash_c": 0x00100000,
    "alt_circumflex": 0x00200000,
    "alt_verbnames": 0x00400000,
    "use_offset_limit": 0x00800000,
}
_NO_UTF_CHECK = 0x40000000
_INFO_ALLOPTIONS = 0
_NO_MATCH = -1
_LIMITS = (-47, -53, -63)  # match, depth, heap


class _Library:
    """The functions we use, typed, and the scratch memory that all searches share."""

    def __init__(self) -> None:
        try:
            library = ctypes.CDLL(LIBRARY)
        except OSError as error:
            raise ConfigError(f"regex needs {LIBRARY}: {error}", hint="install libpcre2-8-0") from None
        pointer, size, u32 = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32
        self.compile = library.pcre2_compile_8
        self.compile.restype = pointer
        self.compile.argtypes = [ctypes.c_char_p, size, u32, pointer, pointer, pointer]
        self.match = library.pcre2_match_8
        self.match.restype = ctypes.c_int
        self.match.argtypes = [pointer, ctypes.c_char_p, size, size, u32, pointer, pointer]
        self.info = library.pcre2_pattern_info_8
        self.info.argtypes = [pointer, u32, pointer]
        self.message = library.pcre2_get_error_message_8
        self.message.argtypes = [ctypes.c_int, ctypes.c_char_p, size]
        self.free = library.pcre2_code_free_8
        self.free.restype = None
        self.free.argtypes = [pointer]
        self.limit_steps = library.pcre2_set_match_limit_8
        self.limit_steps.argtypes = [pointer, u32]
        self.limit_start = library.pcre2_set_offset_limit_8
        self.limit_start.argtypes = [pointer, size]
        library.pcre2_match_context_create_8.restype = pointer
        library.pcre2_match_context_create_8.argtypes = [pointer]
        library.pcre2_match_data_create_8.restype = pointer
        library.pcre2_match_data_create_8.argtypes = [u32, pointer]
        library.pcre2_set_heap_limit_8.argtypes = [pointer, u32]
        self.context = library.pcre2_match_context_create_8(None)
        self.data = library.pcre2_match_data_create_8(1, None)
        library.pcre2_set_heap_limit_8(self.context, HEAP_KIB)


@functools.cache
def _library() -> _Library:
    return _Library()


class Pattern:
    """One compiled pattern. Raises ConfigError when it does not compile, with PCRE2's words and place."""

    __slots__ = ("_code", "_first_line", "_free", "_is_utf", "_regex")

    def __init__(self, regex: Regex) -> None:
        library = _library()
        text = regex.pattern.encode("utf-8", "surrogateescape")
        options = OPTIONS["use_offset_limit"]
        for name in regex.options:
            options |= OPTIONS[name]
        number, place = ctypes.c_int(), ctypes.c_size_t()
        self._free = library.free
        self._code = library.compile(text, len(text), options, ctypes.byref(number), ctypes.byref(place), None)
        if not self._code:
            said = ctypes.create_string_buffer(256)
            library.message(number, said, len(said))
            raise ConfigError(f"regex: {said.value.decode('ascii', 'replace')} (at character {place.value + 1})")
        effective = ctypes.c_uint32()  # (*UTF) inside the pattern counts too
        library.info(self._code, _INFO_ALLOPTIONS, ctypes.byref(effective))
        self._is_utf = bool(effective.value & OPTIONS["utf"])
        self._first_line = bool(effective.value & OPTIONS["firstline"])
        self._regex = regex

    def __del__(self) -> None:
        if getattr(self, "_code", None):
            self._free(self._code)

    def search(self, body: bytes) -> bool | None:
        """Whether it is found; None when that cannot be decided in time, or the body is not the text it must be.

        PCRE2 counts steps anew for each place where a match may start, so the places are offered in portions, of which
        a large one has few steps for each.
        """
        start, last = self._regex.min_offset, len(body)
        if self._regex.max_offset >= 0:
            last = min(last, self._regex.max_offset)
        if self._is_utf and not _is_utf8(body):
            return None
        if self._first_line and (end := body.find(b"\n", min(start, last))) >= 0:
            last = min(last, end)
        ends_ns = time.thread_time_ns() + BUDGET_NS
        starts = 1
        while start <= last:
            if self._is_utf:
                start = _whole_character(body, start)
            answer = self._try(body, start, min(last, start + starts - 1), STEPS // starts)
            if answer >= 0:
                return True
            if answer == _NO_MATCH:
                start += starts
                starts = min(MOST_STARTS, starts * 8)
            elif answer in _LIMITS and starts > 1:
                starts //= 8
            else:
                return None
            if start <= last and time.thread_time_ns() > ends_ns:
                return None
        return False

    def _try(self, body: bytes, start: int, last: int, steps: int) -> int:
        library = _library()
        library.limit_steps(library.context, steps)
        library.limit_start(library.context, last)
        options = _NO_UTF_CHECK if self._is_utf else 0
        answer: int = library.match(self._code, body, len(body), start, options, library.data, library.context)
        return answer


@functools.lru_cache(maxsize=4096)
def pattern_of(regex: Regex) -> Pattern:
    """The compiled pattern, compiled once. Raises ConfigError."""
    return Pattern(regex)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _whole_character(body: bytes, start: int) -> int:
    while start < len(body) and body[start] & 0xC0 == 0x80:
        start += 1
    return start
