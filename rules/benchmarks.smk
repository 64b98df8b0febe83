# Measured speed, beside the strongest public peers: snakemake benchmarks
#
# Results lie under performance/; benchmarks/ holds Snakemake's own timing files. Jobs that are timed ask for every core, so
# that nothing runs beside them.
from spikeline.config.sorting import SorterSettings

BENCHMARKED_CELLS = [
    cell
    # the largest, a medium and the smallest of the layer-5 models
    for cell in ("L5_TTPC1_cADpyr232_1", "L5_LBC_bAC217_1", "L5_SBC_bNAC219_1")
    if cell in SETTINGS.simulation.cells.names
] or SETTINGS.simulation.cells.names[:3]
NEURON_BENCHMARKS = [
    "bank_over_bare_neuron",
    "lfpy_probes_over_bank",
    "resimulate_over_replace",
]
SYNTHESIS_BENCHMARKS = ["synthesis_realtime", "mearec_over_ours"]
ALL_CORES = 16  # Snakemake lowers it to what a run has; workflow.cores is not known to runs on a cluster
PEERS = "results/peers"  # shared by all runs: it depends on envs/peers.txt alone


include: "benchmarks_dynamics.smk"


rule benchmarks:
    """All benchmarks; the next plain run takes their numbers into its summary."""
    input:
        RESOLVED_CONFIG,
        "<results>/performance/benchmarks.json",


rule peers:
    """LFPy and MEArec in an environment of their own."""
    input:
        CHECKOUT / "envs/peers.txt",
    output:
        f"{PEERS}/installed.txt",
    log:
        "<logs>/performance/peers.log",
    localrule: True
    conda:
        "../envs/spikeline.yaml"
    params:
        version=1,
        folder=f"{PEERS}/venv",
    script:
        "../scripts/benchmarks/peers.py"


rule neuron_benchmark:
    """NEURON at work: our bank beside NEURON alone, LFPy, and simulating again."""
    input:
        mechanisms=rules.mechanisms.output[0],
        rheobase=expand(
            rules.rheobase.output[0], cell=BENCHMARKED_CELLS, variant="v000"
        ),
        peers=rules.peers.output[0],
        peer=CHECKOUT / "scripts/benchmarks/peers/lfpy_probes.py",
    output:
        "<results>/performance/{benchmark}.json",
    log:
        "<logs>/performance/{benchmark}.log",
    wildcard_constraints:
        benchmark="|".join(NEURON_BENCHMARKS),
    conda:
        "../envs/spikeline.yaml"
    threads: ALL_CORES
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(60),
    params:
        version=1,
        seed=SETTINGS.seed,
        interpreter=f"{PEERS}/venv/bin/python",
        cells=without(SETTINGS.simulation.cells, "expected_count"),
        integration=SETTINGS.simulation.integration.plain(),
        stimulus=SETTINGS.simulation.stimulus.plain(),
        # Ten seconds in two slices: the first pays for the basis, as in any entry
        bank=without(SETTINGS.simulation.bank, "seeds")
        | {"duration_s": 10.0, "slice_s": 5.0},
    script:
        "../scripts/benchmarks/neuron_benchmark.py"


rule synthesis_benchmark:
    """Recordings from the bank: against the clock, and against MEArec."""
    input:
        entries=currents_of(FIRST_SHARDS),
        peers=rules.peers.output[0],
        peer=CHECKOUT / "scripts/benchmarks/peers/mearec_recording.py",
    output:
        "<results>/performance/{benchmark}.json",
    log:
        "<logs>/performance/{benchmark}.log",
    wildcard_constraints:
        benchmark="|".join(SYNTHESIS_BENCHMARKS),
    conda:
        "../envs/spikeline.yaml"
    threads: ALL_CORES
    resources:
        mem_mb=memory_mb(8000),
        runtime=minutes(30),
    params:
        version=1,
        seed=SETTINGS.seed,
        interpreter=f"{PEERS}/venv/bin/python",
    script:
        "../scripts/benchmarks/synthesis_benchmark.py"


rule plan_seconds:
    """A dry run of the paper tier."""
    input:
        configuration=CHECKOUT / "config/paper.yaml",
        rules=sorted((CHECKOUT / "rules").rglob("*.smk")),
    output:
        "<results>/performance/plan_seconds.json",
    log:
        "<logs>/performance/plan_seconds.log",
    conda:
        "../envs/spikeline.yaml"
    threads: ALL_CORES
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(10),
    params:
        version=1,
        snakefile=workflow.main_snakefile,
        shards=10_000,
    script:
        "../scripts/benchmarks/plan_seconds.py"


rule sorting_over_peers:
    """SimSort beside the peers on ten minutes of a tetrode: seconds, memory, accuracy, units."""
    input:
        entries=currents_of(
            shard
            for shard in FIRST_SHARDS
            if shard.cell in SETTINGS.simulation.cells.test
        ),
        peers=rules.sorting_peers.output[0],
        program=PEER_PROGRAM,
    output:
        "<results>/performance/sorting_over_peers.json",
    log:
        "<logs>/performance/sorting_over_peers.log",
    conda:
        "../envs/spikeline.yaml"
    threads: ALL_CORES
    resources:
        mem_mb=memory_mb(8000),
        runtime=minutes(120),
    params:
        version=1,
        seed=SETTINGS.seed,
        interpreter=f"{SORTING_PEERS}/venv/bin/python",
        allowed_cells=SETTINGS.simulation.cells.test,
        sorter_version=SORTER_VERSIONS["simsort"],
        weights=weights_checksums(SorterSettings(sorter="simsort")),
    script:
        "../scripts/benchmarks/sorting_over_peers.py"


rule detector_flops_ratio:
    """What the published detector computes per sample, over what ours does."""
    output:
        "<results>/performance/detector_flops_ratio.json",
    log:
        "<logs>/performance/detector_flops_ratio.log",
    conda:
        "../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        weights=weights_checksums(SorterSettings(sorter="simsort")),
    script:
        "../scripts/benchmarks/detector_flops_ratio.py"


rule benchmark_headlines:
    """The headline numbers of all benchmarks: a part of the summary."""
    input:
        expand(
            "<results>/performance/{benchmark}.json",
            benchmark=[
                *NEURON_BENCHMARKS,
                *SYNTHESIS_BENCHMARKS,
                "plan_seconds",
                "sorting_over_peers",
                "detector_flops_ratio",
                "molds_random_ratio",
                "dynamax_over_ours",
                "sharded_moments",
            ],
        ),
    output:
        "<results>/performance/benchmarks.json",
    log:
        "<logs>/performance/benchmarks.log",
    localrule: True
    conda:
        "../envs/spikeline.yaml"
    params:
        version=1,
    script:
        "../scripts/benchmarks/benchmark_headlines.py"
