"""The two trained networks as the sorter uses them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64

from spikeline.errors import ConfigError, FormatError
from spikeline.sorting.simsort.detection import find_peaks, spike_probabilities
from spikeline.sorting.simsort.detector import GROUP, Detector
from spikeline.sorting.simsort.identifier import Identifier
from spikeline.sorting.simsort.snippets import cut_snippets
from spikeline.sorting.simsort.sorter_parameters import DEFAULT_PRESET
from spikeline.sorting.simsort.weight_files import SHIPPED_WEIGHTS, check_preset
from spikeline.training.export import load_weights

__all__ = ["SHIPPED_WEIGHTS", "Networks", "load_networks", "load_pair"]

_BATCH = 4096


@dataclass(frozen=True)
class Networks:
    """Detector and identifier.

    Parameters
    ----------
    detector, identifier
        On the device they run on.
    sampling_rate_hz, band_hz
        Of the traces they were trained on.
    """

    detector: Detector
    identifier: Identifier
    sampling_rate_hz: float
    band_hz: tuple[float, float]

    def detect(
        self, traces: Float32[np.ndarray, "samples channels"], probability: float, threads: int = 1
    ) -> Int64[np.ndarray, " peaks"]:
        """Samples at which a spike peaks."""
        return find_peaks(spike_probabilities(self.detector, traces, threads), probability)

    def embed(
        self, traces: Float32[np.ndarray, "samples channels"], peaks: Int64[np.ndarray, " peaks"]
    ) -> Float32[np.ndarray, "peaks dimensions"]:
        """Embeddings of the spikes that peak there."""
        device = next(self.identifier.parameters()).device
        parts = []
        with torch.inference_mode():
            for start in range(0, len(peaks), _BATCH):
                cut = cut_snippets(traces, peaks[start : start + _BATCH])
                snippets = np.zeros((len(cut), GROUP, cut.shape[2]), np.float32)
                snippets[:, : cut.shape[1]] = cut
                parts.append(self.identifier(torch.from_numpy(snippets).to(device)).cpu().numpy())
        return np.concatenate(parts)


def load_networks(weights: str | Path | None = None, device: str = "auto") -> Networks:
    """Read both networks of the default.

    Parameters
    ----------
    weights
        Folder with ``detector.safetensors``, ``identifier.safetensors`` and their cards; None: the package's own.
    device
        ``cpu``, ``cuda`` or ``auto``.

    Raises
    ------
    ConfigError
        If the device is not there.
    FormatError
        If the files are not what they should be, of another preset, or were not trained together.
    """
    folder = SHIPPED_WEIGHTS if weights is None else Path(weights)
    return Networks(*load_pair(folder, device, DEFAULT_PRESET, Detector, Identifier))


def load_pair(
    folder: Path, device: str, preset: str, detector: type[Any], identifier: type[Any]
) -> tuple[Any, Any, float, tuple[float, float]]:
    """Detector and identifier, and the rate and band, in Hz, they were trained on: the one place that reads weights.

    Parameters
    ----------
    folder
        With the weights and cards of both.
    device
        Where the networks are put.
    preset
        Which they must be of.
    detector, identifier
        Their classes.

    Raises
    ------
    ConfigError, FormatError
        See `load_networks`.
    """
    on = _device(device)
    one, other = check_preset(folder, preset).values()
    networks = [
        _load(folder / f"{name}.safetensors", kind, card).to(on)
        for name, kind, card in (("detector", detector, one), ("identifier", identifier, other))
    ]
    for key in ("sampling_rate_hz", "band_hz"):
        if one.get(key) != other.get(key) or one.get(key) is None:
            raise FormatError(
                f"the detector's {key} is {one.get(key)} and the identifier's {other.get(key)} in {folder}",
                "two networks trained on the same kind of traces",
                "train both with one configuration",
            )
    low, high = one["band_hz"]
    return networks[0], networks[1], float(one["sampling_rate_hz"]), (float(low), float(high))


def _load(path: Path, kind: type[torch.nn.Module], card: dict[str, Any]) -> torch.nn.Module:
    architecture = card.get("architecture")
    if not isinstance(architecture, dict):
        raise FormatError(
            f"the card of {path} says no architecture", f"that of a {kind.__name__}", "export the weights again"
        )
    network = kind(**architecture)
    load_weights(network, path)
    return network.eval()


def _device(name: str) -> torch.device:
    if name not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"device is {name!r}", "auto, cpu or cuda", "choose one of them")
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "device is 'cuda', and torch sees no GPU", "a GPU that torch can use", "use device auto or cpu"
        )
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
