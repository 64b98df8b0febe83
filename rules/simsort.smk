# Bank -> SimSort's two networks, of either preset.
TRAINS_SIMSORT = {
    preset: any(
        needs_trained_weights(sorter, preset)
        for sorter in SETTINGS.sorting.sorters.values()
    )
    for preset in (DEFAULT_PRESET, PAPER_PRESET)
}


rule simsort_weights:
    """Train SimSort's networks on the bank."""
    input:
        RESOLVED_CONFIG,
        expand(
            "<results>/sorting/simsort/weights/{network}.safetensors",
            network=["detector", "identifier"],
        ),


rule simsort_detector:
    """Train the network that says where spikes peak."""
    input:
        training_entries,
    output:
        weights="<results>/sorting/simsort/weights/detector.safetensors",
        card="<results>/sorting/simsort/weights/detector.card.json",
        log="<results>/tables/simsort_training/detector.csv",
    log:
        "<logs>/sorting/simsort/detector.log",
    benchmark:
        "<benchmarks>/sorting/simsort/detector.tsv"
    conda:
        "../envs/spikeline.yaml"
    # For the batches: so many are made at a time, whatever the network does. --set-threads may raise it on a large machine.
    threads: 1
    resources:
        mem_mb=memory_of_training,
        runtime=minutes_of_training(SETTINGS.simsort.detector.training),
        gpu=gpus_of_training(SETTINGS.simsort.detector),
    params:
        version=1,
        seed=SETTINGS.seed,
        training=settings_of_training(SETTINGS.simsort.detector),
        bank_s=SETTINGS.simsort.bank_s,
        validation_cells=validation_cells(SETTINGS),
        allowed_cells=SETTINGS.simulation.cells.train,
        # part of what makes the weights the same to the byte, so not what the machine has; small networks gain little
        torch_threads=1,
    script:
        "../scripts/sorting/simsort_detector.py"


rule simsort_identifier:
    """Train the network that says which spikes are of one unit."""
    input:
        training_entries,
    output:
        weights="<results>/sorting/simsort/weights/identifier.safetensors",
        card="<results>/sorting/simsort/weights/identifier.card.json",
        log="<results>/tables/simsort_training/identifier.csv",
    log:
        "<logs>/sorting/simsort/identifier.log",
    benchmark:
        "<benchmarks>/sorting/simsort/identifier.tsv"
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_of_training,
        runtime=minutes_of_training(SETTINGS.simsort.identifier.training),
        gpu=gpus_of_training(SETTINGS.simsort.identifier),
    params:
        version=1,
        seed=SETTINGS.seed,
        training=settings_of_training(SETTINGS.simsort.identifier),
        bank_s=SETTINGS.simsort.bank_s,
        validation_cells=validation_cells(SETTINGS),
        allowed_cells=SETTINGS.simulation.cells.train,
        torch_threads=1,
    script:
        "../scripts/sorting/simsort_identifier.py"


rule simsort_paper_weights:
    """Train the published networks on the bank, for sorters with preset: paper."""
    input:
        RESOLVED_CONFIG,
        expand(
            "<results>/sorting/simsort_paper/weights/{network}.safetensors",
            network=["detector", "identifier"],
        ),


rule simsort_paper_detector:
    """Train the published network that says which samples are near a spike."""
    input:
        training_entries,
    output:
        weights="<results>/sorting/simsort_paper/weights/detector.safetensors",
        card="<results>/sorting/simsort_paper/weights/detector.card.json",
        log="<results>/tables/simsort_paper_training/detector.csv",
    log:
        "<logs>/sorting/simsort_paper/detector.log",
    benchmark:
        "<benchmarks>/sorting/simsort_paper/detector.tsv"
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_of_paper_detector,
        # a step of the released configuration takes a core minutes; this is for a GPU, where it was not measured
        runtime=minutes_of_training(SETTINGS.simsort.paper.detector.training, step_s=1),
        gpu=gpus_of_training(SETTINGS.simsort.paper.detector),
    params:
        version=1,
        seed=SETTINGS.seed,
        training=settings_of_training(SETTINGS.simsort.paper.detector),
        bank_s=SETTINGS.simsort.bank_s,
        validation_cells=validation_cells(SETTINGS),
        allowed_cells=SETTINGS.simulation.cells.train,
        torch_threads=1,
    script:
        "../scripts/sorting/simsort_paper_detector.py"


rule simsort_paper_identifier:
    """Train the published network that says which spikes are of one unit."""
    input:
        training_entries,
    output:
        weights="<results>/sorting/simsort_paper/weights/identifier.safetensors",
        card="<results>/sorting/simsort_paper/weights/identifier.card.json",
        log="<results>/tables/simsort_paper_training/identifier.csv",
    log:
        "<logs>/sorting/simsort_paper/identifier.log",
    benchmark:
        "<benchmarks>/sorting/simsort_paper/identifier.tsv"
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_of_training,
        runtime=minutes_of_training(
            SETTINGS.simsort.paper.identifier.training, step_s=5
        ),
        gpu=gpus_of_training(SETTINGS.simsort.paper.identifier),
    params:
        version=1,
        seed=SETTINGS.seed,
        training=settings_of_training(SETTINGS.simsort.paper.identifier),
        bank_s=SETTINGS.simsort.bank_s,
        validation_cells=validation_cells(SETTINGS),
        allowed_cells=SETTINGS.simulation.cells.train,
        torch_threads=1,
    script:
        "../scripts/sorting/simsort_paper_identifier.py"
