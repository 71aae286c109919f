"""The full-screen console, with the engine beside it in the same process."""

import argparse
import os
import sys
from pathlib import Path

from console.failures import NotUsable, Status
from engine.config import Config
from engine.site import load_config
from models import store


def console(args: argparse.Namespace) -> int:
    """Open the screens on a site; another engine may already own it, then ours stands by."""
    if not is_terminal():
        raise NotUsable("no_terminal")
    config = load_config(args.site)
    store.bind(args.site)
    return show(args.site, config, language=args.lang or config.console.language)


def is_terminal() -> bool:
    """Textual draws on stderr too: all three must be the terminal."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def show(
    site: Path,
    config: Config,
    *,
    language: str,
    practice: bool = False,
    offer: tuple[str, str] | None = None,
) -> int:
    """Run the screens until they are left, the engine stopped cleanly however they end."""
    for name in [name for name in os.environ if name.startswith("TEXTUAL")]:
        del os.environ[name]  # it can make Textual import modules, press keys, write files
    from console.app import ConsoleApp  # noqa: PLC0415 (reads the environment when imported)
    from engine.engine import Engine  # noqa: PLC0415 (pymodbus, after the first screen's modules)

    engine = Engine(site, config)
    app = ConsoleApp(site, config, engine=engine, language=language, practice=practice, offer=offer)
    engine.start()
    try:
        app.run(mouse="SSH_CONNECTION" not in os.environ)
    finally:
        engine.stop()
    return Status.DONE if not app.return_code else Status.ENVIRONMENT
