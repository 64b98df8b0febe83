"""Covariances of filter and smoother, once for all trajectories of a component, and only until they stand still.

They do not depend on data, and those of the filter not on the trajectory's length either. The Riccati recursion usually
comes to rest within tens of steps; from then on all gains are constant. It counts as at rest once a step changes no
entry by more than 1e-12 (1 - rho^2) of the standard deviations it belongs to, rho being the spectral radius of
A (I - K C): differences shrink by rho^2 a step, so that 1e-12 bounds all that is still to come. A system that forgets
too slowly for that to be above rounding (rho > 0.9997 or so) never counts as at rest, and all its steps are computed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from spikeline.dynamics.em.reduced_outputs import ReducedOutputs
from spikeline.dynamics.mixture import Mixture

__all__ = ["CovarianceSums", "SharedCovariances", "covariance_sums", "shared_covariances"]

AT_REST = 1e-12
_LOOK_CLOSER = 1e-9


@dataclass(frozen=True)
class SharedCovariances:
    """Of all components, for s steps; if s is less than a trajectory's steps, its later steps are like the last here.

    Parameters
    ----------
    predicted, filtered
        Covariances of x[t] given outputs before t, and up to t.
    gains
        K_t, from the reduced outputs' errors to states.
    root_inverses, log_roots
        L_t^-1 and log det L_t, with L_t L_t' the covariance of the errors.
    forward
        A (I - K_t C): from one predicted state to the next.
    back
        The smoother's gains.
    forgetting
        1 - rho^2 at the last step.
    """

    predicted: Float[np.ndarray, "K s n n"]
    filtered: Float[np.ndarray, "K s n n"]
    gains: Float[np.ndarray, "K s n r"]
    root_inverses: Float[np.ndarray, "K s r r"]
    log_roots: Float[np.ndarray, "K s"]
    forward: Float[np.ndarray, "K s n n"]
    back: Float[np.ndarray, "K s n n"]
    forgetting: Float[np.ndarray, " K"]

    @property
    def n_kept(self) -> int:
        """s."""
        return self.predicted.shape[1]

    def log_root_sums(self, lengths: Int64[np.ndarray, " N"]) -> Float[np.ndarray, "N K"]:
        """Sum of log det L_t over a trajectory's steps, for each length."""
        sums = np.cumsum(self.log_roots, axis=1)
        within = np.minimum(lengths, self.n_kept)
        return (sums[:, within - 1] + (lengths - within) * self.log_roots[:, -1:]).T


def shared_covariances(
    mixture: Mixture, reduced: ReducedOutputs, steps: int, at_rest: float = AT_REST
) -> SharedCovariances:
    """Run the Riccati recursions of all components (Joseph form).

    Parameters
    ----------
    mixture, reduced
        The systems, and their reduced outputs.
    steps
        Of the longest trajectory.
    at_rest
        See above; 0 computes every step.
    """
    A, Q, seen = mixture.stacked("A"), mixture.stacked("Q"), reduced.seen
    A_turned, seen_turned = A.transpose(0, 2, 1), seen.transpose(0, 2, 1)
    unit_r, unit_n = np.eye(seen.shape[1]), np.eye(mixture.n_states)
    kept: list[tuple[np.ndarray, ...]] = []
    P = mixture.stacked("S")
    forgetting = None
    for _ in range(steps):
        spread = seen @ P @ seen_turned + unit_r
        root = np.linalg.cholesky((spread + spread.transpose(0, 2, 1)) / 2)
        root_inverse = np.linalg.inv(root)
        gain = P @ seen_turned @ root_inverse.transpose(0, 2, 1) @ root_inverse
        left = unit_n - gain @ seen
        filtered = left @ P @ left.transpose(0, 2, 1) + gain @ gain.transpose(0, 2, 1)
        following = A @ filtered @ A_turned + Q
        following = (following + following.transpose(0, 2, 1)) / 2
        back = np.linalg.solve(following, A @ filtered).transpose(0, 2, 1)
        log_root = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
        kept.append((P, filtered, gain, root_inverse, log_root, A @ left, back))
        change = _relative_change(P, following)
        if change.max() <= _LOOK_CLOSER and at_rest > 0:
            if forgetting is None:
                forgetting = _forgetting(A @ left)
            if (change <= at_rest * forgetting).all():
                break
        P = following
    parts = [np.stack(part, axis=1) for part in zip(*kept, strict=True)]
    return SharedCovariances(*parts, forgetting=_forgetting(kept[-1][5]))


