"""The mean spike of a bank entry at any place around the cell."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64

from spikeline.errors import DataError
from spikeline.simulation.bank import BankEntry
from spikeline.simulation.field.line_source import line_source_matrix

__all__ = ["extracellular_spike"]


def _whole_spikes(entry: BankEntry, before: int, after: int, most: int) -> np.ndarray:
    peaks = np.asarray(entry.spike_samples, dtype=np.int64)
    peaks = peaks[(peaks >= before) & (peaks + after < entry.n_samples)]
    if len(peaks) == 0:
        raise DataError(
            f"{entry.name} has no whole spike in {entry.duration_s:.3g} s",
            "at least one spike to draw",
            "raise simulation.stimulus.mean_rheobase or simulation.bank.duration_s",
        )
    return peaks[np.unique(np.linspace(0, len(peaks) - 1, min(most, len(peaks))).round().astype(int))]


def extracellular_spike(
    entry: BankEntry,
    contacts_um: Float[np.ndarray, "contacts 3"],
    *,
    before_ms: float = 1.0,
    after_ms: float = 3.0,
    conductivity_s_per_m: float = 0.3,
    most: int = 200,
) -> tuple[Float64[np.ndarray, " times"], Float64[np.ndarray, "contacts times"]]:
    """Average of at most ``most`` spikes, evenly chosen, aligned to the peak of the soma voltage.

    The mean potential of the first quarter of the part before the peak is taken off at each contact: a slow injected
    current leaves an offset there that every recording's high-pass filter removes.

    Parameters
    ----------
    entry
        Membrane currents of the cell, soma at the origin.
    contacts_um
        Positions relative to the soma, in um.
    before_ms, after_ms
        Window around the peak.
    conductivity_s_per_m
        Conductivity of the medium.

    Returns
    -------
    time_ms : numpy.ndarray
        Relative to the peak of the soma voltage.
    potential_uv : numpy.ndarray
        In uV.

    Raises
    ------
    DataError
        If the entry has no spike whose whole window was simulated.
    """
    before, after = (round(ms * entry.sampling_rate_hz / 1000) for ms in (before_ms, after_ms))
    peaks = _whole_spikes(entry, before, after, most)
    components = np.mean(
        [entry.components(peak - before, peak + after + 1) for peak in peaks], axis=0, dtype=np.float64
    )
    to_contacts = line_source_matrix(entry.geometry, contacts_um, conductivity_s_per_m) @ entry.basis.astype(np.float64)
    potential = to_contacts @ components
    potential -= potential[:, : max(1, before // 4)].mean(axis=1, keepdims=True)
    return np.arange(-before, after + 1) * 1000 / entry.sampling_rate_hz, potential
