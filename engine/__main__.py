"""The entry point of `repair-studio` and `python -m engine`."""

from __future__ import annotations

from engine.shell.cli import main

if __name__ == "__main__":
    main()
