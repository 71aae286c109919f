"""Notations of tariffs in an operator's own words."""

import pytest

from console import tariff_words
from engine import i18n
from engine.domain.tariff_presets import PRESETS
from engine.domain.tariff_schedule import parse_schedule
from engine.domain.tariff_steps import parse_cycle


@pytest.fixture
def chinese():
    before = i18n.current()
    i18n.use("zh_CN")
    yield
    i18n.use(before)


def test_a_schedule_and_a_cycle_are_shown_in_chinese(chinese):
    said = tariff_words.as_typed("07-01..08-31 workdays 00:00 valley, 07:00 sharp")

    assert said == "07-01..08-31 工作日 00:00 谷, 07:00 尖"
    assert tariff_words.as_typed("monthly 15") == "每月 15"


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.code)
def test_what_is_shown_means_the_same_when_it_is_taken(chinese, preset):
    assert parse_schedule(tariff_words.as_typed(preset.schedule)) == parse_schedule(preset.schedule)
    assert parse_cycle(tariff_words.as_typed(preset.cycle)) == parse_cycle(preset.cycle)
