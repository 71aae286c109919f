"""The guard of this site: its office hours, who is at risk now, and when somebody is reminded."""

import datetime as dt

from engine import clock
from engine.config import Config
from engine.domain.office import Hours, closes_at
from engine.views import guard

REMIND_BEFORE = dt.timedelta(hours=2)  # of the closing


def hours(config: Config) -> Hours:
    said = config.guard
    return Hours.of(said.opens, said.closes, weekends=said.weekends, holidays=said.holidays)


def watch(config: Config) -> guard.Watch:
    """Who would run out before the office opens again, as of now."""
    now = clock.now().astimezone(config.site.zone)
    return guard.watch(now, hours(config), default_prices=config.defaults.prices)


def reminder(config: Config) -> tuple[int, dt.datetime] | None:
    """(how many run out, until when) where somebody is to be told so now; else None."""
    now = clock.now().astimezone(config.site.zone)
    if not reminds(config, now):
        return None
    found = watch(config)
    if not found.risks or found.opens_at is None:
        return None
    return len(found.risks), found.opens_at


def reminds(config: Config, now: dt.datetime) -> bool:
    """Is the guard on, and the office about to close?"""
    if not config.guard.enabled:
        return False
    closes = closes_at(now, hours(config), guard.special_days(), config.site.zone)
    return closes is not None and closes - now <= REMIND_BEFORE
