"""EM of a mixture of linear systems by dynamax, measured once. It runs in an environment of dynamax's own.

    python dynamax_em.py job.json result.json

dynamax has no mixtures; its smoother, ``vmap``-ed over components and trajectories, gives their log-likelihoods and
statistics, and its own M-step's formulas, weighted by responsibilities, the new matrices. Parameters are mapped over
components only, and so what does not depend on data (covariances, gains) is computed once per component, not once per
trajectory: JAX does not repeat along an axis what does not vary along it.

dynamax 1.0.3 lets the input of step t + 1 act on the way from t to t + 1. It is given (u[t], u[t - 1]) as inputs, with
weights of zero where they do not belong, and the statistics are made of u[t], so that the model is the one of others.

The job names the file of trajectories and start, how many iterations are timed and how many come before, and how the
work is laid out: "vmap", "unrolled" or "map" over components; how many trajectories at a time (0: all); and 1 device
whose products have all threads, or as many devices of one thread as there are threads. The result holds the seconds of
each iteration, seconds of compiling, log-likelihoods before each M-step, largest memory.
"""

import contextlib
import functools
import importlib.metadata
import json
import os
import sys
import time
from pathlib import Path

JOB = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
if hasattr(os, "sched_setaffinity"):  # before XLA counts the cores
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: JOB["threads"]])
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_ENABLE_X64"] = "1" if JOB["precision"] == "double" else "0"
if JOB["devices"] > 1:
    flags = f"--xla_force_host_platform_device_count={JOB['devices']} --xla_cpu_multi_thread_eigen=false"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}"
    # With a thread for each device alone, devices that wait for each other's sums keep LAPACK's work from ever starting
    os.environ["PJRT_NPROC"] = str(2 * JOB["threads"])

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from dynamax.linear_gaussian_ssm import inference, lgssm_smoother  # noqa: E402
from dynamax.linear_gaussian_ssm.inference import make_lgssm_params  # noqa: E402
from dynamax.utils.utils import psd_solve as boosted_solve  # noqa: E402
from jax import lax, vmap  # noqa: E402
from jax.scipy.special import logsumexp  # noqa: E402
from jax.sharding import PartitionSpec  # noqa: E402

# dynamax adds 1e-9 to every diagonal before it solves, which moves a log-likelihood near zero by more than 1e-6 of it;
# without it both sides agree to 1e-11.
psd_solve = functools.partial(boosted_solve, diagonal_boost=0.0)
inference.psd_solve = psd_solve


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far; Linux's own count, where there is one."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1e3 * 1.024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def smoothed(system, inputs, outputs):
    """Of trajectories (N, T, ...) under one system: log-likelihoods, smoothed means, and what does not depend on data.

    ``inputs`` (N, T, 2 m): of this step and of the one before. Covariances are the same for all trajectories, and those
    of two steps are made here from the first one's, so that XLA need not keep products of means (N, T, n, n).
    """
    A, B, C, Q, R, mu, S = system
    m = inputs.shape[2] // 2
    params = make_lgssm_params(
        mu, S, A, Q, C, R,
        dynamics_input_weights=jnp.concatenate([jnp.zeros_like(B), B], axis=1),
        emissions_input_weights=jnp.zeros((C.shape[0], 2 * m)),
    )  # fmt: skip
    posterior = vmap(lambda u, y: lgssm_smoother(params, y, u))(inputs, outputs)
    V, Pf = posterior.smoothed_covariances[0], posterior.filtered_covariances[0]
    lagged = vmap(lambda P, after: psd_solve(Q + A @ P @ A.T, A @ P).T @ after)(Pf[:-1], V[1:])
    return posterior.marginal_loglik, posterior.smoothed_means, (V, lagged.sum(axis=0))


