"""What the published detector computes per sample of a tetrode, over what ours does."""

from __future__ import annotations

from pathlib import Path

from spikeline.artifacts import Provenance
from spikeline.simulation.benchmarks.machine import load_average
from spikeline.simulation.benchmarks.report import write_benchmark

__all__ = ["detector_flops", "write_detector_flops_ratio"]

_CHANNELS = 4
_METHOD = (
    "Floating-point operations of one forward pass per sample of a tetrode, counted by torch from shapes alone: two "
    "per multiply-add of matrix products, convolutions and attention; element-wise work is left out on both sides. The "
    "published detector in its released configuration on windows of its published length, without overlap, as it is "
    "run; ours with the weights that come along, on windows of the same length. Where we cut, 25 samples in 20,000 are "
    "computed a second time on each side; that is not counted."
)


def detector_flops(weights: str | Path | None = None) -> dict[str, float]:
    """Operations per sample of both detectors, and their ratio.

    Parameters
    ----------
    weights
        Folder of trained networks; None: those that come along.

    Returns
    -------
    dict
        ``paper_per_sample``, ``ours_per_sample``, ``ratio``.
    """
    from torch import Tensor, nn

    from spikeline.sorting.simsort.networks import load_networks
    from spikeline.sorting.simsort.paper.detector import WINDOW_SAMPLES, PaperDetector
    from spikeline.sorting.simsort.paper.flops import flops_per_sample

    class TimeFirst(nn.Module):
        """Ours takes channels first; both are counted by one function."""

        def __init__(self, detector: nn.Module) -> None:
            super().__init__()
            self.detector = detector

        def forward(self, windows: Tensor) -> Tensor:
            return self.detector(windows.transpose(1, 2))

    paper = flops_per_sample(PaperDetector(_CHANNELS), _CHANNELS, WINDOW_SAMPLES)
    ours = flops_per_sample(TimeFirst(load_networks(weights, "cpu").detector), _CHANNELS, WINDOW_SAMPLES)
    return {"paper_per_sample": paper, "ours_per_sample": ours, "ratio": paper / ours}


def write_detector_flops_ratio(path: str | Path, *, provenance: Provenance | None = None) -> None:
    """Count and write the benchmark."""
    before = load_average()
    counted = detector_flops()
    write_benchmark(
        path,
        headline={"benchmark.sorting.detector_flops_ratio": counted["ratio"]},
        method=_METHOD,
        threads=1,
        cases={"tetrode": counted},
        load=(before, load_average()),
        packages=("numpy", "torch"),
        provenance=provenance,
    )
