"""The fields of the documents beside their number: a program of another number does not read them."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import typing

from pyhad.common.config import model

KNOWN = (3, "4394c50018c8270b")
"""`SCHEMA`, and what `fingerprint` was with it."""


def kinds_of(hint: object) -> set[type]:
    """Dataclasses and enumerations that an annotation names, also those within."""
    found = {kind for part in typing.get_args(hint) for kind in kinds_of(part)}
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, enum.Enum)):
        found.add(hint)
    return found


def everything_in(documents: object) -> list[type]:
    """What travels in documents, by name."""
    found: set[type] = set()
    new = kinds_of(documents)
    while new:
        found |= new
        hints = [typing.get_type_hints(kind) for kind in new if dataclasses.is_dataclass(kind)]
        new = {kind for each in hints for hint in each.values() for kind in kinds_of(hint)} - found
    return sorted(found, key=lambda kind: kind.__name__)


def words_of(kind: type) -> list[str]:
    """One word for each field with its type and its default, which does not travel; or for each member."""
    if dataclasses.is_dataclass(kind):
        return [f"{field.name}: {field.type}{default_of(field)}" for field in dataclasses.fields(kind)]
    return [f"{member.name} = {member.value}" for member in typing.cast(type[enum.Enum], kind)]


def default_of(field: dataclasses.Field[typing.Any]) -> str:
    return "" if field.default is dataclasses.MISSING else f" = {field.default!r}"


def fingerprint(documents: object) -> str:
    text = "\n".join(f"{kind.__name__}({', '.join(words_of(kind))})" for kind in everything_in(documents))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def test_documents_with_other_fields_have_another_number() -> None:
    there = model.SCHEMA, fingerprint(model.Document)
    assert there == KNOWN, (
        f"the fields of the documents are others than at {KNOWN}: raise SCHEMA in common/config/model.py, "
        f"and write what this test then finds here (now {there})"
    )


def test_a_field_more_or_of_another_type_or_default_is_seen() -> None:
    one = dataclasses.make_dataclass("Some", [("first", "int")])
    more = dataclasses.make_dataclass("Some", [("first", "int"), ("second", "int", dataclasses.field(default=1))])
    other = dataclasses.make_dataclass("Some", [("first", "str")])
    meant = dataclasses.make_dataclass("Some", [("first", "int"), ("second", "int", dataclasses.field(default=2))])
    assert len({fingerprint(kind) for kind in (one, more, other, meant)}) == 4
