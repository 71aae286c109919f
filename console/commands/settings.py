"""settings: what is desired of meters, pushed to them, and where they hold something else."""

import argparse
import datetime as dt
from uuid import uuid4

from console import setting_words, words
from console.commands.outcome import settled, tell
from console.commands.site import local_now, opened, person
from console.commands.text_table import print_table
from console.failures import NotUsable, Status, print_json
from console.ratings import ratings
from engine.config import Config
from engine.domain.resolving import SITE, Defaults, Sourced
from engine.domain.setting_rules import IN_CONFIG
from engine.i18n import t
from engine.services import settings
from engine.views import setting_defaults, settings_store
from engine.views import settings as views
from models.enums import DefaultScope

COLUMNS = ("name", "desired", "source", "held", "state")


def show_defaults(args: argparse.Namespace) -> int:
    """The site's defaults, and those of every building and model that has some."""
    with opened(args) as config:
        said = settings_store.defaults(config)
        rows = setting_defaults.default_rows()
    if getattr(args, "json", False):
        scopes = [
            {"scope": scope, "key": key, "settings": values}
            for (scope, key), values in sorted(said.scoped.items())
        ]
        print_json([{"scope": SITE, "key": None, "settings": said.site}, *scopes])
        return Status.DONE
    path = args.site / "config.toml"
    print(t("settings.site_settings", path=path))
    site = [[setting_words.name(name), setting_words.text(name, said.site.get(name)),
             f"[defaults] {key.partition('.')[2]}"] for name, key in IN_CONFIG.items()]  # fmt: skip
    print_table(_titles("name", "value", "where"), site)
    if not rows:
        print(t("settings.none_of_scope"))
        return Status.DONE
    lines = [
        [f"{t(f'settings.scope.{row.scope}')} {row.key}", setting_words.name(row.name),
         setting_words.text(row.name, said.scoped[row.scope, row.key][row.name]), row.set_by]
        for row in rows
    ]  # fmt: skip
    print_table(_titles("scope", "name", "value", "set_by"), lines)
    return Status.DONE


def show(args: argparse.Namespace) -> int:
    """Of one meter what is desired and held; of a building or model, or all, what is desired."""
    scopes = [(scope, key) for scope in DefaultScope if (key := getattr(args, scope.value))]
    if len(scopes) + bool(args.serial) > 1:
        raise NotUsable("settings_of_what")
    if not scopes and not args.serial:
        return show_defaults(args)
    with opened(args) as config:
        if args.serial:
            return _show_meter(args.serial, args, config)
        return _show_scope(*scopes[0], args, config)


def _show_meter(serial: str, args: argparse.Namespace, config: Config) -> int:
    rows = views.of_meter(serial, config)
    if args.json:
        found = [row.as_json(config.site.zone) for row in rows]
        print_json({"serial": serial, "settings": found})
        return Status.DONE
    lines = [
        [
            setting_words.name(row.name),
            setting_words.text(row.name, row.desired),
            t(f"settings.source.{row.source}") if row.source else words.NOTHING,
            setting_words.text(row.name, row.held),
            t(f"settings.state.{setting_words.state_of(row)}"),
        ]
        for row in rows
    ]
    print_table(_titles(*COLUMNS), lines)
    return Status.DONE


def _show_scope(scope: DefaultScope, key: str, args: argparse.Namespace, config: Config) -> int:
    settings.require_scope(scope, key, ratings(args.site))
    found = _of_scope(settings_store.defaults(config), scope, key)
    if args.json:
        said = [{"name": name, "value": value, "source": source}
                for name, (value, source) in found.items()]  # fmt: skip
        print_json({"scope": scope, "key": key, "settings": said})
        return Status.DONE
    print(t("settings.scope_settings", scope=t(f"settings.scope.{scope}"), of=key))
    lines = [
        [setting_words.name(name), setting_words.text(name, value), t(f"settings.scope.{source}")]
        for name, (value, source) in found.items()
    ]
    print_table(_titles("name", "desired", "source"), lines)
    return Status.DONE


def _of_scope(said: Defaults, scope: DefaultScope, key: str) -> dict[str, Sourced]:
    own = said.scoped.get((scope, key), {})
    return {
        **{name: Sourced(value, SITE) for name, value in said.site.items()},
        **{name: Sourced(value, scope.value) for name, value in own.items()},
    }


