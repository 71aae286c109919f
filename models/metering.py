"""What was measured (readings.db): half-hour readings, the latest of every meter, lines, sweeps.

`meter_id` and `line_id` name rows of core.db; no foreign key can span two files.
"""

import peewee as pw

from models.base import EPOCH, EnumField, ReadingsModel, UtcField
from models.enums import EventKind, LineState


class Reading(ReadingsModel):
    """One reading a nominal slot: the sweep's moment in UTC, `read_at` the true one."""

    slot = pw.IntegerField()  # seconds since 1970 UTC, a multiple of the meter's interval
    meter_id = pw.IntegerField()
    read_at = UtcField()
    energy_wh = pw.IntegerField()
    sharp_wh = pw.IntegerField(null=True)
    peak_wh = pw.IntegerField(null=True)
    flat_wh = pw.IntegerField(null=True)
    valley_wh = pw.IntegerField(null=True)
    balance_fen = pw.IntegerField(null=True)
    purchase_count = pw.IntegerField(null=True)
    power_w = pw.IntegerField(null=True)
    status1 = pw.IntegerField(null=True)
    status2 = pw.IntegerField(null=True)

    class Meta:
        primary_key = pw.CompositeKey("slot", "meter_id")
        without_rowid = True


class DayUse(ReadingsModel):
    """First and last reading of a local business day: the rollup behind daily figures."""

    day = pw.TextField()  # local date, ISO
    meter_id = pw.IntegerField()
    first_energy_wh = pw.IntegerField()
    last_energy_wh = pw.IntegerField()
    first_balance_fen = pw.IntegerField(null=True)
    last_balance_fen = pw.IntegerField(null=True)

    class Meta:
        primary_key = pw.CompositeKey("day", "meter_id")
        without_rowid = True


class Latest(ReadingsModel):
    """The newest known of a meter, one row each: what the live table shows."""

    meter_id = pw.IntegerField(primary_key=True)
    rev = pw.IntegerField(index=True)  # rises with every change: what a screen polls
    attempted_at = UtcField(null=True)
    failed_attempts = pw.IntegerField(default=0)  # in a row
    first_failed_at = UtcField(null=True)
    read_at = UtcField(null=True)
    reading = pw.TextField(null=True)  # JSON of engine.domain.measurement.MeterReading
    settings_at = UtcField(null=True)
    settings = pw.TextField(null=True)  # JSON of MeterSettings: prices, thresholds read back
    held_at = UtcField(null=True)
    held = pw.TextField(null=True)  # JSON by name (engine.domain.wanted): all that was read back
    held_whole_at = UtcField(null=True)  # when all that it shows was last asked for
    # What was read back, held to what is desired (engine.services.settings_drift keeps it true):
    settings_differ = pw.BooleanField(default=False)  # in something that nobody accepted
    settings_drift = pw.TextField(null=True)  # JSON of engine.domain.settings_drift.Differing
    judged_at = UtcField(default=EPOCH)  # the read-back (`held_at`) that was judged last
    judged_rev = pw.IntegerField(default=0, index=True)  # and by which Meter.rev
    judged_epoch = pw.IntegerField(default=0, index=True)  # and by which engine: it may desire more
    day = pw.TextField(null=True)  # local date of `day_first_wh`
    day_first_wh = pw.IntegerField(null=True)
    seen_serial = pw.TextField(null=True)  # the number the meter gave, where it is not ours
    drift_fen = pw.IntegerField(null=True)  # balance less what use, prices and purchases explain
    drift_from = pw.TextField(null=True)  # JSON of engine.domain.drift.Track: where it stands
    drift_alarmed = pw.BooleanField(default=False)  # beyond the limit, and not yet below half
    asserted_at = UtcField(null=True)  # when balance and count were last compared with the books
    quarantined = pw.TextField(null=True)  # hex of a reading that waits for a second one to agree


Latest.add_index(  # read back and not judged yet: looked for all the time, and hardly ever there
    Latest.index(
        Latest.meter_id,
        where=Latest.judged_at < Latest.held_at,
        name="latest_unjudged",
    )
)


class LineHealth(ReadingsModel):
    line_id = pw.IntegerField(primary_key=True)
    rev = pw.IntegerField(index=True)
    state = EnumField(LineState, default=LineState.UNKNOWN)
    message = pw.TextField(default="")  # why it is down: a catalog code or a gateway's text
    requests = pw.IntegerField(default=0)
    timeouts = pw.IntegerField(default=0)
    crc_errors = pw.IntegerField(default=0)
    foreign_frames = pw.IntegerField(default=0)  # good frames nobody asked for
    load_pct = pw.IntegerField(default=0)
    last_good_at = UtcField(null=True)


class Sweep(ReadingsModel):
    """One finished pass over the due meters of the site."""

    id = pw.AutoField()
    started_at = UtcField()
    finished_at = UtcField()
    wire_ms = pw.IntegerField()  # of the busiest line
    read = pw.IntegerField()
    failed = pw.IntegerField()


class MeterEvent(ReadingsModel):
    id = pw.AutoField()
    meter_id = pw.IntegerField(index=True)
    kind = EnumField(EventKind)
    at = UtcField(index=True)
    detail = pw.TextField(default="{}")  # JSON, with the raw frame where there was one


class Owner(ReadingsModel):
    """Epoch of the engine that may write here: the lease's echo, checked by every insert."""

    resource = pw.TextField(primary_key=True)
    epoch = pw.IntegerField()
