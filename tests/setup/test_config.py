"""config.toml: what is wrong with it is said by file, key and remedy; the example is complete."""

import dataclasses
import os
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from engine import config
from engine.config import Config, ConfigError
from engine.site import EXAMPLE

ROOT = Path(__file__).parents[2]


@pytest.fixture
def load(tmp_path):
    """Settings from a text."""

    def load(text):
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return config.load(path)

    return load


def test_the_example_names_every_setting_and_gives_its_default():
    tables = tomllib.loads((ROOT / "config.example.toml").read_text(encoding="utf-8"))

    named = {section: set(values) for section, values in tables.items()}
    assert named == {
        section.name: {field.name for field in dataclasses.fields(section.default_factory)}
        for section in dataclasses.fields(Config)
    }
    assert config.load(EXAMPLE) == Config()


def test_every_setting_of_the_example_has_a_comment():
    lines = (ROOT / "config.example.toml").read_text(encoding="utf-8").splitlines()

    bare = [line for line in lines if "=" in line and "#" not in line]
    assert bare == [
        'price_peak = "1.0000"',  # as price_sharp above them
        'price_flat = "0.7000"',
        'price_valley = "0.4000"',
    ]


def test_an_empty_file_means_all_defaults(load):
    assert load("") == Config()


def test_a_setting_replaces_its_default(load):
    loaded = load('[money]\nfee_pct = "2.5"\n[collection]\ninterval_s = 60\n')

    assert (loaded.money.fee_pct, loaded.collection.interval_s) == (Decimal("2.5"), 60)


@pytest.mark.parametrize(
    ("text", "code", "key"),
    [
        ("[collection]\ninterval_s = '1800'", "wrong_type", "collection.interval_s"),
        ("[collection]\ninterval_s = 1800.0", "wrong_type", "collection.interval_s"),
        ("[collection]\ninterval_s = true", "wrong_type", "collection.interval_s"),
        ("[money]\nfee_pct = true", "wrong_type", "money.fee_pct"),
        ("[money]\nfee_pct = 'some'", "wrong_type", "money.fee_pct"),
        ("[site]\nname = 5", "wrong_type", "site.name"),
        ("site = 5", "wrong_type", "site"),
        ("[collection]\nintervall_s = 60", "unknown_key", "collection.intervall_s"),
        ("[colection]\ninterval_s = 60", "unknown_key", "colection"),
        ("[collection]\ninterval_s = 59", "out_of_range", "collection.interval_s"),
        ("[money]\nceiling_fen = -1", "out_of_range", "money.ceiling_fen"),
        ("[defaults]\nprice_sharp = '100.0001'", "out_of_range", "defaults.price_sharp"),
        ("[defaults]\nprice_sharp = 'NaN'", "wrong_type", "defaults.price_sharp"),
        ("[site]\ntimezone = 'Moon/Crater'", "bad_name", "site.timezone"),
        ("[console]\nlanguage = 'fr'", "bad_name", "console.language"),
        ("[meters]\ncipher_key = 'secret'", "bad_name", "meters.cipher_key"),
        ("[meters]\ncipher_key = '00'", "bad_name", "meters.cipher_key"),
    ],
)
def test_a_wrong_setting_is_named(load, text, code, key):
    with pytest.raises(ConfigError) as caught:
        load(text)

    assert (caught.value.code, caught.value.params["key"]) == (code, key)


def test_a_missing_file_is_told_by_its_name(tmp_path):
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path / "config.toml")

    assert (caught.value.code, caught.value.params["file"]) == (
        "missing", str(tmp_path / "config.toml")
    )  # fmt: skip


def test_what_is_not_toml_is_told_with_its_line(load):
    with pytest.raises(ConfigError) as caught:
        load("[site]\nname = Voltill\n")

    assert caught.value.code == "not_toml"
    assert "line 2" in caught.value.params["why"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_rights_is_unreadable(load, tmp_path):
    (tmp_path / "config.toml").touch(mode=0)

    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path / "config.toml")

    assert caught.value.code == "unreadable"


def test_a_file_in_another_encoding_is_unreadable(tmp_path):
    (tmp_path / "config.toml").write_bytes("[site]\nname = '万达'\n".encode("gbk"))

    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path / "config.toml")

    assert caught.value.code == "unreadable"
