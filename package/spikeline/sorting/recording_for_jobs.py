"""A recording that takes `simsort` along: for sortings that SpikeInterface starts in processes of their own.

Such a process (a SLURM job, one of joblib's loky, of dask, of a pool that spawns) imports SpikeInterface and the
classes of the recording it is given, and nothing else. With this class that is `spikeline.sorting`, which registers the
sorter.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from spikeinterface.core import BaseRecording
from spikeinterface.core.core_tools import SIJsonEncoder
from spikeinterface.preprocessing.basepreprocessor import BasePreprocessor, BasePreprocessorSegment

from spikeline.errors import DataError

__all__ = ["RecordingForJobs"]


class RecordingForJobs(BasePreprocessor):
    """The recording itself, for `spikeinterface.sorters.run_sorter_jobs` and ``run_sorter_by_property``.

    Parameters
    ----------
    recording
        One that lies in files. Traces, probe and properties are its own.

    Raises
    ------
    DataError
        If its samples lie in memory, or a step on the way to them cannot be described by JSON.

    Examples
    --------
    >>> jobs = [{"sorter_name": "simsort", "recording": RecordingForJobs(recording), "folder": folder}]
    >>> run_sorter_jobs(jobs, engine="slurm")
    """

    def __init__(self, recording: BaseRecording) -> None:
        if not recording.check_serializability("json"):
            raise DataError(
                "the recording cannot be described by JSON: samples in memory, or a step with Python objects",
                "a recording that lies in files, which another process can open",
                "save it first: recording = recording.save(folder=..., format='binary')",
            )
        super().__init__(recording)
        for segment in recording.segments:
            self.add_recording_segment(_Segment(segment))
        self._kwargs = {"recording": recording}

    def to_dict(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        """As SpikeInterface has it, but of plain values at every depth.

        SpikeInterface (0.105) writes this dictionary into the script of a SLURM job as Python prints it. Recordings
        within it, long arrays and numpy's scalars are then no Python that could be read again.
        """
        described = super().to_dict(*arguments, **(options | {"recursive": True}))
        return json.loads(json.dumps(described, cls=SIJsonEncoder))


class _Segment(BasePreprocessorSegment):
    def get_traces(
        self, start_frame: int | None, end_frame: int | None, channel_indices: np.ndarray | slice | None
    ) -> np.ndarray:
        return self.parent_recording_segment.get_traces(start_frame, end_frame, channel_indices)
