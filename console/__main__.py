"""`voltill`: without a command the screens, with one that command and nothing more."""

import sys

from console.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
