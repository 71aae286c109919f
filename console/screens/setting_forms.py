"""Forms of what is desired: of one meter, or of a building's or a model's meters."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from textual.content import Content

from console import setting_words
from console.ratings import ratings
from console.screens.form_dialog import FormDialog
from console.widgets.day_strip import strips
from console.widgets.form import Entry
from engine.domain import setting_rules as rules
from engine.domain import time_control
from engine.domain.errors import AbsurdSetting, BadSetting, BadTimeControl, DomainError
from engine.domain.resolving import Value
from engine.i18n import t
from engine.services import settings
from models.enums import DefaultScope

LENGTH_MAX = 200


class SettingsForm(FormDialog):
    """A line a setting; an empty one is what the defaults say.

    An unusual value is asked about: the same sent once more is meant.
    """

    LABEL_CELLS = 17

    def __init__(self, own: Mapping[str, Value], defaults: Mapping[str, Value], site: Path) -> None:
        super().__init__()
        self.own, self.defaults, self.site = own, defaults, site
        self._asked: dict[str, Any] | None = None

    def entries(self) -> Sequence[Entry]:
        return [self._entry(name) for name in rules.NAMES]

    def _entry(self, name: str) -> Entry:
        return Entry(
            name,
            partial(_label, name),
            partial(_checked, name),
            setting_words.typed(name, self.own.get(name)),
            LENGTH_MAX,
            hint=partial(self._default, name),
        )

    def _default(self, name: str) -> str:
        value = self.defaults.get(name)
        if value is None:
            return t("settings.form.left_alone")
        return t("settings.form.default", value=setting_words.text(name, value))

    def consequence(self) -> Content:
        """The day that the switch times make, as they are typed."""
        typed = self.form.text_of("time_control") or str(self.defaults.get("time_control", ""))
        try:
            control = time_control.parse(typed) if typed else None
        except BadTimeControl:
            control = None
        lines = [strips(control)] if control is not None else []
        return Content("\n").join([*lines, Content(self.note())])

    def note(self) -> str:
        raise NotImplementedError

    def store(self, values: dict[str, Any], *, sure: bool) -> Callable[[], object]:
        """The service with what was typed."""
        raise NotImplementedError

    def submitted(self, values: dict[str, Any]) -> None:
        sure = self._asked == values
        self._asked = values
        self.send(self.store(values, sure=sure), self._stored)

    def _stored(self, done: object) -> None:
        self.app.tell(self.said(done))
        self.dismiss("stored")

    def said(self, done: object) -> str:
        del done
        return t("settings.form.stored")

    def refused(self, error: DomainError) -> None:
        self.sending = False
        if not isinstance(error, AbsurdSetting):
            self._asked = None
        if not isinstance(error, AbsurdSetting | BadSetting):
            self.say(error)
            return
        name = str(error.params["name"])
        self.form.blame(name, _named(error))

    def speak_anew(self) -> None:
        super().speak_anew()
        self.say(self.refusal)


class MeterForm(SettingsForm):
    """What one meter is to hold, whatever the defaults say."""

    def __init__(
        self, serial: str, own: Mapping[str, Value], defaults: Mapping[str, Value], site: Path
    ) -> None:
        super().__init__(own, defaults, site)
        self.serial = serial

    def heading(self) -> str:
        return t("settings.form.meter", serial=self.serial)

    def note(self) -> str:
        return t("settings.form.meter_note")

    def store(self, values: dict[str, Any], *, sure: bool) -> Callable[[], object]:
        serial, by, config, site = self.serial, self.operator, self.app.config, self.site
        return lambda: settings.set_meter(
            serial, values, by, config=config, ratings=ratings(site), sure=sure
        )


class DefaultForm(SettingsForm):
    """What all meters of a building or a model are to hold that say nothing themselves."""

    def __init__(
        self,
        scope: DefaultScope,
        key: str,
        own: Mapping[str, Value],
        defaults: Mapping[str, Value],
        site: Path,
    ) -> None:
        self.scope, self.scope_key = scope, key
        super().__init__(own, defaults, site)

    def heading(self) -> str:
        scope = t(f"settings.scope.{self.scope}")
        return t("settings.form.scope", scope=scope, name=self.scope_key)

    def note(self) -> str:
        return t("settings.form.scope_note")

    def store(self, values: dict[str, Any], *, sure: bool) -> Callable[[], object]:
        scope, key, by = self.scope, self.scope_key, self.operator
        config, site = self.app.config, self.site
        return lambda: settings.set_default(
            scope, key, values, by, config=config, ratings=ratings(site), sure=sure
        )

    def said(self, done: object) -> str:
        return t("settings.default_done", number=done)


def _label(name: str) -> str:
    unit = "_yuan" if name in rules.MONEY else name
    return f"{setting_words.name(name)}{_unit(unit)}"


def _unit(name: str) -> str:
    units = {"_yuan": "yuan", "overload_w": "watt", "overload_recovery_min": "minutes"}
    return t(f"settings.unit.{units[name]}") if name in units else ""


def _checked(name: str, text: str) -> Value | None:
    """Raises what `parse` does, in the words of the form."""
    typed_as = f"{name.removesuffix('_fen')}_yuan" if name in rules.MONEY else name
    try:
        return rules.parse(typed_as, text)
    except BadSetting as error:
        error.params["name"] = name
        raise _named(error) from None


def _named(error: DomainError) -> DomainError:
    error.params["name"] = setting_words.name(str(error.params["name"]))
    return error
