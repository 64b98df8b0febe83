# What sorting a recording asks for: its room, its time, and the environment of the peers.


def channel_seconds_of(wildcards):
    """How much there is to sort; a probe of a file is taken for a long one."""
    recording = SETTINGS.recordings[wildcards.recording]
    return (recording.probe.n_channels() or 384) * recording.duration_s


def memory_of_sorting(wildcards, attempt):
    """Room for networks and compiled kernels, and for the traces in single precision; MB."""
    rate = SETTINGS.recordings[wildcards.recording].sampling_rate_hz
    return int(4000 + 4e-6 * rate * channel_seconds_of(wildcards)) * attempt


def minutes_of_sorting(wildcards, attempt):
    """Half an hour more for each ten minutes of 20 channels: the slowest sorter takes a minute for ten of a tetrode (measured).

    Of 384 channels Kilosort4 without a GPU does not sort a minute in 95 (measured), hence more for sorters of the peers.
    """
    elsewhere = SETTINGS.sorting.sorters[wildcards.sorter].environment == "peers"
    return (
        int(30 + (4 if elsewhere else 1) * channel_seconds_of(wildcards) / 400)
        * attempt
    )


def megabytes_of_dataset(wildcards):
    """Of its file, or of the largest in its folder."""
    path = Path(SETTINGS.data_root, REAL_RECORDINGS[wildcards.dataset].path)
    files = path.rglob("*") if path.is_dir() else [path]
    return (
        max((file.stat().st_size for file in files if file.is_file()), default=0) / 1e6
    )


def memory_of_real_sorting(wildcards, attempt):
    """As `memory_of_sorting`, of two bytes a sample; traces that are longer lie in a file meanwhile."""
    return int(4000 + min(2 * megabytes_of_dataset(wildcards), 28_000)) * attempt


def minutes_of_real_sorting(wildcards, attempt):
    """As `minutes_of_sorting`, of 60 kB a channel and second."""
    return int(30 + megabytes_of_dataset(wildcards) / 24) * attempt


def peers_of_sorter(wildcards):
    """The peers' environment and the program that runs there, for a sorter that wants them."""
    elsewhere = SETTINGS.sorting.sorters[wildcards.sorter].environment == "peers"
    return [rules.sorting_peers.output[0], PEER_PROGRAM] if elsewhere else []
