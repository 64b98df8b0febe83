"""Streaming low-rank compression of membrane currents, with the error measured where it matters: at electrodes.

The currents of a cell (n_segments x n_samples) live close to a space of some 20 dimensions. Slices come one after the other;
each is projected on the basis found so far, and the basis grows by principal components of what is left over until
the field of the residual stays under both tolerances on a cloud of reference contacts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from spikeline.artifacts import seed_stream
from spikeline.errors import NumericalError
from spikeline.simulation.geometry import SegmentGeometry

__all__ = ["FieldError", "LowRankBasis", "field_error", "quantisation_scale", "quantise", "reference_contacts"]

_COLUMNS = 4096  # samples handled at once, so that the field on all contacts stays in the processor's cache or near it
_WORST = 512  # samples on which a growing basis is tried before it is measured on all
_INT16 = 32767


@dataclass(frozen=True)
class FieldError:
    """What a low-rank form loses over a stretch of time.

    Parameters
    ----------
    max_error_uv
        Largest absolute error of the potential over contacts and samples.
    error_energy
        Sum of its squares, uV^2.
    signal_energy
        Sum of squares of the potential itself, uV^2.
    residual_na
        Largest sum over segments of the absolute current error at one sample. Divided by ``4 pi sigma d`` it
        bounds the error at ANY contact at least ``d`` away from every segment, because a segment's potential there is at most
        ``|I| / (4 pi sigma d)``.
    """

    max_error_uv: float = 0.0
    error_energy: float = 0.0
    signal_energy: float = 0.0
    residual_na: float = 0.0

    @property
    def rms_percent(self) -> float:
        """Relative root-mean-square error over all contacts, in percent."""
        return 100 * float(np.sqrt(self.error_energy / self.signal_energy)) if self.signal_energy > 0 else 0.0

    def joined(self, other: FieldError) -> FieldError:
        """The error over both stretches."""
        return FieldError(
            max(self.max_error_uv, other.max_error_uv),
            self.error_energy + other.error_energy,
            self.signal_energy + other.signal_energy,
            max(self.residual_na, other.residual_na),
        )


def reference_contacts(geometry: SegmentGeometry, distance_um: float, n_tetrodes: int = 80, pitch_um: float = 13.0) -> np.ndarray:
    """A cloud of tetrode contacts around a cell, the same on every call.

    Half of the tetrodes lie around the soma, from the least distance to 5 times it, densest near; half beside segments
    all over the cell (1 to 50 um from their axis), because a contact that touches a dendrite hears errors there.

    Parameters
    ----------
    geometry
        The cell, its soma at the origin.
    distance_um
        No contact is nearer to the soma's centre than this.
    n_tetrodes, pitch_um
        How many squares of 4 contacts, and their side.

    Returns
    -------
    numpy.ndarray
        (4 * n_tetrodes, 3), um.
    """
    generator = seed_stream(0, "reference contacts")
    middles = (geometry.start_um + geometry.end_um) / 2
    contacts: list[np.ndarray] = []
    while len(contacts) < n_tetrodes:
        axes = np.linalg.qr(generator.standard_normal((3, 3)))[0]
        if len(contacts) % 2 == 0:
            centre = axes[0] * distance_um * 5 ** generator.uniform()
        else:
            centre = middles[generator.integers(len(middles))] + axes[0] * 50 ** generator.uniform()
        corners = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * pitch_um / 2
        tetrode = centre + corners @ axes[1:]
        # away from the soma until no contact is too near
        nearest = np.linalg.norm(tetrode, axis=1).min()
        if nearest < distance_um:
            tetrode += axes[0] * (np.sign(axes[0] @ centre) or 1.0) * (distance_um - nearest)
        if np.linalg.norm(tetrode, axis=1).min() >= distance_um:
            contacts.append(tetrode)
    return np.concatenate(contacts)


def field_error(field_matrix: np.ndarray, residual: np.ndarray, signal_energy: float = 0.0) -> FieldError:
    """The error that leaving ``residual`` out makes at the contacts.

    Parameters
    ----------
    field_matrix
        (n_contacts, n_segments), uV per nA.
    residual
        (n_segments, n_samples), nA.
    signal_energy
        Passed through to the result.
    """
    largest, energy, summed = 0.0, 0.0, 0.0
    for start in range(0, residual.shape[1], _COLUMNS):
        piece = residual[:, start : start + _COLUMNS]
        field = field_matrix @ piece
        largest = max(largest, float(field.max()), -float(field.min()))
        energy += float(np.vdot(field, field))
        summed = max(summed, float(np.abs(piece).sum(axis=0).max()))
    return FieldError(largest, energy, signal_energy, summed)


class LowRankBasis:
    """A basis that grows as slices come in.

    Parameters
    ----------
    field_matrix
        (n_contacts, n_segments) line-source matrix of the reference contacts, uV per nA.
    max_error_uv, rms_error_percent
        Tolerances of every slice.
    basis
        (n_segments, rank) basis to start from.
    """

    def __init__(
        self, field_matrix: np.ndarray, max_error_uv: float, rms_error_percent: float, basis: np.ndarray | None = None
    ) -> None:
        self._matrix = np.ascontiguousarray(field_matrix, dtype=np.float32)
        self._max_error_uv, self._rms_error_percent = max_error_uv, rms_error_percent
        n_segments = self._matrix.shape[1]
        self.basis = np.zeros((n_segments, 0), np.float32) if basis is None else np.asarray(basis, np.float32)

    @property
    def rank(self) -> int:
        """Number of components so far."""
        return self.basis.shape[1]

    def compress(self, currents: np.ndarray) -> tuple[np.ndarray, FieldError]:
        """Coefficients of a slice on the basis, which grows first if it has to, and the error measured on the slice.

        Parameters
        ----------
        currents
            (n_segments, n_samples) float32, nA.

        Returns
        -------
        coefficients
            (rank, n_samples) float32; ``basis @ coefficients`` approximates the currents.
        error
            At the reference contacts.

        Raises
        ------
        NumericalError
            If not even a full basis holds the tolerances.
        """
        for _ in range(20):
            coefficients = self.basis.T @ currents
            residual = currents - self.basis @ coefficients
            error = field_error(self._matrix, residual, self._signal_energy(coefficients))
            if self._within(error, 1.0):
                return coefficients, error
            if self.rank >= len(self.basis):
                break
            self._grow(residual, error.signal_energy)
        raise NumericalError(
            f"the low-rank form errs by {error.max_error_uv:.3g} uV and {error.rms_percent:.3g} % at rank {self.rank} of {len(self.basis)}",
            f"at most {self._max_error_uv:g} uV and {self._rms_error_percent:g} %",
            "raise bank.max_error_uv or bank.rms_error_percent",
        )

    def _signal_energy(self, coefficients: np.ndarray) -> float:
        field = (self._matrix @ self.basis).astype(np.float64)
        gram = (coefficients @ coefficients.T).astype(np.float64)
        return float(np.sum((field.T @ field) * gram))

    def _within(self, error: FieldError, share: float) -> bool:
        small = error.max_error_uv <= share * self._max_error_uv
        return small and error.rms_percent <= share * self._rms_error_percent and (error.signal_energy > 0 or error.error_energy == 0)

    def _grow(self, residual: np.ndarray, signal_energy: float) -> None:
        """Add principal components of the residual until the worst samples and the energy are well inside the tolerances."""
        share = 0.85  # a reserve, so that the next slices do not each ask for a little more
        values, vectors = eigh((residual @ residual.T).astype(np.float64))
        values, vectors = np.clip(values[::-1], 0, None), vectors[:, ::-1]
        room = len(self.basis) - self.rank
        weights = np.sum((self._matrix.astype(np.float64) @ vectors) ** 2, axis=0)
        energies = values * weights
        left = energies.sum() - np.cumsum(energies)
        # The total signal: what the basis holds already plus the residual's own field
        allowed = (share * self._rms_error_percent / 100) ** 2 * (signal_energy + energies.sum())
        count = int(np.argmax(left <= allowed)) + 1 if (left <= allowed).any() else room
        worst = np.argpartition(np.einsum("st,st->t", residual, residual), -min(_WORST, residual.shape[1]))[-_WORST:]
        columns = residual[:, worst].astype(np.float64)
        projected = vectors.T @ columns
        field = self._matrix.astype(np.float64) @ columns
        response = self._matrix.astype(np.float64) @ vectors
        field -= response[:, :count] @ projected[:count]
        while count < room and np.abs(field).max() > share * self._max_error_uv:
            field -= np.outer(response[:, count], projected[count])
            count += 1
        added = vectors[:, : min(count, room)]
        old = self.basis.astype(np.float64)
        for _ in range(2):  # twice is enough (Giraud et al. 2005) for a basis orthogonal to rounding
            added = added - old @ (old.T @ added)
        added = np.linalg.qr(added)[0]
        self.basis = np.concatenate([self.basis, added.astype(np.float32)], axis=1)


def quantisation_scale(largest: np.ndarray) -> np.ndarray:
    """(rank,) float32 step of each component so that its largest absolute coefficient (rank,) just fits 16 bits."""
    return np.where(largest > 0, largest / _INT16, 1.0).astype(np.float32)


def quantise(coefficients: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(rank, n_samples) int16 nearest multiples of ``scale`` (rank,)."""
    return np.clip(np.rint(coefficients / scale[:, None]), -_INT16, _INT16).astype(np.int16)
