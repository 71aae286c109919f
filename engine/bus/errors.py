"""How the world on the wire can fail. Expected: each becomes a status, none is retried at the call."""


class BusError(Exception):
    """The world failed. `code` names the catalog text under `error.`; `params` fill it."""

    code = "bus"

    def __init__(self, why: str = "", **params: object) -> None:
        super().__init__(why or self.code)
        self.why = why
        self.params = params


class NoReply(BusError):
    """Nothing that fits came before the time-out. Of a write it proves nothing."""

    code = "no_reply"


class LineDown(BusError):
    """No connection to the line: refused, host unknown, cut, or the gateway speaks text."""

    code = "line_down"


class QueueFull(BusError):
    """The line has more waiting than it may hold."""

    code = "queue_full"


class Busy(BusError):
    """Exception 5 or 6: acknowledge, busy. Neither done nor refused."""

    code = "meter_busy"


class Refused(BusError):
    """A Modbus exception from the meter itself."""

    code = "refused_by_meter"

    def __init__(self, function: int, exception_code: int) -> None:
        super().__init__(f"function {function:02X} hex refused with code {exception_code}")
        self.exception_code = exception_code
        self.params = {"exception_code": exception_code}


class BadReading(BusError):
    """A good frame whose content no meter of this map can send: never guessed at."""

    code = "bad_reading"


class OtherModel(BadReading):
    """Another model answers at this address."""

    code = "other_model"


class NeverSend(ValueError):
    """A factory function or register that must not exist in this program."""
