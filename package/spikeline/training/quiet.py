"""Keep Lightning's own messages out of a job's log; its errors still arrive."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator

__all__ = ["quiet_lightning"]

_LOGGERS = ("lightning.pytorch", "lightning.fabric", "lightning_fabric", "pytorch_lightning")
_WARNINGS = (
    r"The `srun` command is available on your system but is not used",  # a workflow starts its jobs its own way
    r"You defined a `validation_step` but have no `val_dataloader`",  # validation.py calls it
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",  # Lightning 2.6 on torch 2.13
    r"`training_step` returned `None`",  # losses.py makes it an error
    r"GPU available but not used",  # accelerator: cpu says so on purpose
)


@contextlib.contextmanager
def quiet_lightning() -> Iterator[None]:
    """No hardware summaries, tips and progress notes from Lightning inside."""
    before = {name: logging.getLogger(name).level for name in _LOGGERS}
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in _WARNINGS:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
