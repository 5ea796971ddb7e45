"""The shape of one row of the keyword table. Data only: reads no text, knows no keyword."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from pyhad.common.config.arguments import Argument


class Form(enum.StrEnum):
    """How a keyword stands in the file."""

    KEYWORD = "keyword"
    FLAG = "flag"
    BLOCK = "block"
    VALUE_BLOCK = "value-block"
    OPTION = "option"
    DIRECTIVE = "directive"


class Acts(enum.StrEnum):
    """What pyhad does about a keyword today."""

    NOW = "acts"
    LATER = "understood, not yet acted on"
    LOUD = "understood, not yet acted on (warning)"
    """As LATER, but ignoring it weakens or changes what was asked for: said as a warning."""
    NOTHING = "accepted, without meaning here"


NOW, LATER, LOUD = Acts.NOW, Acts.LATER, Acts.LOUD
NOTHING = Acts.NOTHING


@dataclass(frozen=True, slots=True)
class Keyword:
    """One keyword of one block.

    `block` is dotted (`virtual_server.real_server.TCP_CHECK`), ROOT for the top level. `opens` is the block that a
    BLOCK opens, or whose options each line of a VALUE_BLOCK may use ("" for plain words). `options` is the block of
    the options that may follow on the keyword's own line. A `bare` option may stand without its word.
    """

    name: str
    arguments: tuple[Argument, ...]
    default: str
    meaning: str
    form: Form
    acts: Acts
    block: str = ""
    area: str = ""
    alias_of: str = ""
    deprecated: str = ""
    opens: str = ""
    options: str = ""
    leading: tuple[str, ...] = ()
    """Words that may stand before the first argument (`lock`, `inet6`)."""
    bare: bool = False
    secret: bool = False
    placeholder: bool = False
    """The name is not a word of the language: it describes what stands there."""
    canonical: str = field(init=False, repr=False, compare=False)
    """The name that builders look for: asked for a million times in a large configuration."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "canonical", self.alias_of or self.name)

    def syntax(self) -> str:
        """Arguments as a person writes them."""
        texts = [f"[{'|'.join(self.leading)}]"] if self.leading else []
        for argument in self.arguments:
            text = argument.label + ("..." if argument.many else "")
            texts.append(f"[{text}]" if argument.optional else text)
        if self.options:
            texts.append("[OPTION...]")
        if self.form in (Form.BLOCK, Form.VALUE_BLOCK):
            texts.append("{ ... }")
        return " ".join(texts)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows that one or several blocks have in common."""

    blocks: tuple[str, ...]
    area: str
    rows: tuple[Keyword, ...]


def word(
    name: str,
    arguments: Argument | tuple[Argument, ...],
    default: str,
    meaning: str,
    acts: Acts = LATER,
    *,
    form: Form = Form.KEYWORD,
    area: str = "",
    alias_of: str = "",
    deprecated: str = "",
    opens: str = "",
    options: str = "",
    leading: tuple[str, ...] = (),
    bare: bool = False,
    secret: bool = False,
    placeholder: bool = False,
) -> Keyword:
    """A row with arguments; its block is filled in by the table."""
    given = arguments if isinstance(arguments, tuple) else (arguments,)
    return Keyword(
        name=name,
        arguments=given,
        default=default,
        meaning=meaning,
        form=form,
        acts=acts,
        area=area,
        alias_of=alias_of,
        deprecated=deprecated,
        opens=opens,
        options=options,
        leading=leading,
        bare=bare,
        secret=secret,
        placeholder=placeholder,
    )


def flag(
    name: str,
    meaning: str,
    acts: Acts = LATER,
    *,
    default: str = "off",
    area: str = "",
    alias_of: str = "",
    deprecated: str = "",
    form: Form = Form.FLAG,
) -> Keyword:
    """A row without arguments."""
    return word(name, (), default, meaning, acts, form=form, area=area, alias_of=alias_of, deprecated=deprecated)


def option(
    name: str,
    arguments: Argument | tuple[Argument, ...],
    default: str,
    meaning: str,
    acts: Acts = LATER,
    *,
    alias_of: str = "",
    deprecated: str = "",
    leading: tuple[str, ...] = (),
    bare: bool = False,
    placeholder: bool = False,
) -> Keyword:
    """A row for a word inside a line."""
    return word(
        name,
        arguments,
        default,
        meaning,
        acts,
        form=Form.OPTION,
        alias_of=alias_of,
        deprecated=deprecated,
        leading=leading,
        bare=bare,
        placeholder=placeholder,
    )


def block(
    name: str, arguments: Argument | tuple[Argument, ...], meaning: str, acts: Acts, *, area: str = ""
) -> Keyword:
    """A row that opens a block of keywords, of its own name."""
    return word(name, arguments, "-", meaning, acts, form=Form.BLOCK, area=area)


def lines(
    name: str, arguments: Argument | tuple[Argument, ...], meaning: str, acts: Acts = LATER, *, of: str, area: str = ""
) -> Keyword:
    """A row that opens a block of free lines, each with the options of block `of` ("" for plain words)."""
    return word(name, arguments, "none", meaning, acts, form=Form.VALUE_BLOCK, opens=of, area=area)
