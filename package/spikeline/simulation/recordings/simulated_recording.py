"""A lazy SpikeInterface recording: any stretch is synthesised when asked for, with one value whatever the chunks."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int
from spikeinterface.core import BaseRecording, BaseRecordingSegment

from spikeline.blas import one_blas_thread
from spikeline.errors import DataError
from spikeline.simulation.recordings.interpolation import interpolator
from spikeline.simulation.recordings.noise import NoiseSource, noise_block
from spikeline.simulation.recordings.sources import ContinuousSource, EventSource, Motion
from spikeline.simulation.recordings.synthesis import Synthesiser

__all__ = ["RecordingPlan", "SimulatedRecording", "block_length", "recording_blocks", "render"]

_CACHED_BLOCKS = 3


@dataclass(frozen=True)
class RecordingPlan:
    """Everything a simulated recording is made of.

    Parameters
    ----------
    sources
        Units of interest first, then the background.
    n_channels, n_samples
        Size.
    sampling_rate_hz, bank_rate_hz
        Rates of the recording and of the bank.
    motion
        Drift, or None.
    noise
        Additive noise, or None.
    block
        Samples per block. Blocks are always computed whole.
    """

    sources: Sequence[ContinuousSource | EventSource]
    n_channels: int
    n_samples: int
    sampling_rate_hz: float
    bank_rate_hz: float
    motion: Motion | None
    noise: NoiseSource | None
    block: int

    @property
    def n_blocks(self) -> int:
        """Number of blocks, the last one maybe cut short."""
        return -(-self.n_samples // self.block)

    def synthesiser(self) -> Synthesiser:
        """The engine of the noise-free part."""
        return Synthesiser(
            self.sources,
            n_channels=self.n_channels,
            plan=interpolator(self.bank_rate_hz, self.sampling_rate_hz),
            bank_rate_hz=self.bank_rate_hz,
            motion=self.motion,
        )


_LARGE_PAGE = 2**21
_STRETCHES = 4  # per thread, so that none waits long for the last


def block_length(n_channels: int) -> int:
    """Samples per block: a power of two, about four million values, but no more than 65,536 samples.

    A block costs some Python, which threads take in turns, whatever its length: on a tetrode four times shorter blocks
    took two threads as long as one.
    """
    return 2 ** int(np.clip(np.floor(np.log2(2**22 / n_channels)), 10, 16))


def _block(plan: RecordingPlan, engine: Synthesiser, index: int) -> np.ndarray:
    start = index * plan.block
    stop = min(start + plan.block, plan.n_samples)
    noise = None
    if plan.noise is not None:
        noise = noise_block(plan.noise, index, np.empty((stop - start, plan.n_channels), np.float32))
    with one_blas_thread():
        return engine.traces(start, stop, noise)


def recording_blocks(plan: RecordingPlan, threads: int = 2) -> Iterator[Float32[np.ndarray, "_samples channels"]]:
    """All blocks in order, each in uV, computed ``threads`` at a time.

    Each block is computed by one thread, the matrix products included, so the values do not depend on ``threads``.
    """
    engine = plan.synthesiser()
    with one_blas_thread(), ThreadPoolExecutor(threads) as pool:
        waiting = [pool.submit(_block, plan, engine, i) for i in range(min(threads + 1, plan.n_blocks))]
        following = len(waiting)
        while waiting:
            traces = waiting.pop(0).result()
            if following < plan.n_blocks:
                waiting.append(pool.submit(_block, plan, engine, following))
                following += 1
            yield traces


def render(
    plan: RecordingPlan, threads: int = 2, out: Float32[np.ndarray, "samples channels"] | None = None
) -> Float32[np.ndarray, "samples channels"]:
    """The whole recording, uV, computed by ``threads`` at a time; the values do not depend on ``threads``.

    Noise and spikes are made where they belong: blocks of their own would be memory that the system has to clear first.

    Parameters
    ----------
    plan
        What is recorded.
    threads
        How many stretches are computed at a time.
    out
        Where it is written, e.g. a memory map; None: new memory.

    Raises
    ------
    DataError
        If ``out`` has another shape or is not contiguous.
    """
    if out is not None and (out.shape != (plan.n_samples, plan.n_channels) or not out.flags.c_contiguous):
        raise DataError(
            f"an array of shape {out.shape}, {'' if out.flags.c_contiguous else 'not '}contiguous",
            f"a contiguous one of {plan.n_samples} samples and {plan.n_channels} channels",
            "leave it out, or make one of the recording's shape",
        )
    if out is None:
        out = np.empty((plan.n_samples, plan.n_channels), np.float32)
        out.reshape(-1)[:: _LARGE_PAGE // out.itemsize] = (
            0  # clears large pages here: threads would wait for each other
        )
    engine = plan.synthesiser()
    # Pasting spikes costs Python per stretch, not per sample, and threads take Python in turns
    together = 1 if engine.continuous else -(-plan.n_blocks // (_STRETCHES * threads))

    def fill(first: int) -> None:
        last = min(first + together, plan.n_blocks)
        start, stop = first * plan.block, min(last * plan.block, plan.n_samples)
        noise = None
        if plan.noise is not None:
            noise = out[start:stop]
            for index in range(first, last):
                noise_block(plan.noise, index, out[index * plan.block : min((index + 1) * plan.block, stop)])
        with one_blas_thread():
            made = engine.traces(start, stop, noise)
        if made is not noise:
            out[start:stop] = made

    with one_blas_thread(), ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(fill, range(0, plan.n_blocks, together)):
            pass
    return out


class SimulatedRecordingSegment(BaseRecordingSegment):
    """The one segment of a `SimulatedRecording`."""

    def __init__(self, plan: RecordingPlan) -> None:
        super().__init__(sampling_frequency=plan.sampling_rate_hz)
        self.plan = plan
        self._engine: Synthesiser | None = None
        self._blocks: OrderedDict[int, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def get_num_samples(self) -> int:
        """Length in samples."""
        return self.plan.n_samples

    def _cached_block(self, index: int) -> np.ndarray:
        with self._lock:
            if index in self._blocks:
                self._blocks.move_to_end(index)
                return self._blocks[index]
            if self._engine is None:
                self._engine = self.plan.synthesiser()
        block = _block(self.plan, self._engine, index)
        with self._lock:
            self._blocks[index] = block
            while len(self._blocks) > _CACHED_BLOCKS:
                self._blocks.popitem(last=False)
        return block

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: slice | Int[np.ndarray, " channels"] | None = None,
    ) -> Float32[np.ndarray, "samples channels"]:
        """Samples [start_frame, end_frame), uV."""
        start = 0 if start_frame is None else max(0, int(start_frame))
        stop = self.plan.n_samples if end_frame is None else min(int(end_frame), self.plan.n_samples)
        channels = slice(None) if channel_indices is None else channel_indices
        size = self.plan.block
        pieces = [
            self._cached_block(index)[max(start - index * size, 0) : stop - index * size, channels]
            for index in range(start // size, -(-stop // size))
        ]
        if not pieces:
            return np.zeros((0, self.plan.n_channels), np.float32)[:, channels]
        return np.concatenate(pieces) if len(pieces) > 1 else pieces[0].copy()


class SimulatedRecording(BaseRecording):
    """A recording synthesised on demand, float32, in uV (gain 1).

    Parameters
    ----------
    plan
        What it is made of.
    """

    def __init__(self, plan: RecordingPlan) -> None:
        super().__init__(
            sampling_frequency=plan.sampling_rate_hz, channel_ids=np.arange(plan.n_channels), dtype="float32"
        )
        self.add_recording_segment(SimulatedRecordingSegment(plan))
        self.set_channel_gains(1.0)
        self.set_channel_offsets(0.0)
        self.plan = plan
        self._serializability["json"] = False
        self._kwargs = {"plan": plan}
