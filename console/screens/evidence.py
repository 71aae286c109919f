"""The evidence of one case: values, frames, the books; and what two persons can do about it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar
from uuid import uuid4

from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from console import evidence_text, words
from console.keys import bindings
from console.live import News
from console.screens.case_confirm import ConfirmCaseScreen, case_again
from console.screens.place import Place
from console.screens.reason import Given, ReasonScreen
from console.screens.waiting import attempt
from console.widgets.again import Again
from console.widgets.said import Said, painted
from console.widgets.scroll import Scroll
from console.work import ask, error_text
from engine import clock
from engine.domain.errors import DomainError
from engine.domain.units import yuan_text
from engine.i18n import t
from engine.services import checking, commands, evidence, meters
from engine.services.evidence import Evidence
from engine.views.cases import Case
from models.commands import Command
from models.enums import CommandState, Verdict

DECIDABLE = (CommandState.UNKNOWN, CommandState.SUSPENSE)


@dataclass(frozen=True)
class Seen:
    """What was fetched of the case."""

    evidence: Evidence
    command: Command | None
    frozen: bool


def fetch(case: Case) -> Seen:
    """Reads only. Raises NoSuchMeter, MeterRetired."""
    meter = meters.living(case.serial)
    if case.command is None:
        return Seen(evidence.of_meter(meter), None, meter.frozen)
    command = commands.get(case.command)
    return Seen(evidence.of_command(command), command, meter.frozen)


def ask_now(screen: Place, case: Case) -> None:
    """Of an unknown command the read-back comes forward; of all else the meter is read."""
    app = screen.app
    operator = app.operator
    assert operator is not None, "nobody asks a meter without signing in"

    def request() -> Command:
        if case.command is not None and commands.get(case.command).state is CommandState.UNKNOWN:
            return checking.check_now(case.command, operator, uuid4().hex)
        return commands.request_read(case.serial, uuid4().hex, operator)

    def asked(_: Command) -> None:
        app.wake_engine()
        app.tell(t("cases.tray.asked"))

    ask(screen, request, asked)


class EvidenceScreen(Place):
    """Follows the case while it is open; closing it changes nothing."""

    NAME = "evidence"
    BINDINGS: ClassVar[list[BindingType]] = bindings("evidence")
    AUTO_FOCUS = "Scroll"

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.case = case
        self.seen: Seen | None = None
        self._fetching = False

    def body(self) -> Iterable[Widget]:
        with Scroll(id="evidence"):
            yield Said(self._text, id="text")

    def on_mount(self) -> None:
        super().on_mount()
        self._renew()

    def hear(self, news: News) -> None:
        super().hear(news)
        self._renew()

    def _renew(self) -> None:
        if not self._fetching:
            self._fetching = True
            ask(self, lambda: fetch(self.case), self._take, refused=self._failed)

    def _take(self, seen: Seen) -> None:
        self._fetching = False
        self.seen = seen
        self.query_one("#text", Said).say_again()
        self.refresh_bindings()

    def _failed(self, error: DomainError) -> None:
        self._fetching = False
        self.app.tell(error_text(error), bad=True)

    def _text(self) -> Content:
        seen, zone = self.seen, self.app.config.site.zone
        if seen is None:
            return Content(t("screen.head.loading"))
        lines = [
            painted(
                f"{self.case.tenant or words.NOTHING}  {self.case.shop}  {self.case.serial}", ""
            )
        ]
        if seen.command is not None:
            lines += [painted(*cell) for cell in evidence_text.summary(seen.command, zone)]
        if seen.frozen:
            lines.append(painted(t("cases.evidence.meter", serial=self.case.serial), "bad"))
        lines += [
            painted(*cell)
            for cell in evidence_text.lines(seen.evidence, seen.command, zone, stopped=seen.frozen)
        ]
        return Content("\n").join(lines)

    # -- what can be done

    @property
    def _decidable(self) -> bool:
        command = self.seen.command if self.seen else None
        return command is not None and command.counted and command.state in DECIDABLE

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        if action == "decide":
            return self._decidable
        if action == "free":
            return self.seen is not None and self.seen.frozen and not self._decidable
        return True

    def action_ask_now(self) -> None:
        ask_now(self, self.case)

    def action_decide(self) -> None:
        def chosen(given: Given | None) -> None:
            if given is not None:
                self._confirm_decision(Verdict(given.choice), given.why)

        self.app.push_screen(
            ReasonScreen(
                lambda: t("cases.decide.title"),
                lambda verdict: self._consequence(Verdict(verdict)),
                choices=[verdict.value for verdict in Verdict],
                label=lambda verdict: t(f"cases.verdict.{verdict}"),
            ),
            chosen,
        )

    def _consequence(self, verdict: Verdict) -> str:
        command = self.seen.command if self.seen else None
        if command is None:
            return ""
        amount = yuan_text(command.amount_fen + command.fee_fen)
        if verdict is Verdict.APPLIED:
            key = "applied" if command.kind.raises else "applied_lowered"
        elif command.kind.lowers:
            key = "not_applied_lowered"
        else:
            key = "not_applied" if command.transfer is None else "not_applied_transfer"
        text = t(f"cases.decide.consequence_{key}", amount=amount, serial=command.serial)
        lines = [text, t("cases.decide.stopped")]
        if verdict is Verdict.NOT_APPLIED:
            lines.append(t("cases.decide.frames"))
        return "\n".join(lines)

    def _confirm_decision(self, verdict: Verdict, why: str) -> None:
        command = self.seen.command if self.seen else None
        if command is None:
            return
        given = {"command_id": command.id, "verdict": verdict.value, "why": why}

        def facts() -> str:
            said = f"{t(f'cases.verdict.{verdict}')}: {why}"
            return f"{evidence_text.headline(command)}\n{said}\n\n{self._consequence(verdict)}"

        paid_fen = command.amount_fen + command.fee_fen
        self._confirm("decide", given, facts, case_again(paid_fen, command.serial))

    def action_free(self) -> None:
        def told(given: Given | None) -> None:
            if given is not None:
                asked = {"serial": self.case.serial, "why": given.why}
                again = case_again(0, self.case.serial)
                self._confirm("free", asked, lambda: self._freeing(given.why), again)

        title = "cases.free.title"
        self.app.push_screen(ReasonScreen(lambda: t(title), lambda _: self._freeing("")), told)

    def _freeing(self, why: str) -> str:
        """What the meter says, what the books say, and the difference that will be posted."""
        if self.seen is None:
            return ""
        seen = self.seen.evidence
        newest, credit_fen = seen.newest, seen.meter_credit_fen
        nothing = words.NOTHING
        text = t(
            "cases.free.facts",
            serial=seen.serial,
            count=nothing if newest.count is None else newest.count,
            balance=words.yuan(newest.balance_fen),
            age=words.age(newest.at, clock.now()),
            books_count=nothing if seen.expected_count is None else seen.expected_count,
            credit=words.yuan(credit_fen),
            difference=words.yuan(seen.difference_fen),
        )
        return "\n".join([text, *([why] if why else []), t("cases.free.consequence")])

    def _confirm(
        self, verb: str, given: Mapping[str, str | int], facts: Callable[[], str], again: Again
    ) -> None:
        """The number again, y; then a second person."""
        request_id = uuid4().hex

        def sure(yes: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
            if yes:
                attempt(self, verb, given, request_id, lambda _: self._renew())

        self.app.push_screen(ConfirmCaseScreen(verb, facts, again), sure)
