"""``python -m spikeline.config --check`` (or ``--write``): the committed schema and reference file, in step or not."""

from __future__ import annotations

import argparse
import sys

from spikeline.config.committed import check_committed, write_committed
from spikeline.errors import ConfigError

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 if all is in step, 2 if not."""
    parser = argparse.ArgumentParser(prog="python -m spikeline.config", description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true", help="fail if a committed file is out of step")
    action.add_argument("--write", action="store_true", help="write the files that are out of step")
    parser.add_argument("--root", default=".", help="root of the checkout (default: here)")
    options = parser.parse_args(arguments)
    try:
        if options.write:
            print("\n".join(f"wrote {name}" for name in write_committed(options.root)) or "everything was in step")
        else:
            check_committed(options.root)
            print("in step")
    except ConfigError as error:
        print(f"ConfigError: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
