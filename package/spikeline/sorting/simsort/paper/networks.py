"""The two published networks as their sorter uses them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spikeline.errors import FormatError
from spikeline.sorting.simsort.networks import load_pair
from spikeline.sorting.simsort.paper.detector import PaperDetector
from spikeline.sorting.simsort.paper.identifier import PaperIdentifier
from spikeline.sorting.simsort.sorter_parameters import PAPER_PRESET

__all__ = ["PaperNetworks", "load_paper_networks"]


@dataclass(frozen=True)
class PaperNetworks:
    """Detector and identifier.

    Parameters
    ----------
    detector, identifier
        On the device they run on.
    sampling_rate_hz, band_hz
        Of the traces they were trained on; the published sorter uses neither.
    """

    detector: PaperDetector
    identifier: PaperIdentifier
    sampling_rate_hz: float
    band_hz: tuple[float, float]


def load_paper_networks(weights: str | Path, device: str = "auto") -> PaperNetworks:
    """Read both networks.

    Parameters
    ----------
    weights
        Folder with ``detector.safetensors``, ``identifier.safetensors`` and their cards, of preset paper.
    device
        ``cpu``, ``cuda`` or ``auto``.

    Raises
    ------
    ConfigError
        If the device is not there.
    FormatError
        If the files are not what they should be, of another preset, not trained together, or not fully trained.
    """
    pair = load_pair(Path(weights), device, PAPER_PRESET, PaperDetector, PaperIdentifier)
    networks = PaperNetworks(*pair)
    if not networks.identifier.fitted:
        raise FormatError(
            f"the identifier in {weights} has no basis to denoise with",
            "the one that its training fits",
            "train it again",
        )
    return networks
