"""The E-step, compiled for processors.

Two passes over the trajectories. The first filters all of them under all components and keeps log-likelihoods only.
The second smooths under each component those it has a share in, which for all but short trajectories is few; N x T x K
states exist at no time. Covariances and gains come first, once per component, and outputs that are more than the states
are reduced to as many numbers, which say of the states what the outputs say.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from spikeline.blas import one_blas_thread
from spikeline.dynamics.em.expectation import Expectation, responsibilities_of
from spikeline.dynamics.em.numba_tables import FilterTables, filled_up
from spikeline.dynamics.em.reduced_outputs import ReducedOutputs, reduced_outputs
from spikeline.dynamics.em.sufficient_statistics import SufficientStatistics
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["NumbaEngine"]

# Trajectories beside each other: as many as fill vectors and hide a loop's costs, but fewer where there are few.
_WIDTHS = (16, 64)
_BLOCKS_FOR_FULL_WIDTH = 16
_STEPS_AT_ONCE = 256  # of one lane of blocks that are one piece of work
_BUFFER = 256 * 1024  # bytes of outputs and inputs that are read at a time
_PIECES = 8  # of work that are enough to share out
_PRODUCTS_AT_ONCE = 1024  # trajectories
# Responsibilities below it change no digit of a statistic.
_NO_SHARE = 1e-20
_ROUNDING = {"float64": 1e-8, "float32": 1e-6}
# Outputs are reduced unless their size is so many times the noise's: differences of squares would lose digits.
_LARGEST_SIGNAL = 1e5


@dataclass(frozen=True)
class _Component:
    """What of one component the passes need, for t = 0, 1, ..., the last entry for all later steps too."""

    predicted: Float[np.ndarray, "entries_plus_1 n n"]
    filtered: Float[np.ndarray, "entries n n"]
    back: Float[np.ndarray, "entries n n_filled_up"]
    smooth: Float[np.ndarray, "entries rows_2 columns"]
    determinants: Float[np.ndarray, " T"]  # half the log-determinants of the innovations' covariances, summed up


class NumbaEngine:
    """E-steps on trajectories without gaps.

    Parameters
    ----------
    trajectories
        Lengths may differ.
    n_threads
        None: as many as there are cores, and no more than NUMBA_NUM_THREADS or OMP_NUM_THREADS say. Results are the
        same, to the bit, for any number.
    dtype
        float64, or float32: means and products of a few thousand numbers are single; covariances, further sums and what
        depends on data alone double. Its errors stand in docs/benchmarks.md.

    Raises
    ------
    DataError
        If an output is missing.

    Notes
    -----
    Its methods raise `numpy.linalg.LinAlgError` where the mixture has a covariance that is none, as the reference does.
    """

    def __init__(
        self,
        trajectories: Trajectories,
        n_threads: int | None = None,
        *,
        dtype: Literal["float64", "float32"] = "float64",
    ) -> None:
        from spikeline.dynamics.em.numba_products import own_products

        if trajectories.observed is not None and not trajectories.observed[trajectories.inside()].all():
            raise DataError(
                "outputs are missing (observed is False somewhere)",
                "trajectories without gaps: covariances are shared by all of them",
                "let make_engine choose the engine",
            )
        self.name = f"NumbaEngine {dtype}"  # all that decides the bytes of its results
        self.rounding = _ROUNDING[dtype]  # by how many nats per number a likelihood may seem to fall
        given = [np.ascontiguousarray(values, np.float64) for values in (trajectories.inputs, trajectories.outputs)]
        self._inputs, self._outputs = (values.astype(dtype, copy=False) for values in given)
        self._lengths = trajectories.lengths
        self._n_threads = _default_threads() if n_threads is None else n_threads
        self._pool = ThreadPoolExecutor(self._n_threads - 1) if self._n_threads > 1 else None
        self._tables: FilterTables | None = None
        self._longest_first = np.argsort(-self._lengths, kind="stable")
        low, high = _WIDTHS
        self._width = int(np.clip(low * -(-len(trajectories) // (low * _BLOCKS_FOR_FULL_WIDTH)), low, high))
        self._unit = self._width * max(1, _STEPS_AT_ONCE // int(self._lengths.max()))
        q, m = trajectories.n_outputs, trajectories.n_inputs
        self._triangles = np.triu_indices(q + m), np.triu_indices(m)
        self._products = np.empty((len(trajectories), sum(len(rows) for rows, _ in self._triangles)))
        # From what was given: single precision would show in differences of squares
        self._run(own_products, ((*given, self._lengths, *part, self._products) for part in self._parts()))

    def expectation(self, mixture: Mixture) -> Expectation:
        """The E-step under a mixture."""
        with one_blas_thread():
            reduced, components = self._prepared(mixture)
            likelihoods = self._likelihoods(mixture, reduced, components)
            log_likelihoods, responsibilities = responsibilities_of(likelihoods, mixture.weights)
            statistics = self._statistics(mixture, reduced, components, responsibilities)
        return Expectation(log_likelihoods, responsibilities, statistics)

    def component_log_likelihoods(self, mixture: Mixture) -> Float[np.ndarray, "N K"]:
        """Log-likelihood of each trajectory under each component, nats, without the mixture's weights."""
        with one_blas_thread():
            return self._likelihoods(mixture, *self._prepared(mixture))

    def _prepared(self, mixture: Mixture) -> tuple[ReducedOutputs | None, list[_Component]]:
        """How outputs are reduced, if they are, and the components' tables."""
        from spikeline.dynamics.em.numba_covariances import filter_tables

        n, m = mixture.n_states, mixture.n_inputs
        reduced = None
        if mixture.n_outputs > n and self._largest_signal(mixture) <= _LARGEST_SIGNAL:
            reduced = reduced_outputs(mixture)
        tables = self._tables_for(mixture, n if reduced is not None else mixture.n_outputs)
        jobs = []
        for k, system in enumerate(mixture.systems):
            seen = (system.C, system.D, system.R)
            if reduced is not None:
                seen = (reduced.seen[k], np.zeros((n, m)), np.eye(n))
            C, D, R = map(np.ascontiguousarray, seen)
            A, B, Q, S = map(np.ascontiguousarray, (system.A, system.B, system.Q, system.S))
            jobs.append((A, B, C, D, Q, R, S, *tables.of(k)))
        components = []
        for k, (entries, failed) in enumerate(self._run(filter_tables, jobs)):
            if failed >= 0:
                raise np.linalg.LinAlgError(
                    f"a covariance of outputs or states is not positive definite (component {k}, step {failed})"
                )
            determinants = tables.determinant[k]
            determinants[entries:] = determinants[entries - 1]
            components.append(
                _Component(
                    tables.predicted[k, : entries + 1], tables.filtered[k, :entries], tables.back[k, :entries],
                    tables.smooth[k, :entries], np.cumsum(determinants),
                )
            )  # fmt: skip
        return reduced, components

    def _tables_for(self, mixture: Mixture, seen: int) -> FilterTables:
        K, n = mixture.n_components, mixture.n_states
        if self._tables is None or not self._tables.fits(K, n, seen):
            steps, single = int(self._lengths.max()), self._outputs.dtype == np.float32
            self._tables = FilterTables.empty(K, steps, n, mixture.n_inputs, seen, single=single)
        return self._tables

    def _likelihoods(
        self, mixture: Mixture, reduced: ReducedOutputs | None, components: list[_Component]
    ) -> Float[np.ndarray, "N K"]:
        from spikeline.dynamics.em.numba_means import score_blocks
        from spikeline.dynamics.em.numba_products import contract

        kind, K = self._outputs.dtype, mixture.n_components
        assert self._tables is not None
        entries = np.array([len(component.filtered) for component in components])
        tables = self._tables.score
        if kind == np.float32:
            tables = self._tables.score_single
            for k, filled in enumerate(entries):
                tables[k, :filled] = self._tables.score[k, :filled]
        forward = self._forward(mixture, reduced)
        squares = np.empty((len(self._lengths), K))
        common = (self._width, forward, tables, entries, mixture.stacked("mu").astype(kind), self._chunk(mixture))
        units = list(self._units(self._longest_first))
        # All components at once read a block once; one by one they are more pieces of work where there are few blocks
        at_once = K if len(units) >= _PIECES else 1
        self._run(
            score_blocks,
            (
                (self._inputs, self._outputs, self._lengths, lanes, first, min(K, first + at_once), *common, squares)
                for lanes in units
                for first in range(0, K, at_once)
            ),
        )
        steps = self._lengths[:, None]
        halves = np.stack([component.determinants[self._lengths - 1] for component in components], axis=1)
        if reduced is not None:
            rest = np.empty_like(squares)
            coefficients = np.stack([self._coefficients(square) for square in reduced.left])
            self._run(contract, ((self._products, coefficients, *part, rest) for part in self._parts()))
            squares += rest
            halves += steps * reduced.log_root
        return -0.5 * (squares + steps * (mixture.n_outputs * np.log(2 * np.pi))) - halves

    def _statistics(
        self,
        mixture: Mixture,
        reduced: ReducedOutputs | None,
        components: list[_Component],
        responsibilities: Float[np.ndarray, "N K"],
    ) -> tuple[SufficientStatistics, ...]:
        from spikeline.dynamics.em.numba_covariances import smoothed_covariance_sums
        from spikeline.dynamics.em.numba_means import smooth_blocks
        from spikeline.dynamics.em.numba_products import weighted_sum

        n, m, q = mixture.n_states, mixture.n_inputs, mixture.n_outputs
        kind, K = self._outputs.dtype, mixture.n_components
        forward, chunk = self._forward(mixture, reduced), self._chunk(mixture)
        shapes = ((n, filled_up(q + n + m)), (n, filled_up(n + m)), (2 * n + 1 + m, n))
        jobs, owners = [], []
        for k, component in enumerate(components):
            tables = component.smooth.astype(kind, copy=False), component.back.astype(kind, copy=False)
            mu = np.ascontiguousarray(mixture.systems[k].mu, kind)
            shares = responsibilities[self._longest_first, k] >= _NO_SHARE
            for lanes in self._units(self._longest_first[shares]):
                weights = responsibilities[lanes, k].astype(kind)
                sums = tuple(np.zeros(shape) for shape in shapes)
                data = self._inputs, self._outputs, self._lengths, lanes, self._width, weights
                jobs.append((*data, forward[k], *tables, mu, chunk, *sums))
                owners.append((k, sums))
        self._run(smooth_blocks, jobs)
        sums = [[np.zeros(shape) for shape in shapes] for _ in range(K)]
        for k, parts in owners:  # in their order: the same whoever was ready first
            for total, part in zip(sums[k], parts, strict=True):
                total += part

        parts = [(part, np.zeros((K, self._products.shape[1]))) for part in self._parts()]
        self._run(weighted_sum, ((self._products, responsibilities, _NO_SHARE, *part, out) for part, out in parts))
        products = sum(out for _, out in parts)
        ending = np.zeros((K, int(self._lengths.max())))
        for k in range(K):
            ending[k] = np.bincount(self._lengths - 1, responsibilities[:, k], minlength=ending.shape[1])
        covariances = self._run(
            smoothed_covariance_sums,
            ((c.predicted, c.filtered, c.back, ending[k]) for k, c in enumerate(components)),
        )
        steps = np.arange(1, ending.shape[1] + 1)
        return tuple(
            self._assembled(sums[k], covariances[k], products[k], (q, m), float(ending[k].sum()), ending[k] @ steps)
            for k in range(K)
        )

    def _assembled(self, sums, covariances, products, sizes, n_first, n_all) -> SufficientStatistics:
        (now, following, ends), (q, m), n = sums, sizes, len(sums[0])
        xy, xx, xu = now[:, :q], now[:, q : q + n], now[:, q + n : q + n + m]
        total, with_next, lagged, first = covariances
        oo, uu_last = np.zeros((q + m, q + m)), np.zeros((m, m))
        for square, triangle, values in zip(
            (oo, uu_last), self._triangles, np.split(products, [len(self._triangles[0][0])]), strict=True
        ):
            square[triangle] = values
            square.T[triangle] = values
        last_xx, last_ux, first_xx, first_x = ends[:n], ends[n : n + m], ends[n + m : -1], ends[-1]
        uu = oo[q:, q:]
        xz_next = following[:, : n + m].copy()
        xz_next[:, :n] += lagged
        return SufficientStatistics(
            zz_next=_joined(xx - last_xx + with_next, xu - last_ux.T, uu - uu_last),
            xz_next=xz_next,
            xx_next=xx - first_xx + total - first,
            zz_all=_joined(xx + total, xu, uu),
            yz_all=np.concatenate([xy.T, oo[:q, q:]], axis=1),
            yy_all=oo[:q, :q],
            first=first_x,
            first_square=first_xx + first,
            n_next=float(n_all - n_first),
            n_all=float(n_all),
            n_first=n_first,
        )

    def _forward(self, mixture: Mixture, reduced: ReducedOutputs | None) -> Float[np.ndarray, "K r q_plus_m"]:
        """The reduction as the kernels take them; r = 0: none."""
        q, columns = mixture.n_outputs, mixture.n_outputs + mixture.n_inputs
        rows = 0 if reduced is None else mixture.n_states
        made = np.zeros((mixture.n_components, rows, filled_up(columns)), self._outputs.dtype)
        if reduced is not None:
            made[..., :q], made[..., q:columns] = reduced.project, -reduced.through
        return made

    def _largest_signal(self, mixture: Mixture) -> float:
        """Mean square of the outputs, over the noise's, for the component of the smallest noise."""
        (rows, columns), _ = self._triangles
        q = mixture.n_outputs
        square = np.zeros((q + mixture.n_inputs,) * 2)
        square[rows, columns] = square[columns, rows] = self._products.sum(axis=0)[: len(rows)]
        powers = [np.trace(np.linalg.solve(system.R, square[:q, :q])) for system in mixture.systems]
        return float(max(powers)) / (float(self._lengths.sum()) * q)

    def _chunk(self, mixture: Mixture) -> int:
        """Steps of a block that are read at a time."""
        rows = mixture.n_states + mixture.n_outputs + mixture.n_inputs
        most = min(64, int(self._lengths.max()))
        return int(np.clip(_BUFFER // (rows * self._width * self._outputs.itemsize), min(4, most), most))

    def _coefficients(self, square: Float[np.ndarray, "d d"]) -> Float[np.ndarray, " products"]:
        """What makes o' square o, summed, from a trajectory's products."""
        rows, columns = self._triangles[0]
        doubled = np.where(rows == columns, 1.0, 2.0) * square[rows, columns]
        return np.concatenate([doubled, np.zeros(len(self._triangles[1][0]))])

    def _units(self, lanes: np.ndarray) -> Iterable[np.ndarray]:
        """Trajectories that are one piece of work; pieces do not depend on the number of threads."""
        return (lanes[first : first + self._unit] for first in range(0, len(lanes), self._unit))

    def _parts(self) -> list[tuple[int, int]]:
        n = len(self._lengths)
        return [(first, min(n, first + _PRODUCTS_AT_ONCE)) for first in range(0, n, _PRODUCTS_AT_ONCE)]

    def _run(self, kernel: Callable, jobs: Iterable[tuple]) -> list:
        """Results of a kernel, in the order of the jobs. This thread works too: few small jobs are not worth waking
        another for."""
        jobs = list(jobs)
        results: list = [None] * len(jobs)
        left = deque(range(len(jobs)))

        def work() -> None:
            while left:
                try:
                    at = left.popleft()
                except IndexError:  # another thread has the last
                    return
                results[at] = kernel(*jobs[at])

        helpers = min(self._n_threads, len(jobs)) - 1
        helping = [] if self._pool is None else [self._pool.submit(work) for _ in range(helpers)]
        try:
            work()
        finally:
            left.clear()
            wait([helper for helper in helping if not helper.cancel()])
        for helper in helping:
            if not helper.cancelled():
                helper.result()
        return results


def _joined(
    xx: Float[np.ndarray, "n n"], xu: Float[np.ndarray, "n m"], uu: Float[np.ndarray, "m m"]
) -> Float[np.ndarray, "n_plus_m n_plus_m"]:
    n = len(xx)
    made = np.empty((n + len(uu),) * 2)
    made[:n, :n], made[:n, n:], made[n:, :n], made[n:, n:] = xx, xu, xu.T, uu
    return made


def _default_threads() -> int:
    import numba

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    said = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(cores, numba.config.NUMBA_NUM_THREADS, int(said) if said.isdigit() else cores))
