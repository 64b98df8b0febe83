"""The E-step, compiled for processors.

Two passes over the trajectories. The first filters all of them under all components and keeps log-likelihoods only.
The second smooths under each component those it has a share in, which for all but short trajectories is few; N x T x K
states exist at no time. Covariances and gains come first, once per component, and outputs that are more than the states
are reduced to as many numbers, which say of the states what the outputs say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from spikeline.blas import one_blas_thread
from spikeline.dynamics.em.data_products import DataProducts
from spikeline.dynamics.em.expectation import Expectation, responsibilities_of
from spikeline.dynamics.em.numba_tables import FilterTables, filled_up
from spikeline.dynamics.em.reduced_outputs import ReducedOutputs, reduced_outputs
from spikeline.dynamics.em.shared_covariances import CovarianceSums
from spikeline.dynamics.em.shared_work import SharedWork
from spikeline.dynamics.em.statistics_of_means import MeanSums, assembled, joined
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
        if trajectories.observed is not None and not trajectories.observed[trajectories.inside()].all():
            raise DataError(
                "outputs are missing (observed is False somewhere)",
                "trajectories without gaps: covariances are shared by all of them",
                "let make_engine choose the engine",
            )
        self.name = f"NumbaEngine {dtype}"  # all that decides the bytes of its results
        self.rounding = _ROUNDING[dtype]  # by how many nats per number a likelihood may seem to fall
        given = [np.ascontiguousarray(values) for values in (trajectories.inputs, trajectories.outputs)]
        self._inputs, self._outputs = (values.astype(dtype, copy=False) for values in given)
        self._lengths = trajectories.lengths
        self._work = SharedWork(n_threads)
        self._tables: FilterTables | None = None
        self._longest_first = np.argsort(-self._lengths, kind="stable")
        low, high = _WIDTHS
        self._width = int(np.clip(low * -(-len(trajectories) // (low * _BLOCKS_FOR_FULL_WIDTH)), low, high))
        self._unit = self._width * max(1, _STEPS_AT_ONCE // int(self._lengths.max()))
        self._products = DataProducts(*given, self._lengths, self._work)

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
        if mixture.n_outputs > n and self._products.signal_over(mixture.stacked("R")) <= _LARGEST_SIGNAL:
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
        for k, (entries, failed) in enumerate(self._work.run(filter_tables, jobs)):
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
        self._work.run(
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
            squares += self._products.quadratic(reduced.left)
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
        self._work.run(smooth_blocks, jobs)
        totals = [np.zeros((K, *shape)) for shape in shapes]
        for k, parts in owners:  # in their order: the same whoever was ready first
            for total, part in zip(totals, parts, strict=True):
                total[k] += part

        products, last_uu = self._products.weighted(responsibilities, _NO_SHARE)
        ending = np.zeros((K, int(self._lengths.max())))
        for k in range(K):
            ending[k] = np.bincount(self._lengths - 1, responsibilities[:, k], minlength=ending.shape[1])
        spread = self._work.run(
            smoothed_covariance_sums,
            ((c.predicted, c.filtered, c.back, ending[k]) for k, c in enumerate(components)),
        )
        now, following, ends = totals
        means = MeanSums(
            xx=now[..., q : q + n],
            xu=now[..., q + n : q + n + m],
            yx=now[..., :q].swapaxes(1, 2),
            last=joined(ends[:, :n], ends[:, n : n + m].swapaxes(1, 2), last_uu),
            first=ends[:, n + m : -1],
            next_x=following[..., :n],
            next_u=following[..., n : n + m],
            first_x=ends[:, -1],
            ww=products,
        )
        all_steps, with_next, lagged, first = np.stack(spread, axis=1)
        covariances = CovarianceSums(all=all_steps, next=with_next, lagged=lagged, first=first)
        return assembled(means, covariances, ending.sum(axis=1), ending @ np.arange(1.0, ending.shape[1] + 1))

    def _forward(self, mixture: Mixture, reduced: ReducedOutputs | None) -> Float[np.ndarray, "K r q_plus_m"]:
        """The reduction as the kernels take them; r = 0: none."""
        q, columns = mixture.n_outputs, mixture.n_outputs + mixture.n_inputs
        rows = 0 if reduced is None else mixture.n_states
        made = np.zeros((mixture.n_components, rows, filled_up(columns)), self._outputs.dtype)
        if reduced is not None:
            made[..., :q], made[..., q:columns] = reduced.project, -reduced.through
        return made

    def _chunk(self, mixture: Mixture) -> int:
        """Steps of a block that are read at a time."""
        rows = mixture.n_states + mixture.n_outputs + mixture.n_inputs
        most = min(64, int(self._lengths.max()))
        return int(np.clip(_BUFFER // (rows * self._width * self._outputs.itemsize), min(4, most), most))

    def _units(self, lanes: np.ndarray) -> Iterable[np.ndarray]:
        """Trajectories that are one piece of work; pieces do not depend on the number of threads."""
        return (lanes[first : first + self._unit] for first in range(0, len(lanes), self._unit))
