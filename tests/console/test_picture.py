"""The picture of a screen."""

from console.picture import in_cells


def test_a_word_stands_at_the_cell_where_it_begins() -> None:
    line = '<text class="r1" x="12.2" y="20" textLength="97.6" clip-path="url(#l)">{}</text>'

    drawn = in_cells(line.format("练习&#160;&#160;12.00&#160;kW"))

    assert drawn == (
        '<text class="r1" x="12.2" y="20" clip-path="url(#l)">练习</text>'
        '<text class="r1" x="85.4" y="20" clip-path="url(#l)">12.00\xa0kW</text>'
    )


def test_no_font_is_fetched_from_elsewhere() -> None:
    assert in_cells('<style>@font-face { src: url("https://x") }\n.a {}</style>') == (
        "<style>.a {}</style>"
    )
