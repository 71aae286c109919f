"""What an exchange waits for, in words: the same on the screen and on the command line."""

from console.failures import text_of
from engine import i18n
from engine.i18n import has, t
from engine.services.exchanges import Waits
from models.enums import ExchangeStep


def step_word(step: ExchangeStep) -> str:
    return t(f"exchange.step.{step}")


def waits_for(waits: Waits) -> str:
    """What must happen next, and who does it."""
    params = dict(waits.params)
    if waits.error is not None:
        params["why"] = text_of("error", waits.error.code, waits.error.params, i18n.current())
    elif "why" in params:
        reason = f"error.reason.{params['why']}"
        params["why"] = t(reason) if has(reason) else params["why"]
    return t(f"exchange.waits.{waits.code}", **params)
