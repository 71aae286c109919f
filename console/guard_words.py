"""What the guard says, in an operator's words."""

from console import order_words
from engine.i18n import t
from engine.views.guard import Watch


def headline(watch: Watch) -> str:
    """How many, until when."""
    if watch.opens_at is None:
        return t("control.guard.always_open")
    zone = watch.now.tzinfo
    assert zone is not None, "local time"
    opens = order_words.short_moment(watch.opens_at, zone)
    key = "some" if watch.risks else "nobody"
    sure = sum(risk.sure for risk in watch.risks)
    return t(f"control.guard.{key}", number=len(watch.risks), sure=sure, opens=opens)


def rest(watch: Watch) -> str:
    """Who is dark or held already, and of how many nothing can be said."""
    return t("control.guard.rest", dark=len(watch.arrears), held=watch.held, unknown=watch.unknown)


def sureness(*, sure: bool, protected: bool) -> str:
    likely = t("control.guard.likely" if sure else "control.guard.perhaps")
    return f"{likely} {t('state.protected')}" if protected else likely
