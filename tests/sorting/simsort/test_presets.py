"""Sortings in threads of one process come one after the other."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import spikeinterface as si

from spikeline.sorting.simsort.pipeline import Sorted
from spikeline.sorting.simsort.presets import sort_with_preset
from spikeline.sorting.simsort.sorter_parameters import default_parameters
from tests.sorting.simsort.simsort_fakes import FakePipeline, fake_pipeline  # noqa: F401
from tests.sorting.trains import recording_of


def test_one_at_a_time(fake_pipeline: FakePipeline, tmp_path: Path) -> None:  # noqa: F811
    inside, most = [0], [0]
    plain = fake_pipeline.sort

    def slow(recording: si.BaseRecording, settings: Any, **options: Any) -> Sorted:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.05)
        inside[0] -= 1
        return plain(recording, settings, **options)

    fake_pipeline.sort = slow  # type: ignore[method-assign]
    recording = recording_of(np.random.default_rng(0).normal(size=(5000, 4)).astype(np.float32))
    options = {"threads": 1, "progress": False, "folder": tmp_path}
    workers = [
        threading.Thread(target=sort_with_preset, args=(recording, default_parameters()), kwargs=options)
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(fake_pipeline.calls) == 4 and most == [1]
