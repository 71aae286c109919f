"""What meters are to hold beyond their own row, and what they may hold although it is not that."""

import peewee as pw

from models.base import CoreModel, EnumField, UtcField, tuples
from models.enums import DefaultScope
from models.people import Operator
from models.site import Meter


class SettingDefault(CoreModel):
    """A default of a building or a model; the site's stand in config.toml, a meter's in its row.

    `name` and `value` in the words of engine.domain.wanted; numbers as their digits.
    """

    scope = EnumField(DefaultScope)
    key = pw.TextField()  # a building's code, a model
    name = pw.TextField()
    value = pw.TextField()
    set_by = pw.ForeignKeyField(Operator, null=True, on_delete="RESTRICT")
    set_at = UtcField()

    class Meta:
        indexes = ((("scope", "key", "name"), True),)

    @classmethod
    def rows(cls) -> list[tuple[DefaultScope, str, str, str]]:
        """Scope, key, name, value of all of them."""
        return tuples(cls.select(cls.scope, cls.key, cls.name, cls.value))


class AcceptedSetting(CoreModel):
    """A person has said: this meter may hold `value`, although something else is desired."""

    meter = pw.ForeignKeyField(Meter, on_delete="RESTRICT")
    name = pw.TextField()
    value = pw.TextField()
    why = pw.TextField()
    accepted_by = pw.ForeignKeyField(Operator, on_delete="RESTRICT")
    accepted_at = UtcField()

    class Meta:
        indexes = ((("meter", "name"), True),)
