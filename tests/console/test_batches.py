"""Verbs over many meters on screen: chosen, planned, approved by their number, followed."""

import zoneinfo

import pytest

from console import batch_words
from console.screens.batch_items import BatchItemsScreen
from console.screens.batch_options import until_of
from console.screens.batch_plan import PlanScreen
from console.screens.batch_progress import ProgressScreen
from console.screens.batch_verbs import VerbsScreen
from console.widgets.batch_line import BatchLine
from engine import i18n
from engine.domain.errors import BadBatch, BadSelection
from engine.domain.selection import Selection
from engine.services import batch_store, batches, operators
from engine.views import batches as views
from models.base import write_transaction
from models.cases import Approval
from models.control import Batch, BatchItem
from models.enums import BatchState, BatchVerb, ItemState, Role
from tests.screens import on_table, seen, until

ZONE = zoneinfo.ZoneInfo("Asia/Shanghai")
TRIP_THREE = ("space", "space", "space", "b", "5")


@pytest.fixture
def boss(db, clock):
    """A supervisor: batches and switches are his."""
    return operators.create("王主管", "battery staple", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def press():
    async def each(pilot, *keys) -> None:
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.05)

    return each


@pytest.fixture
def planned(press):
    """Through the options of a switch to its plan."""

    async def to_plan(pilot, *keys) -> PlanScreen:
        await press(pilot, *keys)
        await until(pilot, lambda: "why" in seen(pilot.app) or "reason" in seen(pilot.app))
        await press(pilot, *"work", "f10")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlanScreen))
        return pilot.app.screen

    return to_plan


@pytest.fixture
def tripping(boss, meters, clock):
    """A batch over three meters, as an engine not at work leaves it."""

    def one(app):
        wanted = Selection(serials=tuple(meter.serial for meter in meters[:3]))
        plan = batches.plan(BatchVerb.TRIP, wanted, {}, config=app.config, now=clock.at)
        return batches.start(plan, 3, "work", boss, "r1", config=app.config)

    return one


def nothing_written() -> bool:
    return not (Batch.select().count() or Approval.select().count())


async def test_the_verbs_are_over_the_marked_meters(make_app, boss, meters, press):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        await press(pilot, "space", "space", "b")

        assert isinstance(app.screen, VerbsScreen)
        assert "marked: 2 of 30" in seen(app)
        assert "5  trip" in seen(app)


async def test_without_marks_they_are_over_what_the_filter_shows(make_app, boss, meters, press):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        app.show_meters(typed="A-12")
        await press(pilot, "b")

        assert "shown by filter: 10 of 30" in seen(app)


async def test_without_marks_and_filter_all_are_meant_only_after_a_question(
    make_app, boss, meters, press
):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        await press(pilot, "b")
        assert "All 30 meters?" in seen(app)
        await press(pilot, "enter", "b", "y")

        assert isinstance(app.screen, VerbsScreen)
        assert "all: 30" in seen(app)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        pytest.param(("enter", "b"), "A-100 张三丰茶馆: 1 meter", id="the page of a meter"),
        pytest.param(("3", "b"), "meters of 张三丰茶馆: 1", id="the place of tenants"),
        pytest.param(("3", "enter", "b"), "meters of 张三丰茶馆: 1", id="the page of a tenant"),
    ],
)
async def test_they_begin_elsewhere_too(make_app, boss, meters, press, keys, said):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        for key in keys[:-1]:
            await press(pilot, key)
            await until(pilot, lambda: "A-100" in seen(app) or "T0000" in seen(app))
            await pilot.pause(0.3)
        await press(pilot, keys[-1])
        await until(pilot, lambda: isinstance(app.screen, VerbsScreen))

        assert said in seen(app)


async def test_who_may_not_is_told_before_a_plan(make_app, operator, meters, press):
    app = make_app("en")
    async with on_table(app, operator) as pilot:
        await press(pilot, *TRIP_THREE)
        await until(pilot, lambda: "batch" in seen(app) and "李娜" in seen(app))

        assert not isinstance(app.screen, PlanScreen)


async def test_letters_typed_into_the_form_are_no_verbs(make_app, boss, meters, press):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        await press(pilot, *TRIP_THREE, *"b5xys1Q?B8")

        assert app.screen.query_one("#why").value == "b5xys1Q?B8"
        assert Batch.select().count() == 0


async def test_a_switch_asks_for_a_reason(make_app, boss, meters, press):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        await press(pilot, *TRIP_THREE, "f10")

        assert not isinstance(app.screen, PlanScreen)
        assert "reason" in seen(app).lower()


async def test_the_plan_says_who_loses_power_first(make_app, boss, meters, planned):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        screen = await planned(
            pilot, "space", "space", "down", "space", "space", "down", "down", "down", "down",
            "space", "b", "5",
        )  # fmt: skip

        lines = seen(app).splitlines()
        assert [row.shop for row in screen.table.rows] == [
            "A-100",
            "A-101",
            "A-109",
            "A-103",
            "A-104",
        ]
        assert "LOSES POWER 3" in lines[2]
        assert "out of reach 1" in lines[2]
        assert "on -> OFF, tripped" in seen(app)
        assert "Nothing was sent yet." in seen(app)


