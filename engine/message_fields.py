"""Values as they stand in a message to a tenant, in the language of the message."""

from engine import i18n
from engine.domain.outlook import DAYS_MAX, DaysLeft


def days_left_text(days: DaysLeft | None, language: str) -> str:
    """`about 3 days` for (3, 5): a warning names the fewest. Empty where it is not known."""
    if days is None:
        return ""
    fewest = days[0]
    key = "none" if fewest == 0 else "one" if fewest == 1 else "some"
    key = "long" if fewest >= DAYS_MAX else key
    return i18n.catalog(language)[f"outlook.{key}"].format(days=fewest)
