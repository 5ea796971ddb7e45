"""The seam to the compiler of `common.config`: options in, `Compiled` out. Runs in the compiler's process."""

from __future__ import annotations

import gc
import os
import socket

from pyhad.common.config.compile import CompileOptions, CompileResult, compile_configuration, exit_status
from pyhad.common.config.diagnostics import render, to_json
from pyhad.common.config.source import Diagnostic, Severity
from pyhad.parent.compiler import Compiled
from pyhad.parent.options import Options


def compile_files(options: Options, generation: int) -> Compiled:
    """Read and compile the configuration files. The report is coloured only for a config test at a terminal."""
    gc.disable()  # this process ends with its answer: a quarter of the time would go into looking for garbage
    result = compile_configuration(
        options.config,
        CompileOptions(
            config_id=options.config_id,
            include_all=options.check_includes,
            environment=dict(os.environ),
            interfaces=frozenset(name for _, name in socket.if_nameindex()),
            generation=generation,
            vrrp=not options.no_vrrp,
            checker=not options.no_checker,
        ),
    )
    errors = [one for one in result.diagnostics if one.severity is Severity.ERROR]
    return Compiled(
        configuration=result.configuration,
        report=_report(result, options),
        exit_status=exit_status(result, testing=options.config_test),
        errors=len(errors),
        first_error=_place(errors[0]) if errors else "",
    )


def _report(result: CompileResult, options: Options) -> str:
    if options.config_test and options.json:
        return to_json(result.diagnostics, result.files) + "\n"
    to_terminal = options.config_test and not options.config_test_log and os.isatty(2)
    return render(result.diagnostics, to_terminal and "NO_COLOR" not in os.environ, result.files)


def _place(one: Diagnostic) -> str:
    return f"{one.at.file}:{one.at.line}:{one.at.column}: {one.message}"
