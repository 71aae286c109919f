"""The picture of a screen."""

from console.picture import in_cells


def test_a_chinese_text_is_as_long_as_its_cells():
    svg = '<text class="r1" x="0" y="20" textLength="36.6" clip-path="url(#l)">&#160;练习</text>'

    assert 'textLength="61"' in in_cells(svg)
    assert in_cells(svg.replace("练习", "ab")) == svg.replace("练习", "ab")
