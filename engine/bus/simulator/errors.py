"""What can be wrong with what the simulator is asked to do."""


class SimulatorError(Exception):
    """`code` names the catalog text under `simulate.`; `params` fill it."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(f"{code}: {params}")
        self.code = code
        self.params = params


class BadFault(SimulatorError):
    """A fault that cannot be: its name, target or option is not known."""


class BadSite(SimulatorError):
    """The tables do not make a site: says file, row and what is wrong."""


class BadState(SimulatorError):
    """The state file is not one of ours."""
