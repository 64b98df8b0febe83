"""How anything reaches the disk: whole or not at all, with a manifest, from named random streams."""

from spikeline.artifacts.atomic import atomic_file, atomic_folder
from spikeline.artifacts.hdf5 import create_hdf5, open_hdf5, write_hdf5
from spikeline.artifacts.manifest import manifest_path, read_manifest, write_manifest
from spikeline.artifacts.provenance import Provenance, config_hash, file_checksum
from spikeline.artifacts.scratch import scratch_beside
from spikeline.artifacts.seeds import seed_integer, seed_sequence, seed_stream
from spikeline.artifacts.tables import read_csv, read_json, write_csv, write_json
from spikeline.artifacts.verify import Finding, TreeReport, verify_tree
from spikeline.artifacts.weights import read_weights, write_weights

__all__ = [
    "Finding",
    "Provenance",
    "TreeReport",
    "atomic_file",
    "atomic_folder",
    "config_hash",
    "create_hdf5",
    "file_checksum",
    "manifest_path",
    "open_hdf5",
    "read_csv",
    "read_json",
    "read_manifest",
    "read_weights",
    "scratch_beside",
    "seed_integer",
    "seed_sequence",
    "seed_stream",
    "verify_tree",
    "write_csv",
    "write_hdf5",
    "write_json",
    "write_manifest",
    "write_weights",
]