async def test_the_plan_shows_one_class_at_a_time(make_app, boss, meters, planned, press):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        screen = await planned(pilot, "a", "b", "5")
        await press(pilot, "F")

        assert [row.shop for row in screen.table.rows] == ["A-104"]
        assert "[out of reach 1]" in seen(app)
        assert "never read" in seen(app)


async def test_enter_twice_confirms_nothing(make_app, boss, meters, planned, press):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        await planned(pilot, *TRIP_THREE)
        await press(pilot, "enter", "enter", "enter", "y")

        assert nothing_written()
        assert "Type the number of meters" in seen(app)


@pytest.mark.parametrize("typed", ["2", "30", "4", "0", "3.5", "-3"])
async def test_a_wrong_number_is_refused(make_app, boss, meters, planned, press, typed):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        await planned(pilot, *TRIP_THREE)
        names = {".": "full_stop", "-": "minus"}
        await press(pilot, "enter", *(names.get(char, char) for char in typed), "y")

        assert nothing_written()
        assert "LOSE POWER AT ONCE" in seen(app)


async def test_the_number_and_y_begin_it(make_app, boss, meters, planned, press):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        await planned(pilot, *TRIP_THREE)
        await press(pilot, "enter", "3", "y")
        await until(pilot, lambda: isinstance(app.screen, ProgressScreen))
        await until(pilot, lambda: "0/3" in seen(app))

    batch = Batch.get()
    assert (batch.verb, batch.why, batch.operator) == (BatchVerb.TRIP, "work", boss)
    assert BatchItem.select().where(BatchItem.state == ItemState.WAITING).count() == 3


async def test_many_wait_for_a_second_person(make_app, boss, meters, planned, press):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        screen = await planned(pilot, "a", "b", "5")
        number = str(len(screen.plan.change))
        await press(pilot, "enter", *number)
        assert "second person" in seen(app)
        await press(pilot, "y")
        await until(pilot, lambda: Approval.select().count() == 1)

    assert Batch.select().count() == 0


async def test_what_changes_nothing_needs_only_y(make_app, boss, meters, press):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        await press(pilot, "space", "space", "b", "8")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        await press(pilot, "enter", "enter")
        assert Batch.select().count() == 0
        await press(pilot, "y")
        await until(pilot, lambda: isinstance(app.screen, ProgressScreen))


async def test_the_plan_goes_into_a_workbook(make_app, boss, meters, planned, press, db):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        await planned(pilot, *TRIP_THREE)
        await press(pilot, "e")
        await until(pilot, lambda: bool(list((db / "exports").glob("plan-trip-*.xlsx"))))


async def test_progress_is_paused_and_gone_on_with_by_the_number_left(
    make_app, boss, meters, tripping, press
):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        batch = tripping(app)
        app.push_screen(ProgressScreen(batch.id))
        await until(pilot, lambda: "0/3" in seen(app))
        await press(pilot, "h")
        await until(pilot, lambda: "PAUSED: by an operator" in seen(app))
        await press(pilot, "r", "2", "y")
        assert batches.get(batch.id).state is BatchState.PAUSED
        await press(pilot, "backspace", "3", "y")
        await until(pilot, lambda: batches.get(batch.id).state is BatchState.RUNNING)


async def test_cancel_asks(make_app, boss, meters, tripping, press):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        batch = tripping(app)
        app.push_screen(ProgressScreen(batch.id))
        await until(pilot, lambda: "0/3" in seen(app))
        await press(pilot, "x", "enter")
        assert batches.get(batch.id).state is BatchState.RUNNING
        await press(pilot, "x", "y")
        await until(pilot, lambda: batches.get(batch.id).state is BatchState.CANCELLED)
        await until(pilot, lambda: "cancelled" in seen(app))


async def test_the_failed_are_planned_again_and_only_they(make_app, boss, meters, tripping, press):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        batch = tripping(app)
        first = BatchItem.get(BatchItem.serial == meters[0].serial)
        with write_transaction():
            batch_store.end_item(first.id, ItemState.REFUSED, "silent")
            BatchItem.update(state=ItemState.APPLIED).where(BatchItem.id != first.id).execute()
            batch_store.change(batch, state=BatchState.DONE)
        app.push_screen(ProgressScreen(batch.id))
        await until(pilot, lambda: "3/3" in seen(app))
        await press(pilot, "f")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        await press(pilot, "enter", "1", "y")
        await until(pilot, lambda: Batch.select().count() == 2)

    assert Batch.get(Batch.id != batch.id).retries == batch


async def test_the_meters_of_a_batch_and_why_each_failed(make_app, boss, meters, tripping, press):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        batch = tripping(app)
        first = BatchItem.get(BatchItem.serial == meters[2].serial)
        with write_transaction():
            batch_store.end_item(first.id, ItemState.REFUSED, "sold_since")
        app.push_screen(ProgressScreen(batch.id))
        await until(pilot, lambda: "1/3" in seen(app))
        await press(pilot, "l")
        await until(pilot, lambda: "sold to since" in seen(app))

        assert isinstance(app.screen, BatchItemsScreen)
        assert app.screen.table.rows[0].serial == meters[2].serial


