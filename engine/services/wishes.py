"""A wish that needs a second person: who asks for what, and how the verb is called."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.config import Config
from models.commands import Command
from models.people import Operator


@dataclass(frozen=True, slots=True)
class Subject:
    """What an approver sees in the list: which meter, how much money."""

    serial: str = ""
    amount_fen: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """Who asks for what; `approver` None where nobody has approved it yet."""

    given: Mapping[str, Any]
    by: Operator
    request_id: str
    approver: Operator | None
    config: Config


@dataclass(frozen=True, slots=True)
class Verb:
    """`run` does it and gives the command it made, None where it makes none."""

    run: Callable[[Wish], Command | None]
    subject: Callable[[Mapping[str, Any]], Subject]
