# Bank -> recordings with known spikes.


rule recordings:
    """Every synthetic recording."""
    input:
        RESOLVED_CONFIG,
        expand(
            "<results>/recordings/{recording}/units.csv", recording=SETTINGS.recordings
        ),


rule recording:
    """One synthetic recording, its true sorting and its probe, as a folder SpikeInterface loads."""
    input:
        units=lambda wildcards: currents_of(CASTS[wildcards.recording].units),
        background=lambda wildcards: currents_of(CASTS[wildcards.recording].background),
        probe=lambda wildcards: SETTINGS.recordings[wildcards.recording].probe.file
        or [],
    output:
        manifest="<results>/recordings/{recording}.manifest.json",
        units="<results>/recordings/{recording}/units.csv",
        traces="<results>/recordings/{recording}/recording/traces_cached_seg0.raw",
    log:
        "<logs>/recordings/{recording}.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 2
    resources:
        mem_mb=memory_of_recording,
        runtime=minutes(10),
    params:
        version=2,
        seed=SETTINGS.seed,
        recording=lambda wildcards: SETTINGS.recordings[wildcards.recording].plain(),
        allowed_cells=lambda wildcards: getattr(
            SETTINGS.simulation.cells, SETTINGS.recordings[wildcards.recording].split
        ),
        conductivity_s_per_m=SETTINGS.simulation.bank.conductivity_s_per_m,
    script:
        "../scripts/recordings/recording.py"
