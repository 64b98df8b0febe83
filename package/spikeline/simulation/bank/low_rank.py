"""Streaming low-rank compression of membrane currents, with the error measured where it matters: at electrodes.

The currents of a cell (n_segments x n_samples) live close to a space of 10 to 70 dimensions. Slices come one after the
other; each is projected on the basis found so far, and the basis grows by principal components of what is left over
until the field of the residual stays under both tolerances at a cloud of reference tetrodes: the largest error at every
contact, the relative one at every tetrode by itself, so that a quiet tetrode is not carried by a loud one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from scipy.linalg import eigh
from scipy.linalg.blas import dsyrk

from spikeline.errors import NumericalError
from spikeline.simulation.bank.field_error import FieldError, per_tetrode

__all__ = ["LowRankBasis"]

_COLUMNS = 4096  # samples handled at once, so that a piece stays in the processor's cache or near it
_WORST = 512  # samples on which a growing basis is tried before it is measured on all
_RESERVE = 0.85  # a growing basis aims this far below the tolerances, so that not every slice asks for a little more
_THINNED = 8  # the first basis is found on every eighth sample
_NEAR = 1e-4  # relative energy of a residual below which differences of single-precision sums are exact enough
_ROUNDING = 1e-5  # relative error of a sum of squares in single precision, with room to spare


@dataclass
class _Pass:
    """A slice on a basis: its coefficients, the error, and what is left over.

    ``gram`` (n_segments, n_segments) is the residual's Gram matrix; ``norms`` (n_samples,) are at least the residual's
    norm at each sample.
    """

    coefficients: np.ndarray
    error: FieldError
    gram: np.ndarray
    norms: np.ndarray


class LowRankBasis:
    """A basis that grows as slices come in.

    Parameters
    ----------
    field_matrix
        Line-source matrix of the reference contacts, uV per nA; four rows to a tetrode.
    max_error_uv, rms_error_percent
        Tolerances of every slice: at every contact, and over each tetrode.
    basis
        Basis to start from.
    """

    def __init__(
        self,
        field_matrix: Float[np.ndarray, "contacts segments"],
        max_error_uv: float,
        rms_error_percent: float,
        basis: Float[np.ndarray, "segments rank"] | None = None,
    ) -> None:
        self._matrix = np.ascontiguousarray(field_matrix, dtype=np.float32)
        self._exact_matrix = np.asarray(field_matrix, dtype=np.float64)
        self._strongest_contact = float(np.linalg.norm(self._exact_matrix, axis=1).max(initial=0))
        self._max_error_uv, self._rms_error_percent = max_error_uv, rms_error_percent
        n_segments = self._matrix.shape[1]
        self.basis = np.zeros((n_segments, 0), np.float32) if basis is None else np.asarray(basis, np.float32)

    @property
    def rank(self) -> int:
        """Number of components so far."""
        return self.basis.shape[1]

    def compress(
        self, currents: Float32[np.ndarray, "segments samples"]
    ) -> tuple[Float32[np.ndarray, "rank samples"], FieldError]:
        """Coefficients of a slice on the basis, which grows first if it has to, and the error measured on the slice.

        Parameters
        ----------
        currents
            nA.

        Returns
        -------
        coefficients
            ``basis @ coefficients`` approximates the currents.
        error
            At the reference contacts, over all samples.

        Raises
        ------
        NumericalError
            If not even a full basis holds the tolerances.
        """
        if self.rank == 0:
            self._start(currents)
        seen = self._project(currents)
        for _ in range(20):
            error = seen.error
            if error.max_error_uv <= self._max_error_uv and error.rms_percent <= self._rms_error_percent:
                return seen.coefficients, error
            if self.rank >= len(self.basis):
                break
            self._grow(seen, currents)
            far = error.error_energy.sum() > _NEAR * error.signal_energy.sum()
            seen = self._project(currents) if far else self._extended(seen, currents)
        raise NumericalError(
            f"the low-rank form errs by {error.max_error_uv:.3g} uV, {error.rms_percent:.3g} % at a tetrode, "
            f"at rank {self.rank} of {len(self.basis)}",
            f"at most {self._max_error_uv:g} uV and {self._rms_error_percent:g} %",
            "raise bank.max_error_uv or bank.rms_error_percent",
        )

    def _start(self, currents: np.ndarray) -> None:
        """A first basis, from every eighth sample and the largest; what it misses is added once it is measured."""
        squared = np.einsum("st,st->t", currents, currents)
        if not squared.any():
            return
        large = squared > np.partition(squared, -1 - len(squared) // _THINNED)[-1 - len(squared) // _THINNED]
        small = np.flatnonzero(~large)[::_THINNED]
        gram = _gram(currents[:, large]) + _THINNED * _gram(currents[:, small])
        nothing = np.empty((0, currents.shape[1]), np.float32)
        self._grow(_Pass(nothing, FieldError(), gram, np.sqrt(squared)), currents)

    def _project(self, currents: np.ndarray) -> _Pass:
        """Project a slice and measure what is left.

        Exact, and yet most samples are never turned into potentials: the energy at a contact with row m of the field
        matrix follows from the residual's Gram matrix G as ``m G m'``.
        """
        n_segments, n_samples = currents.shape
        coefficients = np.empty((self.rank, n_samples), np.float32)
        gram = np.zeros((n_segments, n_segments))
        norms = np.empty(n_samples, np.float32)
        transposed = np.ascontiguousarray(self.basis.T)
        for start in range(0, n_samples, _COLUMNS):
            piece = currents[:, start : start + _COLUMNS]
            part = transposed @ piece
            coefficients[:, start : start + _COLUMNS] = part
            # samples in rows, as the currents lie in memory
            residual = part.T @ transposed
            np.subtract(piece.T, residual, out=residual)
            gram += _gram(residual.T)
            norms[start : start + _COLUMNS] = np.sqrt(np.einsum("ts,ts->t", residual, residual))
        return self._measured(currents, coefficients, gram, norms)

    def _extended(self, seen: _Pass, currents: np.ndarray) -> _Pass:
        """The pass over the slice after the basis grew, from the one before: only the new components are projected on.

        The new residual is the old one less its part along the new components, and so are its Gram matrix and norms.
        """
        old, added = self.basis[:, : len(seen.coefficients)], self.basis[:, len(seen.coefficients) :]
        more = added.T @ currents - (added.T @ old) @ seen.coefficients
        complement = np.eye(len(added)) - added.astype(np.float64) @ added.T.astype(np.float64)
        squared = seen.norms**2
        # The difference of two nearly equal sums: what rounding may have taken is put back, to stay above the truth
        left = np.clip(squared - np.einsum("ct,ct->t", more, more), 0, None) + _ROUNDING * squared
        coefficients = np.concatenate([seen.coefficients, more])
        return self._measured(currents, coefficients, complement @ seen.gram @ complement, np.sqrt(left))

    def _measured(self, currents: np.ndarray, coefficients: np.ndarray, gram: np.ndarray, norms: np.ndarray) -> _Pass:
        energy = per_tetrode(np.clip(_quadratic(self._exact_matrix, gram), 0, None))
        largest, summed = self._maxima(currents, coefficients, norms)
        error = FieldError(largest, energy, self._signal_energy(coefficients), summed)
        return _Pass(coefficients, error, gram, norms)

    def _maxima(self, currents: np.ndarray, coefficients: np.ndarray, norms: np.ndarray) -> tuple[float, float]:
        """Largest potential and largest summed current of the residual over all samples.

        Both are bounded by its norm at a sample (Cauchy-Schwarz: times the norm of the strongest contact, times the
        root of the number of segments), so samples are looked at from the largest norm down, until none that is left
        could exceed what was found.
        """
        bounds = np.array([self._strongest_contact, np.sqrt(len(currents))]) * (1 + 1e-4)  # norms are rounded
        order = np.argsort(norms)[::-1]
        found = np.zeros(2)
        for start in range(0, len(order), _WORST):
            if (bounds * norms[order[start]] <= found).all():
                break
            samples = order[start : start + _WORST]
            residual = currents[:, samples] - self.basis @ coefficients[:, samples]
            summed = np.abs(residual).sum(axis=0).max()
            found = np.maximum(found, [np.abs(self._matrix @ residual).max(), summed])
        return float(found[0]), float(found[1])

    def _signal_energy(self, coefficients: np.ndarray) -> np.ndarray:
        response = self._exact_matrix @ self.basis.astype(np.float64)
        power = (coefficients @ coefficients.T).astype(np.float64)
        return per_tetrode(np.clip(_quadratic(response, power), 0, None))

    def _grow(self, seen: _Pass, currents: np.ndarray) -> None:
        """Add principal components of the residual until worst samples and energy are well inside the tolerances."""
        values, vectors = eigh(seen.gram)
        values, vectors = np.clip(values[::-1], 0, None), vectors[:, ::-1]
        room = len(self.basis) - self.rank
        response = self._exact_matrix @ vectors
        energies = per_tetrode(values * response**2)
        total = energies.sum(axis=1)
        left = np.clip(total[:, None] - np.cumsum(energies, axis=1), 0, None)
        # A tetrode's whole signal: what the basis holds already, and the residual's own field
        allowed = (_RESERVE * self._rms_error_percent / 100) ** 2 * (seen.error.signal_energy + total)
        enough = (left <= allowed[:, None]).all(axis=0)
        count = int(np.argmax(enough)) + 1 if enough.any() else room
        count = min(count, room)
        samples = np.argsort(seen.norms)[::-1][:_WORST]
        worst = (currents[:, samples] - self.basis @ seen.coefficients[:, samples]).astype(np.float64)
        projected = vectors.T @ worst
        field = self._exact_matrix @ worst - response[:, :count] @ projected[:count]
        while count < room and np.abs(field).max() > _RESERVE * self._max_error_uv:
            field -= np.outer(response[:, count], projected[count])
            count += 1
        added = vectors[:, :count]
        old = self.basis.astype(np.float64)
        for _ in range(2):  # twice is enough (Giraud et al. 2005) for a basis orthogonal to rounding
            added = added - old @ (old.T @ added)
        added = np.linalg.qr(added)[0]
        self.basis = np.concatenate([self.basis, added.astype(np.float32)], axis=1)


def _quadratic(rows: np.ndarray, gram: np.ndarray) -> np.ndarray:
    """``m G m'`` for each row m."""
    return np.einsum("cs,cs->c", rows @ gram, rows)


def _gram(samples: np.ndarray) -> np.ndarray:
    """(n_segments, n_segments) float64 Gram matrix of (n_segments, n) float32 samples.

    Summed in double precision: a quiet tetrode's share of the currents lies below the rounding of single-precision
    sums, and components that are rounding would be kept for it.
    """
    exact = samples.astype(np.float64, order="K")
    upper = dsyrk(1.0, exact.T, trans=1) if exact.flags.c_contiguous else dsyrk(1.0, exact)
    return np.triu(upper) + np.triu(upper, 1).T  # dsyrk fills the upper triangle only
