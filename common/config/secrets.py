"""Hides passwords and keys in what is shown of a configuration file. Knows text only, no grammar."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from pyhad.common.config.source import Diagnostic

HIDDEN = "********"
_AFTER_WORD = re.compile(
    r"(?<![\w.-])(auth_pa\w*|pyhad_smtp_login|pyhad_header[ \t]+[^\s\"]+|passw\w*|secret|key)(?=[\s\"])[ \t\"]*",
    re.IGNORECASE,
)
_DEFINITION = re.compile(r"\$\w*(?:pass|secret|key|token)\w*[ \t]*=[ \t]*", re.IGNORECASE)
_LEAST = 3
"""Shorter parts of a secret are not searched for in messages: they would hide half of the sentence."""


def scrub(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The same, without the secrets that the physical lines hold; messages and hints are searched for them too."""
    return tuple(_scrubbed(diagnostic) for diagnostic in diagnostics)


def _scrubbed(diagnostic: Diagnostic) -> Diagnostic:
    shown, secret = hide(diagnostic.at.text)
    if not secret:
        return diagnostic
    message, hint = diagnostic.message, diagnostic.hint
    for part in secret.split():
        bare = part.strip("\"'")
        if len(bare) >= _LEAST:
            message = message.replace(bare, HIDDEN)
            hint = hint.replace(bare, HIDDEN)
    return replace(diagnostic, message=message, hint=hint, at=replace(diagnostic.at, text=shown))


def hide(text: str) -> tuple[str, str]:
    """A physical line with everything after a secret's keyword hidden, and what was hidden."""
    match = _DEFINITION.search(text) or _AFTER_WORD.search(text)
    if match is None or match.end() >= len(text) or text[match.end() :] == HIDDEN:
        return text, ""
    return text[: match.end()] + HIDDEN, text[match.end() :]
