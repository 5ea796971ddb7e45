"""Manual pages, shell completion and the description of the language, made from the tables of the code.

python -m tools.manuals         write them all
python -m tools.manuals --check say which are stale; exit code 1 if any
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyhad
from pyhad.common.config.keyword import Keyword
from pyhad.common.config.keywords import ROOT, TABLE
from pyhad.ctl.main import command_line
from pyhad.parent.options import described

TOP = Path(__file__).resolve().parents[1]
DAEMON_EXITS = (
    ("0", "orderly end; or the configuration test found nothing"),
    ("1", "fatal error; or a wrong command line"),
    ("2", "the configuration cannot be used; or, with -t, a keyword lacks its parameter"),
    ("4", "with -t: only an interface is missing"),
    ("5", "with -t: errors or warnings"),
    ("6", "no configuration, or an included file is not there"),
)

_DAEMON = """Reads keepalived.conf, speaks VRRP, checks real servers and programs IPVS or nftables. Five processes: a
parent that watches, VRRP, checkers, the owner of the table, and control. Options are those of keepalived."""
_LANGUAGE = """One statement per line, blocks in { and }, comments from # or ! to the end of the line, words in double
quotes. Definitions $NAME=value, conditional lines @ID, sequences ~SEQ(...), include PATTERN. pyhad -t -f FILE says what
is wrong and what is understood but not acted on yet; pyhadctl config lint FILE what is likely to hurt."""


def pages() -> dict[str, str]:
    """Path below the top of the checkout, and content."""
    return {
        "docs/man/pyhad.8": daemon_page(),
        "docs/man/pyhadctl.1": command_page(),
        "docs/man/pyhad.conf.5": language_page(),
        "docs/language.json": _one_word_per_line(language()),
        "conf/completion/pyhad": daemon_completion(),
        "conf/completion/pyhadctl": command_completion(),
    }


# --------------------------------------------------------------------------------------------------- roff


def roff(text: str) -> str:
    """Text that troff prints as it is."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return "\n".join(f"\\&{line}" if line.startswith(".") else line for line in escaped.split("\n"))


def _head(name: str, section: int, what: str) -> list[str]:
    title = f'.TH {name.upper()} {section} "" "pyhad {pyhad.__version__}" "pyhad"'
    return [title, ".SH NAME", f"{name} \\- {roff(what)}"]


def _item(term: str, *texts: str) -> list[str]:
    return [".TP", f".B {roff(term)}", *(roff(text) for text in texts if text)]


def daemon_page() -> str:
    """pyhad(8), from the table of its command line."""
    rows = _head("pyhad", 8, "VRRP, health checks and load balancing for Linux directors")
    rows += [".SH SYNOPSIS", ".B pyhad", "[OPTION...]", ".SH DESCRIPTION"]
    rows.append(roff(_DAEMON))
    rows.append(".SH OPTIONS")
    for option in described():
        names = ", ".join(name for name in (option.short and f"-{option.short}", f"--{option.long}") if name)
        equals = (
            f"[={option.argument[1:-1]}]"
            if option.argument.startswith("[")
            else option.argument and f"={option.argument}"
        )
        rows += _item(names + equals, option.help)
    rows.append(".SH EXIT STATUS")
    for code, meaning in DAEMON_EXITS:
        rows += _item(code, meaning)
    rows += [".SH SIGNALS"]
    rows += _item("HUP", "read the configuration again")
    rows += _item("TERM, INT", "orderly end: peers take over before the addresses go")
    rows += [".SH SEE ALSO", "pyhadctl(1), pyhad.conf(5)"]
    return "\n".join(rows) + "\n"


def command_page() -> str:
    """pyhadctl(1), from its parser."""
    parser = command_line()
    rows = _head("pyhadctl", 1, "ask the running pyhad, plan and examine configurations")
    rows += [".SH SYNOPSIS", ".B pyhadctl", "[OPTION...] COMMAND", ".SH OPTIONS"]
    for option in _options(parser):
        rows += _item(_term(option), option.help or "")
    rows.append(".SH COMMANDS")
    for words, command, help_text in _commands(parser):
        positional = [action for action in command._actions if not action.option_strings and not _inner(action)]
        usage = " ".join([*words, *(_operand(action) for action in positional)])
        rows += _item(usage, f"{help_text}." + (f"\n\n{command.description}" if command.description else ""))
        rows.append(".RS")
        for option in _options(command):
            if option.dest not in {one.dest for one in _options(parser)}:
                rows += _item(_term(option), option.help or "")
        rows.append(".RE")
    rows += [".SH EXIT STATUS", ".nf", roff(parser.epilog or ""), ".fi", ".SH SEE ALSO", "pyhad(8), pyhad.conf(5)"]
    return "\n".join(rows) + "\n"


def language_page() -> str:
    """pyhad.conf(5), from the keyword table."""
    rows = _head("pyhad.conf", 5, "the language of keepalived.conf, as pyhad reads it")
    rows += [".SH DESCRIPTION"]
    rows.append(roff(_LANGUAGE))
    for block, keywords in _blocks().items():
        rows.append(f'.SH "{"TOP LEVEL" if block == ROOT else roff(block)}"')
        for row in keywords:
            details = [f"Default: {row.default}." if row.default not in ("", "-") else ""]
            details.append(f"Range: {ranges(row)}." if ranges(row) else "")
            details.append(f"Same as {row.alias_of}." if row.alias_of else "")
            details.append("Deprecated." if row.deprecated else "")
            details.append("" if row.acts == "acts" else f"State: {row.acts}.")
            rows += _item(f"{row.name} {row.syntax()}".rstrip(), f"{row.meaning}.", " ".join(filter(None, details)))
    rows += [".SH SEE ALSO", "pyhad(8), pyhadctl(1)"]
    return "\n".join(rows) + "\n"


