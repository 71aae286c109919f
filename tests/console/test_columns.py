"""Text in cells: Chinese takes two, what is cut says so, a line never grows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from console.widgets.columns import fit

NAMES = st.text(alphabet="abcXYZ019 -()张三丰茶馆鑫隆（）·，", max_size=30)


@given(text=NAMES, cells=st.integers(2, 40), right=st.booleans())
def test_whatever_the_name_the_column_is_as_wide_as_it_is_to_be(text, cells, right):
    assert cell_len(fit(text, cells, right=right)) == cells


@pytest.mark.parametrize(
    ("text", "cells", "shown"),
    [
        pytest.param("张三丰茶馆", 10, "张三丰茶馆", id="fits"),
        pytest.param("张三丰茶馆", 9, "张三丰茶~", id="cut between characters"),
        pytest.param("张三丰茶馆", 8, "张三丰 ~", id="cut within a character"),
        pytest.param("abc", 5, "abc  ", id="filled"),
    ],
)
def test_what_is_cut_off_is_never_silently_gone(text, cells, shown):
    assert fit(text, cells) == shown
