"""Defaults of buildings and models as they stand, and whom one can be said for."""

import datetime as dt
from typing import NamedTuple

import peewee as pw

from models.base import tuples
from models.enums import DefaultScope
from models.people import Operator
from models.settings import SettingDefault
from models.site import Building, Meter


class DefaultRow(NamedTuple):
    """What is said for a building or a model, by whom."""

    scope: DefaultScope
    key: str
    name: str
    value: str
    set_by: str
    set_at: dt.datetime


def default_rows() -> list[DefaultRow]:
    """All defaults of buildings and models, in that order."""
    query = (
        SettingDefault.select(
            SettingDefault.scope, SettingDefault.key, SettingDefault.name, SettingDefault.value,
            pw.fn.COALESCE(Operator.name, ""), SettingDefault.set_at,
        )
        .join(Operator, pw.JOIN.LEFT_OUTER)
        .order_by(SettingDefault.scope, SettingDefault.key, SettingDefault.name)
    )  # fmt: skip
    return [DefaultRow(*row) for row in tuples(query)]


def scopes() -> list[tuple[DefaultScope, str]]:
    """Buildings and models that meters hang in and are of."""
    living = Meter.retired_at.is_null()
    buildings = Meter.select(Building.code).join(Building).where(living).distinct()
    models = Meter.select(Meter.model).where(living).distinct()
    return [
        *((DefaultScope.BUILDING, row[0]) for row in tuples(buildings.order_by(Building.code))),
        *((DefaultScope.MODEL, row[0]) for row in tuples(models.order_by(Meter.model))),
    ]
