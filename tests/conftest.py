"""What holds for every rung: hypothesis measures no time. How long an example takes is the machine's business."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
