"""One number that rises whenever anything a meter's row shows may have changed."""

from typing import NamedTuple, Self

from models.base import highest_rev, tuples
from models.commands import Command
from models.metering import Latest
from models.site import Meter

BITS = 40  # of each counter; at a thousand changes a second they last 34 years


class Revision(NamedTuple):
    """The highest `rev` of three tables, compared and stored as one opaque int."""

    meter: int
    command: int
    latest: int

    @classmethod
    def now(cls) -> Self:
        return cls(*(highest_rev(table) for table in (Meter, Command, Latest)))

    @classmethod
    def of(cls, number: int) -> Self:
        mask = (1 << BITS) - 1
        return cls(number >> 2 * BITS, number >> BITS & mask, number & mask)

    def __int__(self) -> int:
        return self.meter << 2 * BITS | self.command << BITS | self.latest

    def changed_meters(self) -> set[int]:
        """Ids of the meters that any of the three tables changed since this revision."""
        queries = (
            Meter.select(Meter.id).where(Meter.rev > self.meter),
            Command.select(Command.meter).where(Command.rev > self.command),
            Latest.select(Latest.meter_id).where(Latest.rev > self.latest),
        )
        return {row[0] for query in queries for row in tuples(query)}
