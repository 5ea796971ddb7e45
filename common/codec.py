"""Frozen dataclasses to msgpack bytes and back, driven by their annotations and strict both ways.

A dataclass travels as `[kind, {field: value}]`, without the fields that have their default. Decoding checks kind,
field names and every value's type; whatever does not fit raises `WireError`, never anything else. The only file that
imports msgpack.

Understood annotations: int, bool, str, bytes, float, None, StrEnum/IntEnum classes, `tuple[T, ...]`,
`dict[str, T]`, dataclasses, and unions of these; `Sequence[T]` for what may travel sealed (`Sealed`). No extension
types.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import hashlib
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import Any, Generic, TypeVar

import msgpack

from pyhad.common.errors import WireError
from pyhad.common.sealed import Sealed

MAX_BYTES = 128 * 1024 * 1024

T = TypeVar("T")
Reader = Callable[[object], Any]


def encode(message: object) -> bytes:
    """One dataclass instance as bytes. What is within is taken apart as it is packed: no second copy of it is made."""
    return msgpack.packb(message, use_bin_type=True, default=_apart)


def _apart(value: object) -> object:
    """A dataclass as what travels. Asked for what msgpack does not know; enumerations it knows by what they inherit.

    The defaults that matter (numbers, flags, empty texts, members of enumerations) are one object wherever they stand.
    """
    if isinstance(value, Sealed):
        return list(value.parts)
    defaults = _defaults(typing.cast(typing.Hashable, type(value)))
    fields = {name: one for name, default in defaults if (one := getattr(value, name)) is not default}
    return [type(value).__name__, fields]


@functools.cache
def _defaults(kind: typing.Hashable) -> tuple[tuple[str, object], ...]:
    """The fields of a kind with their defaults; MISSING, which nothing is, where there is none."""
    if not dataclasses.is_dataclass(kind):
        raise TypeError(f"{kind!r} cannot travel: not a dataclass")
    return tuple((field.name, field.default) for field in dataclasses.fields(kind))


class Alike:
    """Makes one object of equal ones while they are read: texts, and values of the given kinds. Remembers `most`."""

    __slots__ = ("_known", "_most", "kinds")

    def __init__(self, kinds: frozenset[type], most: int = 1 << 20) -> None:
        self.kinds = kinds
        self._most = most
        self._known: dict[object, Any] = {}

    def one(self, value: T) -> T:
        """The first of those equal to it."""
        if len(self._known) >= self._most:
            self._known.clear()
        return typing.cast(T, self._known.setdefault(value, value))


class Decoder:
    """Reads any of the given dataclasses. Build once per channel, at import. `hands_on`: what came sealed stays so."""

    def __init__(self, kinds: Iterable[type], alike: Alike | None = None, *, hands_on: bool = False) -> None:
        self._kinds = {kind.__name__: kind for kind in kinds}
        self._alike = alike
        self._hands_on = hands_on

    def decode(self, frame: bytes) -> Any:
        """The message in `frame`. Raises `WireError` for anything that is not exactly one known message."""
        if len(frame) > MAX_BYTES:
            raise WireError(f"frame of {len(frame)} bytes is over the limit of {MAX_BYTES}")
        name, fields = _envelope(_unpack(frame))
        kind = self._kinds.get(name)
        if kind is None:
            raise WireError(f"unknown kind {name[:40]!r}")
        with _reading(alike=self._alike, hands_on=self._hands_on):
            return _build(kind, fields)


def decode(
    kind: type[T], frame: bytes, breathe: Callable[[], None] | None = None, alike: frozenset[type] = frozenset()
) -> T:
    """The one message of type `kind` in `frame`. Raises `WireError`.

    Entry by entry: a document of thousands of servers is never there as lists and dictionaries.
    `breathe` runs between the entries of tuples: a great document takes longer than somebody's loop may stand still.
    Of values of the kinds in `alike`, and of texts with them, equal ones become one object.
    """
    items = _item_readers(typing.cast(typing.Hashable, kind))

    def take(name: str, unpacker: msgpack.Unpacker) -> object:
        read = items.get(name)
        return unpacker.unpack() if read is None else tuple([read(entry) for entry in _unpacked(unpacker)])

    with _reading(breathe, Alike(alike) if alike else None):
        return typing.cast(T, _build(kind, _streamed(kind, frame, take), done=items.keys()))


_breathe: Callable[[], None] | None = None
_alike: Alike | None = None
_hands_on = False


@contextlib.contextmanager
def _reading(
    breathe: Callable[[], None] | None = None, alike: Alike | None = None, *, hands_on: bool = False
) -> Iterator[None]:
    """What readers find around them. They are too many and too often called to be handed it."""
    global _breathe, _alike, _hands_on
    _breathe, _alike, _hands_on = breathe, alike, hands_on
    try:
        yield
    finally:
        _breathe = _alike = None
        _hands_on = False


def _unpacked(unpacker: msgpack.Unpacker) -> Iterator[object]:
    for _ in range(unpacker.read_array_header()):
        if _breathe is not None:
            _breathe()
        yield unpacker.unpack()


def _streamed(kind: type, frame: bytes, take: Callable[[str, msgpack.Unpacker], object]) -> dict[str, object]:
    """The fields of the one `kind` in `frame`; `take(name, unpacker)` reads each. Raises `WireError`."""
    if len(frame) > MAX_BYTES:
        raise WireError(f"frame of {len(frame)} bytes is over the limit of {MAX_BYTES}")
    unpacker = msgpack.Unpacker(raw=False, strict_map_key=True, use_list=True, max_buffer_size=MAX_BYTES)
    fields: dict[str, object] = {}
    try:
        unpacker.feed(frame)
        if unpacker.read_array_header() != 2 or unpacker.unpack() != kind.__name__:
            raise WireError(f"not one {kind.__name__}")
        for _ in range(unpacker.read_map_header()):
            name = unpacker.unpack()
            fields[name] = take(name, unpacker)
        if unpacker.tell() != len(frame):
            raise WireError("more than one message")
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise WireError(f"not msgpack: {str(error)[:80]}") from None
    return fields


def _entries(value: object) -> Iterator[object]:
    for entry in _expect(value, list):
        if _breathe is not None:
            _breathe()
        yield entry


class Rereader(Generic[T]):
    """Reads one document again and again: items of its field `part` that are as they were are the same objects.

    So most of a large document that changed little is neither built again nor held twice. One that is the same but for
    the integer in its field `number` is not even unpacked.
    """

    def __init__(self, kind: type[T], part: str, number: str) -> None:
        self._kind = kind
        self._part = part
        self._number = number
        self._last: tuple[bytes, T] | None = None
        self._item = _reader(typing.get_args(typing.get_type_hints(kind)[part])[0])
        self._known: dict[bytes, Any] = {}

    def read(self, frame: bytes) -> T:
        """The document in `frame`. Raises `WireError`; what is known stays then."""
        digest, value = _but_for(frame, self._number)
        if self._last is not None and self._last[0] == digest:
            last: Any = self._last[1]
            return typing.cast(T, dataclasses.replace(last, **{self._number: value}))
        document = self._build(frame)
        self._last = digest, document
        return document

    def _build(self, frame: bytes) -> T:
        """Item by item from the bytes: a document of thousands of servers is never there as lists and dictionaries."""
        known: dict[bytes, Any] = {}

        def take(name: str, unpacker: msgpack.Unpacker) -> object:
            if name != self._part:
                return unpacker.unpack()
            items: list[Any] = []
            for _ in range(unpacker.read_array_header()):
                start = unpacker.tell()
                unpacker.skip()
                items.append(self._item_of(frame[start : unpacker.tell()], known))
            return tuple(items)

        document = _build(self._kind, _streamed(self._kind, frame, take), done={self._part})
        self._known = known
        return typing.cast(T, document)

    def _item_of(self, content: bytes, known: dict[bytes, Any]) -> Any:
        digest = hashlib.blake2b(content, digest_size=16).digest()
        item = self._known.get(digest)
        known[digest] = item if item is not None else self._item(_unpack(content))
        return known[digest]


_INTEGER_BYTES = {0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9}
_NUMBER_WITHIN = 256


def _but_for(frame: bytes, field: str) -> tuple[bytes, int]:
    """(digest of all but that integer, the integer) of a field near the beginning; of the whole where there is none."""
    key = bytes((0xA0 | len(field),)) + field.encode()
    at = frame.find(key, 0, _NUMBER_WITHIN)
    start = end = len(frame)
    value = 0
    if at >= 0 and at + len(key) < len(frame):
        start = at + len(key)
        end = start + (1 if frame[start] < 0x80 else _INTEGER_BYTES.get(frame[start], 0))
        value = int.from_bytes(frame[start + (end - start > 1) : end], "big")
    digest = hashlib.blake2b(memoryview(frame)[:start], digest_size=16)
    digest.update(b"|")
    digest.update(memoryview(frame)[end:])
    return digest.digest(), value


def _unpack(frame: bytes) -> object:
    try:
        return msgpack.unpackb(frame, raw=False, strict_map_key=True, use_list=True)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise WireError(f"not msgpack: {str(error)[:80]}") from None


def _envelope(value: object) -> tuple[str, dict[str, object]]:
    if not (isinstance(value, list) and len(value) == 2):
        raise WireError("not a [kind, fields] pair")
    name, fields = value
    if not (isinstance(name, str) and isinstance(fields, dict)):
        raise WireError("not a [kind, fields] pair")
    return name, fields


def _build(kind: type, fields: dict[str, object], done: Set[str] = frozenset()) -> object:
    """One `kind` of what was unpacked; the fields that are `done` have been read already."""
    readers, required = _readers(kind)
    if not (fields.keys() <= readers.keys() and fields.keys() >= required):
        odd = sorted(str(name)[:40] for name in fields.keys() - readers.keys() | required - fields.keys())
        raise WireError(f"{kind.__name__}: missing or extra fields {odd[:5]}")
    name = ""
    values = {}
    try:
        for name, value in fields.items():
            values[name] = value if name in done else readers[name](value)
    except WireError as error:
        raise WireError(f"{kind.__name__}.{name}: {error}") from None
    made: object = kind(**values)
    return made if _alike is None or kind not in _alike.kinds else _alike.one(made)


@functools.cache
def _item_readers(kind: typing.Hashable) -> dict[str, Reader]:
    """How the entries of its fields that are tuples are read."""
    hints = typing.get_type_hints(kind)
    return {
        name: _reader(typing.get_args(hints[name])[0])
        for name, _ in _defaults(kind)
        if typing.get_origin(hints[name]) is tuple
    }


@functools.cache
def _readers(kind: type) -> tuple[dict[str, Reader], frozenset[str]]:
    """How each field is read, and which must be there."""
    hints = typing.get_type_hints(kind)
    required = frozenset(
        field.name for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    )  # fmt: skip
    return {name: _reader(hints[name]) for name, _ in _defaults(kind)}, required


def _reader(hint: Any) -> Reader:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _union_reader(typing.get_args(hint))
    if origin is tuple:
        item = _reader(typing.get_args(hint)[0])
        return lambda value: tuple([item(entry) for entry in _entries(value)])
    if origin is Sequence:
        return _sequence_reader(typing.get_args(hint)[0])
    if origin is dict:
        item = _reader(typing.get_args(hint)[1])
        return lambda value: {_expect(key, str): item(entry) for key, entry in _expect(value, dict).items()}
    if hint is type(None):
        return lambda value: _expect(value, type(None))
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _enum_reader(hint)
    if dataclasses.is_dataclass(hint):
        return functools.partial(_read_nested, {typing.cast(type, hint).__name__: hint})
    if hint is str:
        return _read_text
    if hint in (int, bool, bytes, float):
        return _plain_reader(hint)
    raise TypeError(f"annotation {hint!r} cannot travel")


def _sequence_reader(kind: Any) -> Reader:
    item = _reader(kind)

    def opened(part: bytes) -> Iterator[Any]:
        return map(item, _expect(_unpack(part), list))

    def read(value: object) -> Sequence[Any]:
        entries = _expect(value, list)
        if not (entries and all(type(entry) is bytes for entry in entries)):
            return tuple([item(entry) for entry in entries])
        sealed = Sealed(entries, opened)
        return sealed if _hands_on else tuple(sealed)

    return read


def _union_reader(members: tuple[Any, ...]) -> Reader:
    nested: dict[str, Any] = {str(member.__name__): member for member in members if _is_message(member)}
    others = [_reader(member) for member in members if not _is_message(member)]
    if nested:
        others.append(functools.partial(_read_nested, nested))

    def read(value: object) -> object:
        problem = "fits no member of the union"
        for other in others:
            try:
                return other(value)
            except WireError as error:
                problem = str(error)
        raise WireError(problem)

    return read


def _is_message(hint: Any) -> bool:
    return isinstance(hint, type) and dataclasses.is_dataclass(hint)


def _read_nested(kinds: dict[str, Any], value: object) -> object:
    name, fields = _envelope(value)
    kind = kinds.get(name)
    if kind is None:
        raise WireError(f"unknown kind {name[:40]!r}")
    return _build(kind, fields)


def _enum_reader(kind: type[enum.Enum]) -> Reader:
    members = {member.value: member for member in kind}

    def read(value: Any) -> enum.Enum:
        try:
            return members[value]
        except (KeyError, TypeError):
            raise WireError(f"not a {kind.__name__}: {str(value)[:40]!r}") from None

    return read


def _plain_reader(kind: type) -> Reader:
    def read(value: object) -> object:
        if type(value) is not kind:
            raise WireError(f"expected {kind.__name__}, got {type(value).__name__}")
        return value

    return read


def _read_text(value: object) -> str:
    text: str = _expect(value, str)
    return text if _alike is None else _alike.one(text)


def _expect(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise WireError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value