def set_meter(args: argparse.Namespace) -> int:
    """A meter's own wishes; an empty value goes back to the defaults. Nothing is sent."""
    values = _values(args.values)
    with opened(args) as config:
        settings.set_meter(
            args.serial, values, person(args),
            config=config, ratings=ratings(args.site), sure=args.sure,
        )  # fmt: skip
        status = _show_meter(args.serial, args, config)
    if not args.json:
        print(t("settings.set_done", serial=args.serial))
    return status


def set_default(args: argparse.Namespace) -> int:
    """The same for a building or a model; the site's stand in config.toml."""
    values = _values(args.values)
    scope, _, key = args.scope.partition("=")
    with opened(args) as config:
        by = person(args)
        if scope == SITE:
            settings.require_not_site(values)
        if scope not in {each.value for each in DefaultScope}:
            raise NotUsable("bad_scope", found=scope)
        kind = DefaultScope(scope)
        number = settings.set_default(
            kind, key, values, by, config=config, ratings=ratings(args.site), sure=args.sure
        )
        found = _of_scope(settings_store.defaults(config), kind, key)
    if args.json:
        said = {name: value for name, (value, _) in found.items()}
        print_json({"scope": scope, "key": key, "changed_meters": number, "settings": said})
    else:
        print(t("settings.default_done", number=number))
    return Status.DONE


def push(args: argparse.Namespace) -> int:
    """What is desired of these names, written to the meter and read back."""
    with opened(args) as config:
        request_id = args.request_id or uuid4().hex
        command = settings.push(args.serial, args.names, person(args), request_id, config=config)
        return tell(settled(command, args.wait), args)


def accept(args: argparse.Namespace) -> int:
    """The meter may hold what it does, until it holds something else."""
    with opened(args) as config:
        found = settings.accept(args.serial, args.names, args.reason, person(args), config=config)
        names = [row.name for row in found]
    if args.json:
        print_json({"serial": args.serial, "accepted": {row.name: row.value for row in found}})
    else:
        said = ", ".join(setting_words.name(name) for name in names)
        print(t("settings.accepted", serial=args.serial, names=said))
    return Status.DONE


def drift(args: argparse.Namespace) -> int:
    """Every difference, oldest first; those accepted last."""
    with opened(args) as config:
        rows, night = views.drifts(config), views.night(config, local_now(config))
        zone = config.site.zone
    rows.sort(key=lambda row: row.accepted)
    if args.json:
        print_json(
            {
                "differs": [row.as_json(zone) for row in rows if not row.accepted],
                "accepted": [row.as_json(zone) for row in rows if row.accepted],
                "night": {
                    "due_at": night.due_at.astimezone(zone).isoformat(),
                    "last_at": night.last_at and night.last_at.astimezone(zone).isoformat(),
                    "read": night.read,
                    "unread": night.unread,
                },
            }
        )
        return Status.DONE
    if rows:
        print_table(
            _titles("serial", "shop", "name", "wanted", "since", "state"),
            [_drift_cells(row, zone) for row in rows],
        )
    else:
        print(t("settings.no_drift"))
    print(night_text(night, zone))
    return Status.DONE


def night_text(night: views.Night, zone: dt.tzinfo) -> str:
    due, last = words.moment(night.due_at, zone), words.moment(night.last_at, zone)
    return t("settings.night", due=due, last=last, read=night.read, unread=night.unread)


def _drift_cells(row: views.DriftRow, zone: dt.tzinfo) -> list[str]:
    return [
        row.serial,
        row.shop,
        setting_words.name(row.name),
        setting_words.wanted_and_held(row),
        words.moment(row.since, zone),
        t(f"settings.state.{'accepted' if row.accepted else 'differs'}"),
    ]


def _values(texts: list[str]) -> dict[str, str]:
    """NAME=VALUE …; the same name twice is a mistake, not a choice."""
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or name in found:
            raise NotUsable("bad_setting_value", found=text)
        found[name] = value
    return found


def _titles(*columns: str) -> list[str]:
    return [t(f"settings.column.{name}") for name in columns]
