"""What can go wrong on the wire, as types. Expected: a status or a rule follows, never a guess."""


class BusError(Exception):
    """The world failed. `code` names the text `line.<code>`, `params` fill it."""

    code = "bus"

    def __init__(self, **params: object) -> None:
        super().__init__(f"{self.code}: {params}" if params else self.code)
        self.params = params


class NoReply(BusError):
    """Nothing acceptable came before the time-out, or a gateway said the meter is silent.

    `noise` is what came instead.
    """

    code = "no_reply"

    def __init__(self, *, noise: bytes = b"", **params: object) -> None:
        super().__init__(**params)
        self.noise = noise


class Unproved(NoReply):
    """The unit may still send what was asked before: not used until `wait_s` have passed."""

    code = "unproved"


class LineDown(BusError):
    """No connection, or it ended. `why` is a catalog code under `line.`, `detail` says more."""

    code = "line_down"

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(why=why, detail=detail)
        self.why = why
        self.detail = detail


class QueueFull(BusError):
    """The line has as much waiting as it may: this turn was not queued."""

    code = "queue_full"


class Refused(BusError):
    """The meter answered with a Modbus exception."""

    code = "refused"

    def __init__(self, exception_code: int) -> None:
        super().__init__(exception_code=exception_code)
        self.exception_code = exception_code


class Busy(BusError):
    """Exceptions 5 (acknowledged, still at it) and 6 (busy): neither done nor refused."""

    code = "busy"

    def __init__(self, exception_code: int) -> None:
        super().__init__(exception_code=exception_code)
        self.exception_code = exception_code


class BadReading(BusError):
    """A good frame with a value the map does not allow: nothing of it is used."""

    code = "bad_reading"


class OtherModel(BadReading):
    """The meter's type code is not the map's: nothing is read from it or written to it."""

    code = "other_model"


class NeverSend(ValueError):
    """A frame that must not exist in this program (reference 5.12): a mistake of ours."""


class MapError(Exception):
    """A register map cannot be used. `code` names the text `map.<code>`, params file and place."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(f"{code}: {params}")
        self.code = code
        self.params = params
