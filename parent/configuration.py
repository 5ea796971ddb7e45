"""The seam to the configuration compiler of `common.config`: options in, `Compiled` out."""

from __future__ import annotations

import importlib
from typing import Any

from pyhad.parent.compiler import Compiled
from pyhad.parent.options import Options


def compile_files(options: Options, generation: int) -> Compiled:
    """Read and compile the configuration files."""
    module: Any = importlib.import_module("pyhad.common.config.compile")
    raise NotImplementedError(module, options, generation)
