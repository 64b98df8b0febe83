"""A pipeline that knows nothing but thresholds, so that what stands around the real one is tested apart from it."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import numpy as np
import pytest
from scipy.signal import find_peaks

from spikeline.sorting import simsort
from spikeline.sorting.simsort.pipeline import Sorted, sort

PIPELINE = "spikeline.sorting.simsort.pipeline"


class FakePipeline:
    """One unit per channel that has troughs below 50; remembers what it was called with."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def sort(self, recording: Any, settings: Any, **options: Any) -> Sorted:
        inspect.signature(sort).bind(recording, settings, **options)
        self.calls.append({"recording": recording, "settings": settings, **options})
        traces = recording.get_traces().astype(float)
        samples, _ = find_peaks(-traces.min(axis=1), height=50, distance=10)
        channels, index = np.unique(traces[samples].argmin(axis=1), return_inverse=True)
        return Sorted(
            spike_samples=samples.astype(np.int64),
            unit_index=index.astype(np.int64),
            unit_channels=channels.astype(np.int64),
            spike_scores=(100.0 + index).astype(np.float32),
        )


@pytest.fixture
def fake_pipeline(monkeypatch: pytest.MonkeyPatch) -> FakePipeline:
    fake = FakePipeline()
    monkeypatch.setitem(sys.modules, PIPELINE, fake)
    monkeypatch.setattr(simsort, "pipeline", fake, raising=False)
    return fake
