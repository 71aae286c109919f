"""A meter leaves its tenant while he stays: for another meter, another tenant, or for good."""

from collections.abc import Callable, Sequence
from functools import partial

from console.screens.leaving import HandOverScreen, MoveScreen, ReleaseScreen
from console.screens.pick import Choice, PickScreen
from console.screens.place import Place
from console.screens.tenant import pick_meter
from console.work import ask
from engine import clock
from engine.i18n import t
from engine.views import tenants as views
from engine.views.meters import MeterRow
from engine.views.tenants import TenantRow, TenantState

WAYS = ("move", "hand_over", "release")


def begin_move(screen: Place, row: TenantRow) -> None:
    """Which meter, then how it leaves."""
    pick_meter(screen, row.meters, partial(_pick_way, screen, row))


def _pick_way(screen: Place, row: TenantRow, meter: MeterRow) -> None:
    def picked(choice: Choice | None) -> None:
        if choice is None:
            return
        if choice.value == "hand_over":
            pick_tenant(screen, "tenant.hand_over.to_whom", handed, but=row)
        elif choice.value == "move":
            screen.app.push_screen(MoveScreen(row, meter.serial))
        else:
            screen.app.push_screen(ReleaseScreen(row, meter.serial))

    def handed(heir: TenantRow) -> None:
        screen.app.push_screen(HandOverScreen(row, meter.serial, heir))

    choices = [Choice(way, partial(t, f"tenant.{way}.choice")) for way in WAYS]
    screen.app.push_screen(PickScreen("tenant.move.how", choices), picked)


def pick_tenant(
    screen: Place,
    title: str,
    then: Callable[[TenantRow], object],
    *,
    but: TenantRow | None = None,
) -> None:
    """One of the tenants whose accounts are not closed, by search."""

    def picked(choice: Choice | None) -> None:
        if choice is not None and isinstance(choice.value, TenantRow):
            then(choice.value)

    def show(found: tuple[int, Sequence[TenantRow]]) -> None:
        living = [
            row
            for row in found[1]
            if row.state is not TenantState.CLOSED
            and (but is None or row.account_id != but.account_id)
        ]
        choices = [Choice(row, partial(tenant_text, row)) for row in living]
        screen.app.push_screen(PickScreen(title, choices), picked)

    now = clock.now().astimezone(screen.app.config.site.zone)
    ask(screen, partial(views.rows, now=now), show)


def tenant_text(row: TenantRow) -> str:
    """`T0013  阿婆咖啡馆  APKFG  13900000013`: what a search finds it by."""
    return f"{row.number}  {row.name}  {row.initials}  {' '.join(row.phones)}"
