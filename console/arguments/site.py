"""The site itself: made, checked, configured, served, verified."""

from pathlib import Path

from console.arguments.options import Verb, add_json, add_password_file
from engine.i18n import t


def add(verb: Verb) -> None:
    verb("console", "screens:console")
    init = verb("init", "setup:init")
    init.add_argument("directory", type=Path, metavar="DIR")
    init.add_argument("--admin", required=True, metavar="NAME", help=t("cli.option.admin"))
    add_password_file(init)
    add_json(verb("check", "check:check"))
    load = verb("import", "setup:import_config")
    load.add_argument("path", type=Path, metavar="PATH", help=t("cli.option.tables"))
    load.add_argument("--dry-run", action="store_true", help=t("cli.option.dry_run"))
    add_json(load)
    save = verb("export-config", "setup:export_config")
    save.add_argument("path", type=Path, metavar="PATH", help=t("cli.option.export"))
    add_json(save)
    engine = verb("engine", "headless:engine")
    engine.add_argument("--for", type=float, dest="for_s", metavar="S", help=t("cli.option.for"))
    add_json(verb("status", "show:status"))
    add_json(verb("verify", "show:verify"))
