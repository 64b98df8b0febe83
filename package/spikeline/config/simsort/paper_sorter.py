"""What the sorter can be told with ``preset: paper``: the published sorting, its defects by switch."""

from __future__ import annotations

from typing import Literal

from spikeline.config.base import FiniteFloat, Range, Settings, setting

__all__ = ["PaperSortingSettings"]


class PaperSortingSettings(Settings):
    """The published sorting. Every default is the published tool's, its defects included."""

    band_hz: Range = setting(
        (250.0, 10000.0),
        unit="Hz",
        description="Band-pass, its upper edge at most 1 Hz below half the sampling rate. 250-10000 is the tool's for "
        "a user's recordings; SimSort's simulated ones have 300-3000.",
    )
    resample_hz: FiniteFloat | None = setting(
        None,
        unit="Hz",
        description="Rate to sort at. null: the recording's own, as published: networks trained at 10 kHz see a spike "
        "of a 30 kHz recording three times as long.",
        ge=1000,
        le=100000,
    )
    chunk_samples: int | None = setting(
        3_000_000,
        description="The recording is sorted in chunks of so many samples, each by itself: nothing links their units, "
        "so a neuron is another unit in each. 3,000,000 is SimSort's. null: the whole recording at once.",
        ge=2000,
    )
    tail: Literal["drop", "pad"] = setting(
        "drop",
        description="What is left after the last whole chunk, and after the last whole window of 2000 samples of a "
        "chunk. drop: never looked at, as published; pad: sorted too.",
    )
    threshold: FiniteFloat = setting(
        0.97,
        description="Samples whose probability is higher are a spike's: 0.97 in the tool, 0.96 in the released "
        "configuration.",
        gt=0,
        lt=1,
    )
    snippets: Literal["whitened", "band_passed"] = setting(
        "whitened",
        description="What spikes are cut from. whitened: what the detector sees, by the order of the published steps, "
        "though the identifier is trained on uV; band_passed: uV.",
    )
    low_pass: bool = setting(
        False,
        description="First-order low-pass at 1 kHz on the snippets. false as published, though the identifier is "
        "trained with it.",
    )
    svd: Literal["batch", "fixed_basis", "off"] = setting(
        "batch",
        description="Denoising of the snippets. batch: by the 8 largest singular vectors of each batch of 256, as "
        "published, so that a spike's embedding depends on the spikes it is batched with; fixed_basis: by those kept "
        "with the weights; off.",
    )
    bandwidth_quantile: FiniteFloat = setting(
        0.12,
        description="Of the distances between spikes, for mean shift; it decides how many units there are. 0.12 in the "
        "tool, 0.04 in the published script for hybrid recordings.",
        gt=0,
        le=1,
    )
