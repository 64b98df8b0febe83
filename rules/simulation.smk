# Cells -> mechanisms -> rheobase -> the bank of membrane currents.


rule bank:
    """Every entry of the bank."""
    input:
        RESOLVED_CONFIG,
        currents_of(SHARDS),


rule rheobases:
    """Every rheobase."""
    input:
        RESOLVED_CONFIG,
        expand(
            "<results>/simulation/rheobase/{cell}/{variant}.json",
            cell=SETTINGS.simulation.cells.names,
            variant=variant_names(SETTINGS.simulation),
        ),


rule mechanisms:
    """Compile the ion channels of all cell models, once, in a folder of their own."""
    output:
        "<results>/simulation/mechanisms.manifest.json",
    log:
        "<logs>/simulation/mechanisms.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(10),
    params:
        version=1,
        # of the channels alone: a cell that brings no new ones compiles nothing, and reruns nothing but itself
        channels=CHANNELS,
    script:
        "../scripts/simulation/mechanisms.py"


rule rheobase:
    """The smallest step current that makes a cell variant fire."""
    input:
        mechanisms=rules.mechanisms.output[0],
    output:
        "<results>/simulation/rheobase/{cell}/{variant}.json",
    log:
        "<logs>/simulation/rheobase/{cell}/{variant}.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(10),
    params:
        version=1,
        seed=SETTINGS.seed,
        cell=cell_of,
        model=model_checksum,
        integration=SETTINGS.simulation.integration.plain(),
        rheobase=SETTINGS.simulation.rheobase.plain(),
    script:
        "../scripts/simulation/rheobase.py"


rule currents:
    """One entry of the bank: membrane currents of one cell variant under one stimulus seed, low rank."""
    input:
        mechanisms=rules.mechanisms.output[0],
        rheobase=rules.rheobase.output[0],
    output:
        "<results>/simulation/currents/{cell}/{variant}-{seed}.h5",
    log:
        "<logs>/simulation/currents/{cell}/{variant}-{seed}.log",
    benchmark:
        "<benchmarks>/simulation/currents/{cell}/{variant}-{seed}.tsv"
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(memory_of_slice()),
        runtime=minutes(int(10 + SETTINGS.simulation.bank.duration_s / 20)),
    params:
        version=3,
        seed=SETTINGS.seed,
        cell=cell_of,
        model=model_checksum,
        integration=SETTINGS.simulation.integration.plain(),
        stimulus=SETTINGS.simulation.stimulus.plain(),
        bank=without(SETTINGS.simulation.bank, "seeds"),
    script:
        "../scripts/simulation/currents.py"


rule placement_check:
    """Our line-source kernel against LFPy's electrode, on one entry of every cell."""
    input:
        currents_of(FIRST_SHARDS),
    output:
        "<results>/simulation/placement_check.json",
    log:
        "<logs>/simulation/placement_check.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(10),
    params:
        version=1,
        seed=SETTINGS.seed,
        conductivity_s_per_m=SETTINGS.simulation.bank.conductivity_s_per_m,
    script:
        "../scripts/simulation/placement_check.py"
