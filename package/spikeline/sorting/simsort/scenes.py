"""Training data without end: each scene is a recording that has never been before, made from the bank in milliseconds.

A scene is a pure function of the run's seed and its own number, so training resumes at any step without the loader
having a state, and any number of threads gives the same scenes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from spikeline.artifacts import seed_stream
from spikeline.config.recordings import (
    NoiseSettings,
    PlacementSettings,
    ProbeSettings,
    RecordingSettings,
    SpikeTrainSettings,
)
from spikeline.config.simsort import SceneSettings
from spikeline.config.simsort.scenes import LEAST_SHELL_UM
from spikeline.simulation.bank import BankEntry
from spikeline.simulation.recordings.recording import make_recording
from spikeline.simulation.recordings.simulated_recording import RecordingPlan, SimulatedRecording
from spikeline.simulation.recordings.sources import EventSource

__all__ = ["ScenePlan", "peak_lag", "plan_scene"]


@dataclass(frozen=True)
class ScenePlan:
    """A short recording before its traces are made, and its spikes: all of a scene that is drawn.

    Parameters
    ----------
    recording
        What the traces are made of (`simulated_recording.render`, or `rendering_torch.render_on` on a device).
    spike_samples
        Rising; the samples of the extracellular peaks, as a sorter would report them.
    unit_index
        Which unit fired.
    noise_uv
        Standard deviation of the noise, far units included.
    """

    recording: RecordingPlan
    spike_samples: Int64[np.ndarray, " spikes"]
    unit_index: Int64[np.ndarray, " spikes"]
    noise_uv: float


def peak_lag(source: EventSource) -> int:
    """How many bank samples after the soma's peak the mean spike is largest on its best channel (negative: before)."""
    projection = source.projection[len(source.projection) // 2]
    spike = np.abs(projection @ source.components.mean(axis=0))
    return int(spike[spike.max(axis=1).argmax()].argmax()) - source.centre


def plan_scene(
    entries: Sequence[BankEntry],
    settings: SceneSettings,
    index: int,
    seed: int,
    *,
    stage: str = "simsort-scene",
    allowed_cells: Collection[str] | None = None,
) -> ScenePlan:
    """Scene number ``index``.

    Parameters
    ----------
    entries
        Bank entries that fire; which of them play is drawn.
    settings
        Bounds of what is drawn.
    index
        Number of the scene.
    seed
        The run's root seed.
    stage
        Name of the stream: training and validation draw different scenes.
    allowed_cells
        Cell models that may be heard, e.g. those of the training side; None: any.

    Raises
    ------
    DataError
        If an entry is of another cell, or units cannot be placed.
    """
    draw = seed_stream(seed, stage, str(index))
    low, high = settings.noise_uv
    nearest, farthest = settings.distance_um
    noise_uv = float(np.exp(draw.uniform(np.log(low), np.log(high))))
    recording = RecordingSettings(
        probe=ProbeSettings(kind="tetrode"),
        units=int(draw.integers(settings.units[0], settings.units[1] + 1)),
        duration_s=settings.duration_s,
        sampling_rate_hz=settings.sampling_rate_hz,
        drive="events",
        placement=PlacementSettings(distance_um=(nearest, draw.uniform(nearest + LEAST_SHELL_UM, farthest))),
        noise=NoiseSettings(level_uv=noise_uv, colour=str(draw.choice(settings.colours))),
        spike_trains=SpikeTrainSettings(rate_hz=settings.rate_hz, burst_fraction=settings.burst_fraction),
    )
    made = make_recording(entries, recording, seed, f"{stage}/{index}", allowed_cells=allowed_cells)
    assert isinstance(made.recording, SimulatedRecording)
    plan = made.recording.plan
    samples, units = [], []
    for unit, source in enumerate(plan.sources[: recording.units]):
        assert isinstance(source, EventSource)
        lag = round(peak_lag(source) * plan.sampling_rate_hz / plan.bank_rate_hz)
        samples.append(np.asarray(made.sorting.get_unit_spike_train(unit), np.int64) + lag)
        units.append(np.full(len(samples[-1]), unit, np.int64))
    spikes, which = np.concatenate(samples), np.concatenate(units)
    order = np.lexsort((which, spikes))
    inside = order[(spikes[order] >= 0) & (spikes[order] < plan.n_samples)]
    return ScenePlan(plan, spikes[inside], which[inside], noise_uv)
