"""tariff on the command line: exit status, JSON, words, and a notation tried without a site."""

import pytest

NEW = ("tariff", "publish", "商铺", "--from", "2027-01-01", "--prices")
SUMMER = "00:00 谷, 08:00 平; 07-01..08-31 00:00 谷, 12:00 尖, 14:00 平"


def test_a_notation_is_tried_without_a_site(run, tmp_path):
    said = run(
        "--site", tmp_path / "none", "--lang", "en", "tariff", "check", "--prices", "1.2/1/0.7/0.4",
        "--schedule", SUMMER, "--steps", "0-240: +0; 240-: +0.1", "--cycle", "yearly",
        "--day", "2026-07-15",
    )  # fmt: skip

    assert said.status == 0
    assert "vvvvvvvvvvvvSSffffffffff" in said.out
    assert "00:00-12:00 valley  12:00-14:00 sharp  14:00-24:00 flat" in said.out
    assert "0.00-240.00 kWh: 1.2000/1.0000/0.7000/0.4000" in said.out
    assert "240.00- kWh: 1.3000/1.1000/0.8000/0.5000" in said.out
    assert "The meter changes seasons by itself." in said.out


def test_what_a_check_finds_as_json(run, tmp_path):
    said = run(
        "--site", tmp_path, "tariff", "check", "--prices", "6", "--schedule",
        "00:00 flat; holidays 00:00 valley", "--day", "2026-10-01", "--kind", "holiday", "--json",
    )  # fmt: skip

    assert said.status == 0
    assert said.json["day_schedule"] == "00:00 valley"
    assert said.json["days_by_engine"] is True
    assert {each["code"] for each in said.json["questions"]} == {"high"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--prices", "1/2/3"), "bad_tariff"),
        (("--prices", "cheap"), "bad_tariff"),
        (("--prices", "1", "--schedule", "00:00 flat, 25:00 peak"), "bad_tariff"),
        (("--prices", "1", "--steps", "0-10: +0; 5-: +1", "--cycle", "monthly"), "bad_tariff"),
        (("--prices", "0.12345"), "bad_tariff"),
    ],
)
def test_a_wrong_notation_is_refused_with_what_is_wrong(run, tmp_path, words, code):
    said = run("--site", tmp_path, "tariff", "check", *words, "--json")

    assert (said.status, said.json["error"]["code"]) == (1, code)


def test_a_version_is_published_shown_and_withdrawn(on, as_boss):
    made = on(*NEW, "1.3/1.1/0.8/0.5", "--schedule", SUMMER, "--note", "通知", *as_boss, "--json")
    assert made.status == 0, made.out
    assert (made.json["state"], made.json["published_by"]) == ("future", "boss")
    assert made.json["prices"]["sharp"] == "1.3000"

    listed = on("tariff", "list", "--json").json
    assert [(row["tariff"], row["next"]["valid_from"], row["meters"]) for row in listed] == [
        ("商铺", "2027-01-01", 0)
    ]
    assert "自 2027-01-01 起：未生效" in on("--lang", "zh_CN", "tariff", "show", "商铺").out

    again = on(*NEW, "1.3/1.1/0.8/0.5", *as_boss, "--json")
    assert (again.status, again.json["error"]["code"]) == (1, "tariff_published")
    words = ("tariff", "withdraw", "商铺", "--from", "2027-01-01", "--reason", "x", *as_boss)
    assert on(*words, "--json").json["state"] == "withdrawn"
    assert on("tariff", "list", "--json").json[0]["next"] is None


def test_a_price_out_of_the_ordinary_is_typed_again(on, as_boss):
    asked = on("--lang", "en", *NEW, "13/1.1/0.8/0.5", *as_boss)
    assert asked.status == 1
    assert "sharp, step 1: 13 yuan/kWh is far above any supplier's price" in asked.err

    as_json = on(*NEW, "13/1.1/0.8/0.5", *as_boss, "--json")
    assert (as_json.status, as_json.json["error"]["code"]) == (1, "price_asked")
    assert as_json.json["error"]["params"]["prices"] == "13"
    said = on(*NEW, "13/1.1/0.8/0.5", "--yes-price", "13", *as_boss, "--json")
    assert said.status == 0


