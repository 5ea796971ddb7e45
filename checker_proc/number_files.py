"""FILE_CHECK: one look at a small file, at once (CHK-90). Never waits for a pipe or a device; follows nothing."""

from __future__ import annotations

import os
import stat

from pyhad.checker_proc.core.events import ProbeImpossible, Result
from pyhad.checker_proc.core.number_file import CONTENT_MAX, judge_content
from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.config.model import FileCheck


def look(check: FileCheck) -> Result:
    """What the file says now. A file that is not there says 0 (TRK-21); one we may not read says nothing."""
    try:
        fd = os.open(check.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError:
        return judge_content(check, b"")
    except OSError:
        return ProbeImpossible(reason=Reason.FILE_UNREADABLE)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return ProbeImpossible(reason=Reason.FILE_UNREADABLE)
        content = os.read(fd, CONTENT_MAX + 1)
    except OSError:
        return ProbeImpossible(reason=Reason.FILE_UNREADABLE)
    finally:
        os.close(fd)
    return judge_content(check, content)
