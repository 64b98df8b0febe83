"""Streaming low-rank compression of membrane currents, with the error measured where it matters: at electrodes.

The currents of a cell (n_segments x n_samples) live close to a space of some 20 dimensions. Slices come one after the
other; each is projected on the basis found so far, and the basis grows by principal components of what is left over
until the field of the residual stays under both tolerances on a cloud of reference contacts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.linalg.blas import ssyrk

from spikeline.artifacts import seed_stream
from spikeline.errors import NumericalError
from spikeline.simulation.field.geometry import SegmentGeometry

__all__ = [
    "FieldError",
    "LowRankBasis",
    "field_error",
    "quantisation_scale",
    "quantise",
    "reference_contacts",
    "rounding_error",
]

_COLUMNS = 4096  # samples handled at once, so that a piece stays in the processor's cache or near it
_WORST = 512  # samples on which a growing basis is tried before it is measured on all
_RESERVE = 0.85  # a growing basis aims this far below the tolerances, so that not every slice asks for a little more
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
        bounds the error at ANY contact at least ``d`` away from every segment, because a segment's potential there
        is at most ``|I| / (4 pi sigma d)``.
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


def reference_contacts(
    geometry: SegmentGeometry, distance_um: float, n_tetrodes: int = 80, pitch_um: float = 13.0
) -> np.ndarray:
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
    """The error that leaving ``residual`` out makes at the contacts, by the plain formula.

    Parameters
    ----------
    field_matrix
        (n_contacts, n_segments), uV per nA.
    residual
        (n_segments, n_samples), nA.
    signal_energy
        Passed through to the result.
    """
    field = field_matrix @ residual
    return FieldError(
        float(np.abs(field).max(initial=0)),
        float(np.vdot(field, field)),
        signal_energy,
        float(np.abs(residual).sum(axis=0).max(initial=0)),
    )


@dataclass
class _Pass:
    """One pass over a slice: its coefficients, the error, and the residual's Gram matrix and norm at each sample."""

    coefficients: np.ndarray
    error: FieldError
    gram: np.ndarray
    norms: np.ndarray


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
        exact = np.asarray(field_matrix, dtype=np.float64)
        self._weight = exact.T @ exact
        self._strongest_contact = float(np.linalg.norm(exact, axis=1).max(initial=0))
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
            At the reference contacts, over all samples.

        Raises
        ------
        NumericalError
            If not even a full basis holds the tolerances.
        """
        for _ in range(20):
            seen = self._project(currents)
            error = seen.error
            small = error.max_error_uv <= self._max_error_uv and error.rms_percent <= self._rms_error_percent
            if small and (error.signal_energy > 0 or error.error_energy == 0):
                return seen.coefficients, error
            if self.rank >= len(self.basis):
                break
            self._grow(seen, currents)
        raise NumericalError(
            f"the low-rank form errs by {error.max_error_uv:.3g} uV and {error.rms_percent:.3g} % "
            f"at rank {self.rank} of {len(self.basis)}",
            f"at most {self._max_error_uv:g} uV and {self._rms_error_percent:g} %",
            "raise bank.max_error_uv or bank.rms_error_percent",
        )

    def _project(self, currents: np.ndarray) -> _Pass:
        """Project a slice and measure what is left.

        Exact, and yet most samples are never turned into potentials. The energy follows from the residual's Gram matrix
        G as ``trace(M' M G)``. The largest potential needs only samples whose upper bound (Cauchy-Schwarz: the norm
        of the residual times that of the strongest contact) exceeds what was found before.
        """
        n_segments, n_samples = currents.shape
        coefficients = np.empty((self.rank, n_samples), np.float32)
        gram = np.zeros((n_segments, n_segments))
        norms = np.empty(n_samples, np.float32)
        largest, summed = 0.0, 0.0
        transposed = np.ascontiguousarray(self.basis.T)
        buffer = np.empty((n_segments, _COLUMNS), np.float32)
        for start in range(0, n_samples, _COLUMNS):
            piece = currents[:, start : start + _COLUMNS]
            residual = buffer[:, : piece.shape[1]] if piece.shape[1] == _COLUMNS else np.empty_like(piece)
            part = transposed @ piece
            coefficients[:, start : start + _COLUMNS] = part
            np.matmul(self.basis, part, out=residual)
            np.subtract(piece, residual, out=residual)
            gram += ssyrk(1.0, residual.T, trans=1)
            norm = np.sqrt(np.einsum("st,st->t", residual, residual))
            norms[start : start + _COLUMNS] = norm
            largest, summed = self._raise_maxima(residual, norm, largest, summed)
        gram = np.triu(gram) + np.triu(gram, 1).T  # ssyrk fills the upper triangle only
        energy = max(float(np.sum(self._weight * gram)), 0.0)
        return _Pass(coefficients, FieldError(largest, energy, self._signal_energy(coefficients), summed), gram, norms)

    def _raise_maxima(
        self, residual: np.ndarray, norms: np.ndarray, largest: float, summed: float
    ) -> tuple[float, float]:
        """The larger of the maxima found before and those of this piece, whose likeliest samples are tried first."""
        slack = 1 + 1e-4  # the norms are rounded to single precision
        first = residual[:, np.argpartition(norms, -min(16, len(norms)))[-16:]]
        largest = max(largest, float(np.abs(self._matrix @ first).max()))
        candidates = norms * (self._strongest_contact * slack) > largest
        if candidates.any():
            largest = max(largest, float(np.abs(self._matrix @ residual[:, candidates]).max()))
        np.abs(residual, out=residual)  # its last use
        return largest, max(summed, float((np.ones(len(residual), np.float32) @ residual).max()))

    def _signal_energy(self, coefficients: np.ndarray) -> float:
        basis = self.basis.astype(np.float64)
        return float(np.sum((basis.T @ self._weight @ basis) * (coefficients @ coefficients.T)))

    def _grow(self, seen: _Pass, currents: np.ndarray) -> None:
        """Add principal components of the residual until worst samples and energy are well inside the tolerances."""
        values, vectors = eigh(seen.gram)
        values, vectors = np.clip(values[::-1], 0, None), vectors[:, ::-1]
        room = len(self.basis) - self.rank
        response = self._matrix.astype(np.float64) @ vectors
        energies = values * np.sum(response**2, axis=0)
        left = np.clip(energies.sum() - np.cumsum(energies), 0, None)
        # The total signal: what the basis holds already, and the residual's own field
        allowed = (_RESERVE * self._rms_error_percent / 100) ** 2 * (seen.error.signal_energy + energies.sum())
        count = int(np.argmax(left <= allowed)) + 1 if (left <= allowed).any() else room
        count = min(count, room)
        samples = np.argsort(seen.norms)[::-1][:_WORST]
        worst = (currents[:, samples] - self.basis @ seen.coefficients[:, samples]).astype(np.float64)
        projected = vectors.T @ worst
        field = self._matrix.astype(np.float64) @ worst - response[:, :count] @ projected[:count]
        while count < room and np.abs(field).max() > _RESERVE * self._max_error_uv:
            field -= np.outer(response[:, count], projected[count])
            count += 1
        added = vectors[:, :count]
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


def rounding_error(
    coefficients: np.ndarray, scale: np.ndarray, basis: np.ndarray, field_matrix: np.ndarray
) -> FieldError:
    """What keeping coefficients in 16 bits adds to the error, measured on every sample.

    Parameters
    ----------
    coefficients
        (rank, n_samples) float32, as `LowRankBasis.compress` returned them.
    scale
        (rank,) step of each component.
    basis
        (n_segments, rank).
    field_matrix
        (n_contacts, n_segments), uV per nA.
    """
    response = (field_matrix @ basis).astype(np.float32)
    # Of the summed current the largest possible value: no coefficient is off by more than half a step
    summed = float(np.abs(basis).sum(axis=0) @ scale) / 2
    largest, products = 0.0, np.zeros((len(scale), len(scale)))
    for start in range(0, coefficients.shape[1], _COLUMNS):
        piece = coefficients[:, start : start + _COLUMNS]
        off = quantise(piece, scale) * scale[:, None] - piece
        field = response @ off
        largest = max(largest, float(field.max()), -float(field.min()))
        products += off @ off.T
    energy = float(np.sum((response.T @ response) * products))
    return FieldError(largest, max(energy, 0.0), 0.0, summed)
