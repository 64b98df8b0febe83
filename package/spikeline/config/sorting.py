"""Settings of the sorting stage: which sorters run, and how they are scored."""

from __future__ import annotations

from typing import Any, Literal

from spikeline.config.base import FiniteFloat, Range, Settings, setting

__all__ = ["ScoringSettings", "SorterSettings", "SortingSettings"]


class SorterSettings(Settings):
    """One SpikeInterface sorter."""

    sorter: str = setting(description="SpikeInterface's name of the sorter.", example="simple")
    parameters: dict[str, Any] = setting(
        {}, description="Parameters handed to run_sorter. None by default: a sorter is judged as its authors set it."
    )
    environment: Literal["spikeline", "peers"] = setting(
        "spikeline",
        description="Where the sorter is installed. peers: in an environment of its own, which the run makes from "
        "envs/sorting_peers.txt; kilosort4 and mountainsort5 are in it.",
    )


class ScoringSettings(Settings):
    """The two rules by which a sorting is compared with the truth, side by side."""

    spikeinterface_tolerance_ms: FiniteFloat = setting(
        0.4, unit="ms", description="Window of SpikeInterface's rule; 0.4 ms is its default.", gt=0, le=5
    )
    spikeinterface_minimum_agreement: FiniteFloat = setting(
        0.5, description="Pairs that agree less are not matched (SpikeInterface's default).", ge=0, le=1
    )
    true_time: Literal["extracellular_peak", "soma_peak"] = setting(
        "extracellular_peak",
        description="What a true spike's time is. extracellular_peak: the soma's voltage peak, moved per unit to the "
        "peak of its mean waveform on its best channel, as sorters report spikes; soma_peak: as simulated, SimSort's "
        "convention. The two lie up to 0.5 ms apart, more than SpikeInterface's window.",
    )
    simsort_tolerance_ms: FiniteFloat = setting(
        1.0,
        unit="ms",
        description="Window of SimSort's rule, which matches by spike count and has no minimum; 1 ms is that of "
        "its released code.",
        gt=0,
        le=10,
    )
    well_detected_accuracy: FiniteFloat = setting(
        0.8,
        description="A unit above this accuracy counts as well detected; 0.8 is SpikeInterface's default.",
        ge=0,
        le=1,
    )
    redundant_agreement: FiniteFloat = setting(
        0.2,
        description="A second agreement above this makes a unit redundant or over-merged; 0.2 is SpikeInterface's "
        "default.",
        ge=0,
        le=1,
    )
    collision_ms: FiniteFloat = setting(
        1.0,
        unit="ms",
        description="Spikes of two units within this collide. 1 ms is our choice, the window of SimSort's rule.",
        gt=0,
        le=10,
    )
    snr_edges: list[FiniteFloat] = setting(
        [0.0, 3.0, 5.0, 8.0],
        description="Lower edges of the SNR classes accuracy is reported by. SimSort scores units above 3, "
        "SpikeForest's main table those above 8; 5 lies between.",
        min_length=1,
    )


class SortingSettings(Settings):
    """Sort and score."""

    recordings: list[str] = setting(
        [],
        description="Which of the run's recordings are sorted (their names). Empty: all of the test split, "
        "because cells of the training split are for training.",
    )
    sorters: dict[str, SorterSettings] = setting(
        lambda: {
            "simple": SorterSettings(sorter="simple"),
            "spykingcircus2": SorterSettings(sorter="spykingcircus2"),
            "tridesclous2": SorterSettings(sorter="tridesclous2"),
            "lupin": SorterSettings(sorter="lupin"),
        },
        description="Name in tables and paths -> sorter. Unless you list your own: simple, spykingcircus2, "
        "tridesclous2 and lupin, which SpikeInterface brings along.",
    )
    filter_hz: Range = setting(
        (300.0, 3000.0),
        unit="Hz",
        description="Band used for SNR and figures; sorters filter by their own rules. 300-3000 Hz is SimSort's "
        "for simulated recordings.",
    )
    scoring: ScoringSettings = setting(ScoringSettings(), description="The scorer.")
    real_recordings: list[str] = setting(
        [],
        description="Entries of datasets.yaml that are sorted and drawn when data_root is given. Empty by "
        "default: spikeline comes without recordings.",
    )
