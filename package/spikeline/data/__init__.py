"""External data sets: the table of those known, and readers. SpikeInterface is imported only to make a recording."""

from spikeline.data.dataset_table import DatasetEntry, read_dataset_table
from spikeline.data.datasets import resolve_dataset

__all__ = ["DatasetEntry", "read_dataset_table", "resolve_dataset"]