# -------------------------------------------------------------------------------------------- the language


def _blocks() -> dict[str, list[Keyword]]:
    blocks: dict[str, list[Keyword]] = {}
    for row in TABLE.values():
        blocks.setdefault(row.block, []).append(row)
    return blocks


def ranges(row: Keyword) -> str:
    """The ranges of its arguments."""
    return "; ".join(text for argument in row.arguments if (text := argument.range_text()))


def language() -> dict[str, Any]:
    """Every block with its words, for editors and checkers."""
    return {
        "schema": 1,
        "pyhad": pyhad.__version__,
        "blocks": {block: [_word(row) for row in rows] for block, rows in _blocks().items()},
    }


def _one_word_per_line(document: dict[str, Any]) -> str:
    """JSON whose differences are readable."""
    blocks = document["blocks"]
    texts = []
    for block, words in blocks.items():
        lines = ",\n".join(f"   {json.dumps(word, ensure_ascii=False)}" for word in words)
        texts.append(f"  {json.dumps(block)}: [\n{lines}\n  ]")
    head = "".join(f" {json.dumps(key)}: {json.dumps(value)},\n" for key, value in document.items() if key != "blocks")
    return "{\n" + head + ' "blocks": {\n' + ",\n".join(texts) + "\n }\n}\n"


def _word(row: Keyword) -> dict[str, Any]:
    word: dict[str, Any] = {"name": row.name, "form": row.form.value}
    arguments = [
        {
            "kind": one.kind.value,
            "label": one.label,
            "range": one.range_text(),
            "optional": one.optional,
            "many": one.many,
        }
        for one in row.arguments
    ]
    word |= {"arguments": [{key: value for key, value in one.items() if value} for one in arguments]}
    extra = {
        "default": row.default if row.default != "-" else "", "opens": row.opens, "options": row.options,
        "alias_of": row.alias_of, "deprecated": row.deprecated,
    }  # fmt: skip
    word |= {key: value for key, value in extra.items() if value}
    return word | {"acts": row.acts.name.lower(), "meaning": row.meaning}


# ---------------------------------------------------------------------------------------------- completion


def daemon_completion() -> str:
    """Bash completion of pyhad."""
    words = [name for one in described() for name in (one.short and f"-{one.short}", f"--{one.long}") if name]
    files = "|".join(name for one in described() if one.argument.strip("[]") in ("FILE", "LOG", "DIR")
                     for name in (one.short and f"-{one.short}", f"--{one.long}") if name)  # fmt: skip
    return f"""# bash completion for pyhad(8). Made by: python -m tools.manuals
_pyhad() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
    case $before in
        {files})
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "{" ".join(words)}" -- "$word")
}}
complete -o filenames -F _pyhad pyhad
"""


def command_completion() -> str:
    """Bash completion of pyhadctl: words by the commands before them, else files."""
    parser = command_line()
    cases = []
    for words, command, _ in sorted(_commands(parser, inner=True), key=lambda one: -len(one[0])):
        following = [name for option in _options(command) for name in option.option_strings]
        for action in command._actions:
            following += [str(choice) for choice in (action.choices or ()) if not action.option_strings]
        cases.append(f'        "{" ".join(words)}") words="{" ".join(following)}" ;;')
    top = [name for option in _options(parser) for name in option.option_strings]
    top += [words[0] for words, _, _ in _commands(parser, inner=True) if len(words) == 1]
    listed = "\n".join(cases)
    return f"""# bash completion for pyhadctl(1). Made by: python -m tools.manuals
_pyhadctl() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} words="{" ".join(top)}" path="" one
    for one in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case $one in -*) ;; *) path="${{path:+$path }}$one" ;; esac
        case $path in
{listed}
        esac
    done
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word"; [[ $word == -* ]] || compgen -f -- "$word")
}}
complete -o filenames -F _pyhadctl pyhadctl
"""


# ------------------------------------------------------------------------------------------------ argparse


def _inner(action: argparse.Action) -> bool:
    return isinstance(action, argparse._SubParsersAction)


def _options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if action.option_strings]


def _commands(
    parser: argparse.ArgumentParser, before: tuple[str, ...] = (), *, inner: bool = False
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser, str]]:
    """(words, parser, help) of each command; with `inner` also of those that only have commands of their own."""
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        helps = {one.dest: one.help or "" for one in action._choices_actions}
        for name, command in action.choices.items():
            deeper = any(_inner(one) for one in command._actions)
            if inner or not deeper:
                yield (*before, name), command, helps.get(name, "")
            yield from _commands(command, (*before, name), inner=inner)


def _term(option: argparse.Action) -> str:
    value = "" if option.nargs == 0 else f" {option.metavar or option.dest.upper()}"
    return ", ".join(option.option_strings) + (f" [{value.strip()}]" if option.nargs == "?" else value)


def _operand(action: argparse.Action) -> str:
    name = "|".join(str(one) for one in action.choices) if action.choices else str(action.metavar or action.dest)
    return {"?": f"[{name}]", "+": f"{name}...", "*": f"[{name}...]"}.get(str(action.nargs), name)


def main(arguments: list[str]) -> int:
    """Write the files, or with --check name the stale ones."""
    stale = [name for name, text in pages().items() if not (TOP / name).is_file() or (TOP / name).read_text() != text]
    if arguments == ["--check"]:
        print("\n".join(stale))
        return 1 if stale else 0
    for name in stale:
        (TOP / name).parent.mkdir(parents=True, exist_ok=True)
        (TOP / name).write_text(pages()[name])
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