def _forgetting(forward: Float[np.ndarray, "K n n"]) -> Float[np.ndarray, " K"]:
    return np.maximum(1 - np.abs(np.linalg.eigvals(forward)).max(axis=1, initial=0.0) ** 2, 0.0)


def _relative_change(before: Float[np.ndarray, "K n n"], after: Float[np.ndarray, "K n n"]) -> Float[np.ndarray, " K"]:
    deviations = np.sqrt(np.diagonal(after, axis1=1, axis2=2))
    return (np.abs(after - before) / deviations[:, :, None] / deviations[:, None, :]).max(axis=(1, 2), initial=0.0)


@dataclass(frozen=True)
class CovarianceSums:
    """Smoothed covariances, summed over steps and trajectories with the trajectories' weights.

    Parameters
    ----------
    all, next, first
        Of x[t] over all steps, steps that have a next one, first steps.
    lagged
        Cov(x[t + 1], x[t]) over steps that have a next one.
    """

    all: Float[np.ndarray, "K n n"]
    next: Float[np.ndarray, "K n n"]
    first: Float[np.ndarray, "K n n"]
    lagged: Float[np.ndarray, "K n n"]


def covariance_sums(
    covariances: SharedCovariances,
    lengths: Int64[np.ndarray, " N"],
    responsibilities: Float[np.ndarray, "N K"],
    at_rest: float = AT_REST,
) -> CovarianceSums:
    """Smooth the covariances of trajectories of all lengths at once.

    The smoother is linear in them: with V_t of a trajectory of length l, w_t the weight of trajectories longer than t,
    and J the gains, G_t = sum_l W_l V_t obeys G_t = w_t P+_t + J_t (G_{t+1} - w_{t+1} P-_{t+1}) J_t'. Where weights and
    gains are constant and G stands still as well, the steps are counted, not computed.
    """
    longest, K = int(lengths.max()), responsibilities.shape[1]
    n = covariances.predicted.shape[-1]
    ending = np.zeros((longest, K))
    np.add.at(ending, lengths - 1, responsibilities)
    weight = np.cumsum(ending[::-1], axis=0)[::-1]
    # the first step from which on the weights stay what they are at t
    begins = np.zeros(longest, np.int64)
    for t in range(1, longest):
        begins[t] = begins[t - 1] if not ending[t - 1].any() else t
    sums = {name: np.zeros((K, n, n)) for name in ("all", "next", "lagged")}
    end = covariances.n_kept - 1
    G = np.zeros((K, n, n))
    t = longest - 1
    while True:
        here, following = min(t, end), min(t + 1, end)
        J, filtered = covariances.back[:, here], covariances.filtered[:, here]
        before = G
        if t + 1 < longest:
            later = weight[t + 1][:, None, None] * covariances.predicted[:, following]
            sums["lagged"] += before @ J.transpose(0, 2, 1)
            G = weight[t][:, None, None] * filtered + J @ (before - later) @ J.transpose(0, 2, 1)
        else:
            G = weight[t][:, None, None] * filtered
        sums["all"] += G
        sums["next"] += G - ending[t][:, None, None] * filtered
        constant = max(int(begins[t]), end)  # weights and gains are the same from here to t
        same = t + 1 < longest and t > constant and not ending[t].any()
        if same and at_rest > 0 and (_relative_change_of_sums(before, G) <= at_rest * covariances.forgetting).all():
            sums["all"] += (t - constant) * G
            sums["next"] += (t - constant) * G
            sums["lagged"] += (t - constant) * G @ J.transpose(0, 2, 1)
            t = constant
        if t == 0:
            return CovarianceSums(first=G, **sums)
        t -= 1


def _relative_change_of_sums(before: np.ndarray, after: np.ndarray) -> Float[np.ndarray, " K"]:
    """Of components of no weight: zero."""
    some = np.diagonal(after, axis1=1, axis2=2).min(axis=1, initial=np.inf) > 0
    change = np.zeros(len(after))
    change[some] = _relative_change(before[some], after[some])
    return change
