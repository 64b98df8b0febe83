"""Sensor and tissue noise, generated in independent blocks so that any stretch of a recording has one value only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.signal
from jaxtyping import Float, Float32, Float64

from spikeline.artifacts import seed_sequence
from spikeline.errors import ConfigError
from spikeline.simulation.recordings.filters import filter_in_place
from spikeline.simulation.recordings.normals import fill_normals

__all__ = ["NoiseSource", "noise_block", "noise_filter", "noise_source", "white_block"]

_RESONANCE_HZ = 300.0
_RESONANCE_QUALITY = 2.0
# Below this the pink spectrum is flat: a filter that remembers longer would need longer blocks, and recordings are
# high-pass filtered.
_PINK_FLOOR_HZ = 5.0
# Where the filter's memory has faded by this factor, a block may start afresh.
_FORGOTTEN = 1e-5


@dataclass(frozen=True)
class NoiseSource:
    """Additive Gaussian noise, independent between channels.

    Parameters
    ----------
    n_channels
        Number of channels.
    block
        Samples per block; block b covers samples [b * block, (b + 1) * block).
    sections
        Second-order sections (b0, b1, b2, 1, a1, a2) that colour unit white noise into noise of the
        wanted standard deviation (uV); empty for white noise.
    level_uv
        Standard deviation, uV.
    warm_up
        Samples after which the filter has forgotten its start.
    seed, name
        Root seed and shard of the streams.
    """

    n_channels: int
    block: int
    sections: Float[np.ndarray, "sections 6"]
    level_uv: float
    warm_up: int
    seed: int
    name: str


def noise_filter(
    colour: Literal["white", "pink", "coloured"], sampling_rate_hz: float
) -> Float64[np.ndarray, "sections 6"]:
    """Second-order sections that colour white noise of variance 1 into noise of variance 1; none for white.

    "coloured" is a resonance at 300 Hz with Q 2 plus a white floor of the same variance, the shape MEArec 1.11 uses
    (there with two independent noises; here one noise passes both ways, which needs half the random numbers and gives
    the same peak and floor). "pink" is a cascade of real poles and zeros, four per decade, from 5 Hz to the Nyquist
    frequency.
    """
    if colour == "white":
        return np.zeros((0, 6))
    if colour == "coloured":
        if sampling_rate_hz <= 2.2 * _RESONANCE_HZ:
            raise ConfigError(
                f"coloured noise at {sampling_rate_hz} Hz",
                "more than 660 Hz",
                "use white noise or a higher sampling_rate_hz",
            )
        b, a = scipy.signal.iirpeak(_RESONANCE_HZ, _RESONANCE_QUALITY, fs=sampling_rate_hz)
        sections = np.concatenate([b, a])[None]
        b = b / math.sqrt(_power(sections, sampling_rate_hz)) + a
        sections = np.concatenate([b, a])[None]
    else:
        spacing = 10 ** (1 / 4)
        count = max(1, math.ceil(math.log(sampling_rate_hz / 2 / _PINK_FLOOR_HZ) / math.log(spacing)))
        pole_hz = _PINK_FLOOR_HZ * spacing ** np.arange(count)
        zero_hz = pole_hz * math.sqrt(spacing)
        poles, zeros = np.exp(-2 * np.pi * pole_hz / sampling_rate_hz), np.exp(-2 * np.pi * zero_hz / sampling_rate_hz)
        sections = scipy.signal.zpk2sos(zeros, poles, 1.0)
    sections = sections.copy()
    sections[0, :3] /= math.sqrt(_power(sections, sampling_rate_hz))
    return sections


def _impulse_response(sections: np.ndarray, sampling_rate_hz: float) -> np.ndarray:
    impulse = np.zeros(int(2 * sampling_rate_hz))
    impulse[0] = 1
    return scipy.signal.sosfilt(sections, impulse)


def _power(sections: np.ndarray, sampling_rate_hz: float) -> float:
    return float((_impulse_response(sections, sampling_rate_hz) ** 2).sum())


def noise_source(
    colour: Literal["white", "pink", "coloured"],
    level_uv: float,
    n_channels: int,
    sampling_rate_hz: float,
    block: int,
    seed: int,
    name: str,
) -> NoiseSource:
    """The noise of one recording."""
    sections = noise_filter(colour, sampling_rate_hz)
    warm_up = 0
    if len(sections):
        tail = np.sqrt(np.cumsum((_impulse_response(sections, sampling_rate_hz) ** 2)[::-1])[::-1])
        warm_up = min(block, 64 * math.ceil(np.argmax(tail < _FORGOTTEN) / 64))
        sections = sections.copy()
        sections[0, :3] *= level_uv
        if colour != "pink":  # the slow poles of pink noise need double precision, the resonance does not
            sections = sections.astype(np.float32)
    return NoiseSource(n_channels, block, sections, level_uv, warm_up, seed, name)


def _white(source: NoiseSource, index: int, part: str, samples: np.ndarray, level: float) -> None:
    if index < 0:
        part += "-before"  # the warm-up of the first block has no block before it
    fill_normals(seed_sequence(source.seed, f"recording-noise-{part}", f"{source.name}/{index}"), samples, level)


def white_block(
    source: NoiseSource, index: int
) -> Float32[np.ndarray, "{source.warm_up}+{source.block} {source.n_channels}"]:
    """What block ``index`` is filtered from: the filter's warm-up, then the block; of standard deviation 1.

    A block's white noise is drawn in two parts, head and tail, each from its own stream; the filter warms up on the
    tail of the block before, which needs no more than that tail to be drawn again. Noise that stays white has its own
    standard deviation already.
    """
    level = 1.0 if len(source.sections) else source.level_uv  # the sections hold the level themselves
    head = source.block - source.warm_up
    samples = np.empty((source.warm_up + source.block, source.n_channels), np.float32)
    if source.warm_up:
        _white(source, index - 1, "tail", samples[: source.warm_up], level)
        _white(source, index, "tail", samples[source.warm_up + head :], level)
    if head:
        _white(source, index, "head", samples[source.warm_up : source.warm_up + head], level)
    return samples


def noise_block(
    source: NoiseSource, index: int, out: Float32[np.ndarray, "samples {source.n_channels}"] | None = None
) -> Float32[np.ndarray, "samples {source.n_channels}"]:
    """Noise of block ``index``, uV; with ``out``, its first samples, written there."""
    if not (source.warm_up or len(source.sections)) and out is not None:
        # a shorter array gets the first numbers of a longer one's
        _white(source, index, "head", out, source.level_uv)
        return out
    samples = white_block(source, index)
    if len(source.sections):
        filter_in_place(samples, source.sections)
    made = samples[source.warm_up :]
    if out is None:
        return made
    out[:] = made[: len(out)]
    return out
