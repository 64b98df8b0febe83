"""What was found on the way to a start: values for a report, and warnings for a reader."""

from __future__ import annotations

__all__ = ["Notes"]


class Notes(dict):
    """Values by name, as a dictionary; and warnings."""

    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []

    def warn(self, *messages: str) -> None:
        """Keep messages; none is kept twice."""
        self.warnings += [message for message in messages if message not in self.warnings]
