"""重要负荷 once more: besides a trip, other orders may put out the light of a protected meter."""

from engine.domain.batch_rules import Values, loses_power, seen_and_aimed
from engine.domain.errors import MeterProtected
from engine.services import batch_facts
from models.enums import BatchVerb
from models.site import Meter


def require_spared(meter: Meter, verb: BatchVerb, wanted: Values) -> None:
    """Raises MeterProtected where `verb` would open the relay now, as a batch would refuse it.

    `wanted` is what a download is to bring. A meter in service is meant.
    """
    if not meter.protected:
        return
    (subject,) = batch_facts.all_meters(verb, only=[meter.serial])
    _, aim = seen_and_aimed(verb, subject.facts, wanted)
    if loses_power(verb, subject.facts, aim):
        raise MeterProtected(serial=meter.serial, why="dark")
