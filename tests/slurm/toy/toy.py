"""What the toy rules run: small jobs that write real artefacts, use much memory, take long, or fail."""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd

from spikeline.artifacts import create_hdf5, open_hdf5, seed_stream, write_csv, write_hdf5
from spikeline.errors import DataError

SCHEMA = "toy"


def shard(output: str, name: str) -> None:
    """One small artefact from its own random stream."""
    write_hdf5(output, SCHEMA, {"noise": seed_stream(0, "toy", name).normal(size=1000)}, units={"noise": "uV"})


def gather(output: str, *inputs: str) -> None:
    """Read every shard back, checks included, and write one row for each."""
    rows = []
    for path in inputs:
        with open_hdf5(path, SCHEMA) as file:
            rows.append({"mean_uv": float(file["noise"][:].mean())})
    write_csv(output, pd.DataFrame(rows))


def hungry(output: str, megabytes: str) -> None:
    """Hold much memory, really touched, long enough for SLURM to see it."""
    hoard = np.ones(int(megabytes) << 17)
    time.sleep(6)
    write_hdf5(output, SCHEMA, {"sum": np.array([hoard.sum()])})


def slow(output: str, seconds: str) -> None:
    """Write a large file piece by piece."""
    with create_hdf5(output, SCHEMA) as file:
        noise = file.create_dataset("noise", (int(seconds) * 5, 10_000), track_times=False)
        for piece in range(len(noise)):
            noise[piece] = piece
            file.flush()
            time.sleep(0.2)


def broken(output: str) -> None:
    """Fail before anything is written."""
    raise DataError(
        f"no cell can be read for {output}", "a folder with a cell model", "check simulation.cells in the configuration"
    )


if __name__ == "__main__":
    {f.__name__: f for f in (shard, gather, hungry, slow, broken)}[sys.argv[1]](*sys.argv[2:])