def test_meters_are_assigned(on, as_boss):
    said = on("tariff", "assign", "商铺", "202611230001", "202611230002", *as_boss, "--json")
    assert said.json == {"tariff": "商铺", "meters": 2, "changed": 2}
    assert on("tariff", "show", "商铺", "--json").json["meters"] == [
        "202611230001", "202611230002",
    ]  # fmt: skip
    back = on("tariff", "assign", "none", "202611230001", *as_boss, "--json")
    assert back.json["changed"] == 1
    nobody = on("tariff", "assign", "nobody's", "202611230001", *as_boss, "--json")
    assert nobody.json["error"]["code"] == "no_such_tariff"


def test_special_days_are_set_listed_imported_and_cleared(on, as_boss, tmp_path):
    days = ("tariff", "days")
    assert on(*days, "set", "2026-10-01", "holiday", "--name", "国庆", *as_boss).status == 0
    file = tmp_path / "days.csv"
    file.write_text("day,kind,name\n2026-10-10,调休,\n", encoding="utf-8")
    assert on(*days, "import", file, *as_boss, "--json").json["changed"] == 1

    assert on(*days, "list", "--json").json == [
        {"day": "2026-10-01", "kind": "holiday", "name": "国庆"},
        {"day": "2026-10-10", "kind": "workday", "name": ""},
    ]
    assert on(*days, "list", "--from", "2026-10-02", "--json").json[0]["day"] == "2026-10-10"
    assert on(*days, "clear", "2026-10-01", *as_boss).status == 0
    assert on(*days, "clear", "2026-10-01", *as_boss, "--json").status == 1
    assert on(*days, "set", "soon", "holiday", *as_boss, "--json").status == 2


def test_a_table_of_days_with_a_mistake_changes_nothing(on, as_boss, tmp_path):
    file = tmp_path / "days.csv"
    file.write_text("day,kind,name\n2026-10-10,调休,\n2026-13-01,holiday,\n", encoding="utf-8")

    said = on("tariff", "days", "import", file, *as_boss, "--json")

    assert said.status == 1
    assert [(each["row"], each["column"]) for each in said.json["errors"]] == [(3, "day")]
    assert on("tariff", "days", "list", "--json").json == []


def test_without_price_changes_the_list_is_empty_and_nothing_is_settled(on, as_boss):
    assert on("tariff", "changes", "--open", "--json").json == []
    assert on("tariff", "changes").status == 0
    said = on("tariff", "settle", "1", "--note", "x", *as_boss, "--json")
    assert (said.status, said.json["error"]["code"]) == (1, "no_such_change")


def test_who_may_not_is_refused(on, as_boss, password_file):
    words = ("operator", "add", "赵敏", "--role", "cashier", "--new-password-file", password_file)
    assert on(*words, *as_boss).status == 0
    cashier = ("--as", "赵敏", "--password-file", password_file)

    said = on(*NEW, "1/1/1/1", *cashier, "--json")

    assert (said.status, said.json["error"]["code"]) == (1, "forbidden")


def test_an_import_publishes_and_never_edits(on, write_tables, site):
    folder = write_tables()
    file = folder / "tariffs.csv"
    text = file.read_text(encoding="utf-8")

    file.write_text(text.replace("0.7", "0.8"), encoding="utf-8")
    edited = on("import", folder, "--json")
    assert edited.status == 1
    assert [(each["code"], each["row"], each["column"]) for each in edited.json["errors"]] == [
        ("version_published", 2, "valid_from")
    ]

    file.write_text(text + '商铺,2030-01-01,1,1,1,1,"00:00 flat, 24:00 peak",,\n', "utf-8")
    wrong = on("--lang", "en", "import", folder)
    assert wrong.status == 1
    assert "24:00" in wrong.out

    file.write_text(text + "商铺,2026-02-01,1,1,1,1,,,\n", encoding="utf-8")
    assert on("import", folder, "--json").json["errors"][0]["code"] == "version_backdated"

    file.write_text(text + "商铺,2030-01-01,1,1,1,1,00:00 谷；08:00 峰,,\n", encoding="utf-8")
    said = on("import", folder, "--json")
    assert (said.status, said.json["added"]) == (0, 1)
    assert on("import", folder, "--json").json["added"] == 0
