"""What the published sorter does to traces before its networks see them."""

from __future__ import annotations

import numpy as np
import scipy.linalg
import scipy.signal
from jaxtyping import Float

from spikeline.errors import ConfigError, DataError, NumericalError

__all__ = ["band_passed", "clipped_band", "low_passed_snippets", "whitened", "whitening_matrix", "z_scored"]

_ORDER = 4
_LOW_PASS_HZ = 1000.0


def clipped_band(band_hz: tuple[float, float], sampling_rate_hz: float) -> tuple[float, float]:
    """A band with its upper edge at most 1 Hz below the Nyquist frequency.

    Raises
    ------
    ConfigError
        If nothing of the band is left.

    Notes
    -----
    Source: SimSort, released preprocessing code. Its bands are 300-3000 Hz for simulated recordings at 10 kHz,
    300-10,000 Hz for hybrid tetrodes at 30 kHz and the Quiroga simulations at 24 kHz, 250-10,000 Hz for a user's own.
    """
    low, high = band_hz[0], min(band_hz[1], sampling_rate_hz / 2 - 1)
    if not 0 < low < high:
        raise ConfigError(
            f"a band of {band_hz[0]:g} to {band_hz[1]:g} Hz at {sampling_rate_hz:g} Hz",
            f"a lower edge above 0, below the upper edge and below {sampling_rate_hz / 2 - 1:g} Hz",
            "choose a band that the sampling rate can hold",
        )
    return low, high


def band_passed(
    traces: Float[np.ndarray, "samples channels"], band_hz: tuple[float, float], sampling_rate_hz: float
) -> Float[np.ndarray, "samples channels"]:
    """Zero-phase Butterworth band-pass of order 4, run forwards and backwards; float64.

    Parameters
    ----------
    traces
        Any unit.
    band_hz
        See `clipped_band`.
    sampling_rate_hz
        Of the traces.

    Raises
    ------
    ConfigError
        If nothing of the band is left below the Nyquist frequency.
    DataError
        If the traces are too short for the filter or hold a value that is not finite.

    Notes
    -----
    Source: SimSort, released preprocessing code.
    """
    sections = scipy.signal.butter(
        _ORDER, clipped_band(band_hz, sampling_rate_hz), "bandpass", fs=sampling_rate_hz, output="sos"
    )
    shortest = 3 * (2 * _ORDER + 1)  # what scipy extends the traces by at each end
    if len(traces) <= shortest:
        raise DataError(f"traces of {len(traces)} samples", f"more than {shortest}", "filter a longer stretch")
    if not np.isfinite(traces).all():
        raise DataError(
            "traces with values that are not finite", "numbers", "mend or cut out the samples that are missing"
        )
    return scipy.signal.sosfiltfilt(sections, traces, axis=0)


def z_scored(traces: Float[np.ndarray, "samples channels"]) -> Float[np.ndarray, "samples channels"]:
    """Each channel minus its mean, over its standard deviation.

    Parameters
    ----------
    traces
        A whole recording, or for training all recordings one after the other.

    Raises
    ------
    DataError
        If a channel is constant.

    Notes
    -----
    Source: SimSort, released preprocessing code.
    """
    sd = traces.std(axis=0)
    if not (sd > 0).all():
        raise DataError(
            f"channel {int(np.flatnonzero(~(sd > 0))[0])} does not vary",
            "a standard deviation above 0",
            "leave the channel out",
        )
    return (traces - traces.mean(axis=0)) / sd


def whitening_matrix(traces: Float[np.ndarray, "samples channels"]) -> Float[np.ndarray, "channels channels"]:
    """The symmetric matrix W = E diag(1 / sqrt(lambda)) E^T of ZCA whitening.

    E and lambda are eigenvectors and eigenvalues of C = X^T X / n: nothing is centred (the traces are band-passed,
    their means vanish), nothing is added to the eigenvalues.

    Parameters
    ----------
    traces
        X: band-passed.

    Raises
    ------
    NumericalError
        If a channel is a mixture of others: without regularisation its noise would be blown up without bound.

    Notes
    -----
    Source: SimSort, released preprocessing code.
    """
    traces = traces.astype(np.float64)
    values, vectors = scipy.linalg.eigh(traces.T @ traces / len(traces))
    if not values[0] > values[-1] * len(values) * np.finfo(np.float64).eps:
        raise NumericalError(
            f"the channels' covariance has eigenvalues from {values[0]:.3g} to {values[-1]:.3g}",
            "all above rounding: channels of which none is silent or a mixture of others",
            "leave out silent and doubled channels, and do not subtract the channels' mean before whitening",
        )
    return (vectors / np.sqrt(values)) @ vectors.T


def whitened(traces: Float[np.ndarray, "samples channels"]) -> Float[np.ndarray, "samples channels"]:
    """ZCA-whitened traces, see `whitening_matrix`: unit variance, no correlation between channels."""
    return traces @ whitening_matrix(traces)


def low_passed_snippets(
    snippets: Float[np.ndarray, "snippets samples channels"], sampling_rate_hz: float
) -> Float[np.ndarray, "snippets samples channels"]:
    """Training snippets after a first-order causal Butterworth low-pass at 1 kHz, each from rest.

    Parameters
    ----------
    snippets
        uV.
    sampling_rate_hz
        10 kHz as published.

    Raises
    ------
    ConfigError
        If 1 kHz does not lie below the Nyquist frequency.

    Notes
    -----
    Source: SimSort, released training code of the identifier. The published sorter filters the snippets it is trained
    on and not those it sorts.
    """
    if sampling_rate_hz <= 2 * _LOW_PASS_HZ:
        raise ConfigError(
            f"a sampling rate of {sampling_rate_hz:g} Hz", f"above {2 * _LOW_PASS_HZ:g} Hz", "resample the snippets"
        )
    numerator, denominator = scipy.signal.butter(1, _LOW_PASS_HZ, fs=sampling_rate_hz)
    return scipy.signal.lfilter(numerator, denominator, snippets, axis=1)
