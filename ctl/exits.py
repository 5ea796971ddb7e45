"""Exit codes of pyhadctl, and the one exception that carries them. Documented in docs/operating.md."""

from __future__ import annotations

FINE = 0
NOT_WELL = 1
"""Something is wrong and known; for `is-master`: not master."""
USAGE = 2
UNKNOWN = 3
"""What was asked cannot be known, or what is known cannot be trusted."""
NOT_RUNNING = 4
FORBIDDEN = 5


class CommandError(Exception):
    """The command ends here: one sentence for stderr, one exit code."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.text = text
        self.exit_code = exit_code
