"""What can be done with a tenant, from the list and from its page: which keys are valid, and go."""

from collections.abc import Callable, Sequence
from functools import partial

from console.reading import read_now
from console.screens.place import Place
from console.work import ask
from engine import clock
from engine.views import tenant as pages
from engine.views.tenant import Tenant
from engine.views.tenants import TenantRow, TenantState


def may(name: str, row: TenantRow) -> bool:
    """What the screen knows already; the service decides."""
    living = row.state is not TenantState.CLOSED
    return {
        "sell": bool(row.meters),
        "refund": bool(row.meters),
        "reverse": bool(row.meters),
        "transfer": bool(row.meters),
        "exchange": bool(row.meters),
        "read": bool(row.meters),
        "batch": bool(row.meters),
        "move": bool(row.meters),
        "deposit": living or bool(row.deposit_fen),
        "open": living,
        "edit": living,
        "close": True,  # of a closed one: its statement
        "register": True,
    }[name]


def start(
    screen: Place,
    name: str,
    row: TenantRow | None,
    made: Callable[[str], object] = lambda _number: None,
) -> None:
    """Begin a verb on a tenant; a new one needs none, and its number is told to `made`."""
    if name == "register":
        from console.screens.tenant_forms import (  # noqa: PLC0415 (loaded when first gone to)
            RegisterScreen,
        )

        def registered(number: str | None) -> None:
            if number is not None:
                made(number)

        screen.app.push_screen(RegisterScreen(), registered)
    elif row is not None:
        VERBS[name](screen, row)


def sell(screen: Place, row: TenantRow) -> None:
    """One meter: the form of a single sale; several: one payment split over them."""
    if len(row.meters) == 1:
        from console.screens.sell import open_sale  # noqa: PLC0415 (loaded when first gone to)

        open_sale(screen, row.meters[0])
    else:
        from console.screens.sell_tenant import (  # noqa: PLC0415 (loaded when first gone to)
            SellTenantScreen,
        )

        screen.app.push_screen(SellTenantScreen(row))


def read(screen: Place, row: TenantRow) -> None:
    read_now(screen, row.meters)


def batch(screen: Place, row: TenantRow) -> None:
    """A verb over the meters of the tenant."""
    from console.screens import batch_verbs  # noqa: PLC0415 (loaded when first gone to)

    batch_verbs.begin(screen, batch_verbs.of_rows("tenant", row.meters, name=row.name))


def edit(screen: Place, row: TenantRow) -> None:
    from console.screens.tenant_forms import (  # noqa: PLC0415 (loaded when first gone to)
        EditScreen,
    )

    _look_up(screen, row, lambda found: screen.app.push_screen(EditScreen(found)))


def open_(screen: Place, row: TenantRow) -> None:
    """What was planned for a pre-registered tenant by one key, else a choice of meters."""
    if row.planned and row.state is TenantState.PRE_REGISTERED:
        from console.screens.open_meters import (  # noqa: PLC0415 (loaded when first gone to)
            open_planned,
        )

        open_planned(screen, row)
    else:
        open_for(screen, row, ())


def open_for(screen: Place, row: TenantRow, serials: Sequence[str]) -> None:
    from console.screens.open_meters import (  # noqa: PLC0415 (loaded when first gone to)
        open_form,
    )

    open_form(screen, row, serials)


def close(screen: Place, row: TenantRow) -> None:
    from console.screens.leaving import CloseScreen  # noqa: PLC0415 (loaded when first gone to)

    screen.app.push_screen(CloseScreen(row))


def move(screen: Place, row: TenantRow) -> None:
    """One meter of the tenant: which, and whereto."""
    from console.screens.moving import (  # noqa: PLC0415 (loaded when first gone to)
        begin_move,
    )

    begin_move(screen, row)


def deposit(screen: Place, row: TenantRow) -> None:
    from console.screens.deposit import DepositForm  # noqa: PLC0415 (loaded when first gone to)

    _look_up(screen, row, lambda found: screen.app.push_screen(DepositForm(found.row)))


def take_out(verb: str, screen: Place, row: TenantRow) -> None:
    """退电, 冲正, 金额转入 are a meter's: of several, which?"""
    from console.screens.take_out import start as begin  # noqa: PLC0415 (as the others)
    from console.screens.tenant import pick_meter  # noqa: PLC0415 (as the others)

    pick_meter(screen, row.meters, lambda meter: begin(screen, verb, meter))


def exchange(screen: Place, row: TenantRow) -> None:
    from console.screens.exchange_begin import (  # noqa: PLC0415 (loaded when first gone to)
        open_exchange,
    )
    from console.screens.tenant import pick_meter  # noqa: PLC0415 (as the others)

    pick_meter(screen, row.meters, partial(open_exchange, screen))


VERBS: dict[str, Callable[[Place, TenantRow], None]] = {
    "sell": sell,
    "read": read,
    "batch": batch,
    "edit": edit,
    "open": open_,
    "close": close,
    "move": move,
    "deposit": deposit,
    "exchange": exchange,
    **{verb: partial(take_out, verb) for verb in ("refund", "reverse", "transfer")},
}


def _look_up(screen: Place, row: TenantRow, then: Callable[[Tenant], object]) -> None:
    now = clock.now().astimezone(screen.app.config.site.zone)
    ask(screen, partial(pages.page, row.number, now), then)
