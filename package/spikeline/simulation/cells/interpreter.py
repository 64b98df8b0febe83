"""The one door to NEURON's interpreter."""

from __future__ import annotations

import functools
import os
import tempfile
from pathlib import Path
from typing import Any

from spikeline.errors import DataError

__all__ = ["neuron_interpreter"]


@functools.cache
def neuron_interpreter() -> Any:
    """NEURON's ``h``, imported so that neither the display nor the working folder matters.

    On import NEURON loads whatever compiled mechanisms lie in the working folder (``x86_64/``), and the next library
    with a channel of the same name is then refused; so it is imported from an empty folder.

    Raises
    ------
    DataError
        If NEURON is not installed.
    """
    os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as empty:
        os.chdir(empty)
        try:
            from neuron import h
        except ImportError as error:
            raise DataError(
                f"NEURON cannot be imported ({error})", "neuron 9.0.2", "pip install 'spikeline[simulation]'"
            ) from error
        finally:
            os.chdir(before)
    h.load_file("stdlib.hoc")
    h.load_file("import3d.hoc")
    return h