def weighted_statistics(shares, x, covariances, inputs, outputs):
    """What LinearGaussianSSM.e_step sums up, of one component, weighted and summed over trajectories."""
    V, lagged = covariances
    weighted, count = x * shares[:, None, None], shares.sum()
    steps, u = x.shape[1], inputs[:, :-1, : inputs.shape[2] // 2]

    def product(left, right):
        return left.reshape(-1, left.shape[2]).T @ right.reshape(-1, right.shape[2])

    before, after = weighted[:, :-1], x[:, 1:]
    first = weighted[:, 0].sum(axis=0), weighted[:, 0].T @ x[:, 0] + count * V[0], count
    xx = product(before, x[:, :-1]) + count * V[:-1].sum(axis=0)
    xu = product(before, u)
    uu = product(u * shares[:, None, None], u)
    zz = jnp.block([[xx, xu], [xu.T, uu]])
    zx = jnp.concatenate([product(before, after) + count * lagged, product(u * shares[:, None, None], after)])
    dynamics = zz, zx, product(weighted[:, 1:], after) + count * V[1:].sum(axis=0), count * (steps - 1)
    emissions = (
        product(weighted, x) + count * V.sum(axis=0),
        product(weighted, outputs),
        product(outputs * shares[:, None, None], outputs),
        count * steps,
    )
    return first, dynamics, emissions


def maximised(statistics):
    """LinearGaussianSSM.m_step, on weighted sums; D = 0."""

    def regression(zz, zy, yy, count):
        W = psd_solve(zz, zy).T
        return W, (yy - W @ zy - zy.T @ W.T + W @ zz @ W.T) / count

    (x, xx, count), dynamics, emissions = statistics
    AB, Q = regression(*dynamics)
    C, R = regression(*emissions)
    mu = x / count
    n = len(mu)
    return AB[:, :n], AB[:, n:], C, Q, R, mu, xx / count - jnp.outer(mu, mu)


def over_components(function, layout):
    """``function(system)`` for all components."""
    if layout == "vmap":
        return vmap(function)
    if layout == "map":
        return lambda systems: lax.map(function, systems)

    def unrolled(systems):
        K = len(jax.tree.leaves(systems)[0])
        made = [function(jax.tree.map(lambda a, k=k: a[k], systems)) for k in range(K)]
        return jax.tree.map(lambda *parts: jnp.stack(parts), *made)

    return unrolled


def summed(systems, weights, inputs, outputs):
    """Log-likelihood, sums of responsibilities and weighted statistics of trajectories, some at a time."""
    layout, at_once = JOB["layout"], JOB["at_once"]

    def chunk(data):
        likelihoods, means, covariances = over_components(lambda system: smoothed(system, *data), layout)(systems)
        joint = likelihoods + jnp.log(weights)[:, None]
        each = logsumexp(joint, axis=0)
        shares = jnp.exp(joint - each)
        made = over_components(lambda own: weighted_statistics(*own, *data), layout)((shares, means, covariances))
        return each.sum(), shares.sum(axis=1), made

    if at_once == 0:
        return chunk((inputs, outputs))
    parts = jax.tree.map(lambda a: a.reshape(-1, at_once, *a.shape[1:]), (inputs, outputs))
    return jax.tree.map(lambda a: a.sum(axis=0), lax.map(chunk, parts))


def iteration(systems, weights, inputs, outputs):
    """One E- and one M-step; the log-likelihood is that before it."""
    sums = summed
    if JOB["devices"] > 1:
        # As many devices of one thread each, every one with its share of the trajectories
        mesh, everywhere, share = jax.make_mesh((JOB["devices"],), ("N",)), PartitionSpec(), PartitionSpec("N")
        sums = jax.shard_map(
            lambda *given: lax.psum(summed(*given), "N"),
            mesh=mesh, in_specs=(everywhere, everywhere, share, share), out_specs=everywhere, check_vma=False,
        )  # fmt: skip
    total, count, statistics = sums(systems, weights, inputs, outputs)
    return total, vmap(maximised)(statistics), count / count.sum()


def main() -> None:
    start = time.perf_counter()
    with np.load(JOB["data"], allow_pickle=False) as file:
        kind = np.float64 if JOB["precision"] == "double" else np.float32
        outputs, u = (file[name][: JOB["trajectories"]] for name in ("outputs", "inputs"))
        outputs = outputs.astype(kind, copy=False)
        before = np.concatenate([np.zeros_like(u[:, :1]), u[:, :-1]], axis=1)
        inputs = np.concatenate([u, before], axis=2).astype(kind)
        systems = tuple(jnp.asarray(file[name].astype(kind)) for name in ("A", "B", "C", "Q", "R", "mu", "S"))
        weights = jnp.asarray(file["weights"].astype(kind))
    inputs, outputs = jnp.asarray(inputs), jnp.asarray(outputs)
    read_s = time.perf_counter() - start
    start = time.perf_counter()
    if JOB["devices"] > 1:
        mesh = jax.make_mesh((JOB["devices"],), ("N",))
        inputs, outputs = (jax.device_put(a, jax.NamedSharding(mesh, PartitionSpec("N"))) for a in (inputs, outputs))
        systems, weights = jax.device_put((systems, weights), jax.NamedSharding(mesh, PartitionSpec()))
    step = jax.jit(iteration).lower(systems, weights, inputs, outputs).compile()
    compile_s = time.perf_counter() - start
    history, seconds = [], []
    for _ in range(JOB["iterations"] + JOB["warm_up"]):
        start = time.perf_counter()
        total, systems, weights = jax.block_until_ready(step(systems, weights, inputs, outputs))
        seconds.append(time.perf_counter() - start)
        history.append(float(total))
    result = {
        "seconds": float(np.median(seconds[JOB["warm_up"] :])),
        "each_s": seconds,
        "read_s": read_s,
        "compile_s": compile_s,
        "log_likelihoods": history,
        "peak_mb": peak_memory_mb(),
        "versions": {name: importlib.metadata.version(name) for name in ("dynamax", "jax", "jaxlib")},
    }
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
