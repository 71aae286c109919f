"""Settings in words: whatever a meter holds can be shown, also what no operator would set."""

import pytest

from console import setting_words
from engine import i18n
from engine.domain import setting_rules


@pytest.fixture(autouse=True)
def chinese():
    before = i18n.current()
    i18n.use("zh_CN")
    yield
    i18n.use(before)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("alarm1_fen", 2550, "25.50 元"),
        ("overload_w", 0, "关"),
        ("overload_w", 8000, "8.000 千瓦"),
        ("overload_w", "2666/2000/2666", "2666/2000/2666"),
        ("overload_trips_max", "3/4/3", "3/4/3"),
        ("overload_recovery_min", 5, "5 分钟"),
        ("money_control", 0, "关"),
        ("price_peak", "1.0490", "1.0490 元/度"),
        ("schedule1", "00:00 valley, 07:00 flat", "00:00 谷, 07:00 平"),
        ("zones", "", "无"),
        ("time_control", "off", "关"),
        ("time_control", "00:00 off; Sat Sun 00:00 on", "00:00 关; 周六 周日 00:00 开"),
        ("time_control", "unreadable", "unreadable"),
        ("alarm1_fen", None, "-"),
    ],
)
def test_a_value_is_said_with_its_unit(name, value, said):
    assert setting_words.text(name, value) == said


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_what_a_form_shows_is_understood_when_it_is_sent_back(language):
    i18n.use(language)
    kept = "00:00 off, 06:30 on; Sat Sun 00:00 on"

    assert setting_rules.parse("time_control", setting_words.typed("time_control", kept)) == kept
    assert setting_rules.parse("alarm1_yuan", setting_words.typed("alarm1_fen", 2550)) == 2550
