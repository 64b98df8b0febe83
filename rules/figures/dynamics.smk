# What MoLDS' experiments on simulated trajectories show; their tables by rules/dynamics.smk.


rule molds_smd_rtpm:
    """Error of both decompositions over numbers of trajectories and steps."""
    input:
        tables=molds_tables("molds_smd_rtpm"),
    output:
        png=report(
            "<results>/figures/molds_smd_rtpm.png",
            caption="../../workflow/report/molds_smd_rtpm.rst",
            category="MoLDS",
        ),
        pdf="<results>/figures/molds_smd_rtpm.pdf",
        csv="<results>/figures/molds_smd_rtpm.csv",
    log:
        "<logs>/figures/molds_smd_rtpm.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
        experiments=molds_facts("molds_smd_rtpm"),
    script:
        "../../scripts/figures/molds_smd_rtpm.py"


rule molds_complex:
    """Methods with and without EM beside each other."""
    input:
        tables=molds_tables("molds_complex"),
    output:
        png=report(
            "<results>/figures/molds_complex.png",
            caption="../../workflow/report/molds_complex.rst",
            category="MoLDS",
        ),
        pdf="<results>/figures/molds_complex.pdf",
        csv="<results>/figures/molds_complex.csv",
    log:
        "<logs>/figures/molds_complex.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=2,
        tier=SETTINGS.run,
        experiments=molds_facts("molds_complex"),
    script:
        "../../scripts/figures/molds_complex.py"


rule molds_sample_size:
    """Error against the number of trajectories."""
    input:
        tables=molds_tables("molds_sample_size"),
    output:
        png=report(
            "<results>/figures/molds_sample_size.png",
            caption="../../workflow/report/molds_sample_size.rst",
            category="MoLDS",
        ),
        pdf="<results>/figures/molds_sample_size.pdf",
        csv="<results>/figures/molds_sample_size.csv",
    log:
        "<logs>/figures/molds_sample_size.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
        experiments=molds_facts("molds_sample_size"),
    script:
        "../../scripts/figures/molds_sample_size.py"
