# Sorters with environment: peers, which live apart from spikeline.
SORTING_PEERS = "results/sorting_peers"  # shared by all runs: it depends on envs/sorting_peers.txt alone
PEER_PROGRAM = CHECKOUT / "scripts/benchmarks/peers/sorting_run.py"


rule sorting_peers:
    """Kilosort4 and MountainSort5 in an environment of their own."""
    input:
        CHECKOUT / "envs/sorting_peers.txt",
    output:
        f"{SORTING_PEERS}/installed.txt",
    log:
        "<logs>/performance/sorting_peers.log",
    localrule: True
    conda:
        "../envs/spikeline.yaml"
    params:
        version=1,
        folder=f"{SORTING_PEERS}/venv",
    script:
        "../scripts/benchmarks/peers.py"
