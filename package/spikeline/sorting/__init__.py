"""Sort recordings and compare what sorters found with what was there.

`spikeline.sorting.simsort` is SimSort, a sorter of SpikeInterface's by that name as soon as this package is imported;
`spikeline.sorting.run` runs it or another sorter, `spikeline.sorting.scoring` scores its sorting by two rules side by
side, `spikeline.sorting.snr` says how far each true unit stands above the noise, `spikeline.sorting.illustration`
describes a sorting of a recording whose spikes nobody knows, `spikeline.sorting.steps` is what a workflow's rules call.
"""

from spikeline.sorting.registration import register_with_spikeinterface

register_with_spikeinterface()
