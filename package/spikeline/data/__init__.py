"""External data sets: the table of those known, and readers for them. SpikeInterface is imported only where a recording is made."""

from spikeline.data.datasets import DatasetEntry, read_dataset_table, resolve_dataset

__all__ = ["DatasetEntry", "read_dataset_table", "resolve_dataset"]
