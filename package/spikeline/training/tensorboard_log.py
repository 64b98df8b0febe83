"""The rows of the CSV logs as TensorBoard shows them, for whoever wants to watch a training in a browser."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping
from pathlib import Path

from spikeline.errors import ConfigError

__all__ = ["TENSORBOARD_FOLDER", "TensorBoardLog", "check_tensorboard"]

TENSORBOARD_FOLDER = "tensorboard"


def check_tensorboard() -> None:
    """Refuse, before anything is trained, a log that cannot be written here.

    Raises
    ------
    ConfigError
        If tensorboard is not installed.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise ConfigError(
            "training.tensorboard is true, and tensorboard is not installed",
            "the package tensorboard, or the CSV logs alone",
            "pip install 'spikeline[tensorboard]', or set training.tensorboard: false",
        )


class TensorBoardLog:
    """One curve per column of a CSV log.

    Parameters
    ----------
    folder
        Of the event files; made if it is missing.
    after
        Step of the checkpoint that is gone on from: what an earlier attempt wrote beyond it is no longer shown.
    """

    def __init__(self, folder: Path, after: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(folder, purge_step=after + 1 if after else None)

    def append(self, log: str, row: Mapping[str, float]) -> None:
        """Add a row of the log of that name; a number that is not one (NaN) is left out, as its CSV cell is empty."""
        for name, value in row.items():
            if name != "step" and not math.isnan(value):
                self._writer.add_scalar(f"{log}/{name}", value, row["step"])
        self._writer.flush()

    def close(self) -> None:
        """Write what is left and close the files."""
        self._writer.close()
