from spikeline.sorting.compiled_kernels import keep_compiled_kernels


def test_kernels_of_the_sorters_are_kept_on_disk():
    keep_compiled_kernels()
    from spikeinterface.sortingcomponents.clustering import isosplit_isocut
    from spikeinterface.sortingcomponents.matching import tdc_peeler

    kernels = [
        value
        for module in (isosplit_isocut, tdc_peeler)
        for value in vars(module).values()
        if hasattr(value, "py_func")
    ]
    assert len(kernels) >= 5
    assert all(kernel.stats.cache_path for kernel in kernels)
    assert keep_compiled_kernels() >= 0  # twice does no harm