async def test_an_open_batch_is_told_of_everywhere_and_a_key_goes_there(
    make_app, boss, meters, tripping, press
):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        batch = tripping(app)
        batches.pause(batch.id, boss)
        await until(pilot, lambda: "batch 1 trip: 0/3, PAUSED" in seen(app))
        await press(pilot, "3")
        await until(pilot, lambda: "PAUSED" in seen(app))
        await press(pilot, "B")
        await until(pilot, lambda: isinstance(app.screen, ProgressScreen))
        await press(pilot, "x", "y", "escape")
        await until(pilot, lambda: not app.screen.query_one(BatchLine).display)


async def test_the_place_lists_batches(make_app, boss, meters, tripping, press):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        tripping(app)
        await press(pilot, "8")
        await until(pilot, lambda: "王主管" in seen(app))
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, ProgressScreen))


async def test_a_file_of_numbers_says_in_which_line_one_is_unknown(
    make_app, boss, meters, press, db
):
    (db / "exports").mkdir(exist_ok=True)
    text = f"{meters[0].serial}\n{meters[1].serial}\n999999999999\n"
    (db / "exports" / "list.txt").write_text(text, encoding="utf-8")
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        await press(pilot, "space", "b", "f", *"list", "full_stop", *"txt", "enter")
        await until(pilot, lambda: "999999999999 (3)" in seen(app))
        text = "\n".join(meter.serial for meter in meters[:2])
        (db / "exports" / "list.txt").write_text(text, encoding="utf-8")
        await press(pilot, "enter")
        await until(pilot, lambda: "file list.txt: 2" in seen(app))

        assert isinstance(app.screen, VerbsScreen)


@pytest.mark.parametrize("name", ["../list.txt", "no.txt", "", "=cmd()", "百" * 100])
async def test_a_file_that_is_not_there_is_refused(make_app, boss, meters, press, name):
    app = make_app("en")
    async with on_table(app, boss) as pilot:
        await press(pilot, "space", "b", "f")
        app.screen.query_one("#file").value = name
        await press(pilot, "enter")
        await until(pilot, lambda: app.screen.form.errors.get("file") is not None)

        assert isinstance(app.screen.form.errors["file"], BadSelection)


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        pytest.param("", "", id="until it is resumed"),
        pytest.param("18:30", "2026-11-23T18:30:00+08:00", id="today"),
        pytest.param("08：00", "2026-11-24T08:00:00+08:00", id="tomorrow, full-width"),
        pytest.param("11-25 09:00", "2026-11-25T09:00:00+08:00", id="a day of this year"),
        pytest.param("2027-01-02 09:00", "2027-01-02T09:00:00+08:00", id="a year"),
    ],
)
def test_until_when_is_read_as_people_write_it(clock, typed, at):
    clock.at = clock.at.replace(hour=1, minute=0, second=0)
    assert until_of(typed, ZONE) == at


@pytest.mark.parametrize("typed", ["25:00", "yesterday", "2026-11-22 09:00", "=cmd()", "\x1b[2J"])
def test_until_a_time_that_is_none_or_past_is_refused(clock, typed):
    with pytest.raises(BadBatch):
        until_of(typed, ZONE)


@pytest.mark.parametrize(
    ("was", "wanted", "said"),
    [
        pytest.param(
            {f"price_{rate}": "1.2" for rate in ("sharp", "peak", "flat", "valley")},
            {f"price_{rate}": "1.2500" for rate in ("sharp", "peak", "flat", "valley")},
            "1.2 -> 1.2500 yuan/kWh",
            id="one price for all hours",
        ),
        pytest.param(
            {"price_sharp": "1.2", "price_peak": "1.0", "price_flat": "0.7", "price_valley": "0.3"},
            {"price_sharp": "1.3", "price_peak": "1.1", "price_flat": "0.8", "price_valley": "0.4"},
            "1.2/1.0/0.7/0.3 -> 1.3/1.1/0.8/0.4 yuan/kWh",
            id="all four prices",
        ),
        pytest.param(
            {"price_sharp": "1.2", "price_flat": "0.70"},
            {"price_sharp": "1.3000", "price_flat": "0.7000"},
            "price sharp 1.2 -> 1.3000 yuan/kWh",
            id="only what differs",
        ),
        pytest.param(
            {"force": "on", "relay": "closed"},
            {"force": "none", "relay": "open"},
            "on -> OFF, held on -> by credit",
            id="switches",
        ),
        pytest.param({}, {"alarm1_fen": 2000}, "alarm 1 not read -> 20.00 yuan", id="not read"),
    ],
)
def test_changes_are_said_in_words_and_units(was, wanted, said):
    i18n.use("en")

    assert batch_words.changes(was, wanted) == said


def test_open_ones_are_those_that_run_or_are_paused(make_app, boss, meters, tripping):
    batch = tripping(make_app("en"))
    assert [row.batch for row in views.open_ones()] == [batch.id]
    batches.cancel(batch.id, boss)
    assert views.open_ones() == []
