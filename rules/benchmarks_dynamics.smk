# Measured speed of MoLDS, for rules/benchmarks.smk: moments in shards, random starts, and EM beside dynamax, a job per problem.
from spikeline.dynamics.benchmarks.em_problems import EM_PROBLEMS

DYNAMICS_PEERS = "results/dynamics_peers"  # shared by all runs: it depends on envs/dynamics_peers.txt alone


rule molds_random_ratio:
    """Random starts of EM, as many as fit in the time that Tensor-EM takes, beside Tensor-EM."""
    output:
        "<results>/performance/molds_random_ratio.json",
    log:
        "<logs>/performance/molds_random_ratio.log",
    conda:
        "../envs/spikeline.yaml"
    threads: ALL_CORES
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(30),
    params:
        version=1,
        seed=SETTINGS.seed,
    script:
        "../scripts/benchmarks/molds_random_ratio.py"


rule dynamics_peers:
    """dynamax in an environment of its own."""
    input:
        CHECKOUT / "envs/dynamics_peers.txt",
    output:
        f"{DYNAMICS_PEERS}/installed.txt",
    log:
        "<logs>/performance/dynamics_peers.log",
    localrule: True
    conda:
        "../envs/spikeline.yaml"
    params:
        version=1,
        folder=f"{DYNAMICS_PEERS}/venv",
    script:
        "../scripts/benchmarks/peers.py"


rule em_layout:
    """How dynamax's work is best laid out, for mixture problems of some steps, states and outputs."""
    input:
        peers=rules.dynamics_peers.output[0],
        program=CHECKOUT / "scripts/benchmarks/peers/dynamax_em.py",
    output:
        "<results>/performance/em_layouts/{shape}.json",
    log:
        "<logs>/performance/em_layouts/{shape}.log",
    wildcard_constraints:
        shape="|".join({problem.shape for problem in EM_PROBLEMS.values()}),
    conda:
        "../envs/spikeline.yaml"
    threads: ALL_CORES
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(15),
    params:
        version=1,
        seed=SETTINGS.seed,
        interpreter=f"{DYNAMICS_PEERS}/venv/bin/python",
    script:
        "../scripts/benchmarks/em_layout.py"


rule em_comparison:
    """EM of one mixture problem: an iteration on dynamax's smoother beside ours."""
    input:
        peers=rules.dynamics_peers.output[0],
        program=CHECKOUT / "scripts/benchmarks/peers/dynamax_em.py",
        layout=lambda wildcards: f"<results>/performance/em_layouts/{EM_PROBLEMS[wildcards.problem].shape}.json",
    output:
        "<results>/performance/em_comparisons/{problem}.json",
    log:
        "<logs>/performance/em_comparisons/{problem}.log",
    wildcard_constraints:
        problem="|".join(EM_PROBLEMS),
    conda:
        "../envs/spikeline.yaml"
    threads: ALL_CORES
    resources:
        # the data four times over, as each side reads and lays them out
        mem_mb=lambda wildcards, attempt: int(
            2000 + 4 * EM_PROBLEMS[wildcards.problem].megabytes
        )
        * attempt,
        runtime=minutes(60),
    params:
        version=1,
        seed=SETTINGS.seed,
        interpreter=f"{DYNAMICS_PEERS}/venv/bin/python",
    script:
        "../scripts/benchmarks/em_comparison.py"


rule dynamax_over_ours:
    """All mixture problems: how many times faster an iteration of EM is than on dynamax's smoother."""
    input:
        expand(rules.em_comparison.output[0], problem=list(EM_PROBLEMS)),
    output:
        "<results>/performance/dynamax_over_ours.json",
    log:
        "<logs>/performance/dynamax_over_ours.log",
    conda:
        "../envs/spikeline.yaml"
    threads: ALL_CORES
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(10),
    params:
        version=2,
        seed=SETTINGS.seed,
    script:
        "../scripts/benchmarks/dynamax_over_ours.py"


rule sharded_moments:
    """Moments of 100,000 trajectories of 1000 steps, shard by shard."""
    output:
        "<results>/performance/sharded_moments.json",
    log:
        "<logs>/performance/sharded_moments.log",
    conda:
        "../envs/spikeline.yaml"
    threads: ALL_CORES
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(30),
    params:
        version=1,
        seed=SETTINGS.seed,
    script:
        "../scripts/benchmarks/sharded_moments.py"
