"""One small family of errors: what was seen, what was expected, what to do."""

from __future__ import annotations

__all__ = ["ConfigError", "DataError", "FormatError", "NumericalError", "SpikelineError"]


class SpikelineError(Exception):
    """Base of every error spikeline raises on purpose.

    Parameters
    ----------
    seen
        What was found, with the offending value.
    expected
        What should have been there.
    remedy
        What the reader can do about it.
    """

    def __init__(self, seen: str, expected: str, remedy: str) -> None:
        self.seen, self.expected, self.remedy = seen, expected, remedy
        super().__init__(f"{seen}\n  expected: {expected}\n  what to do: {remedy}")

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.seen, self.expected, self.remedy)


class ConfigError(SpikelineError):
    """A setting is unknown, missing or out of bounds."""


class DataError(SpikelineError):
    """An input (recording, cell folder, disk, compiler) cannot be used as it is."""


class FormatError(SpikelineError):
    """A file is not what its name or schema promises, or is not safe to read."""


class NumericalError(SpikelineError):
    """A computation left the range in which its result means anything."""
