"""Pinyin initials (拼音首字母): how a Chinese name is found without an input method."""


def initials(name: str) -> str:
    """`WDGC` for 万达广场, `A8YDM` for A8 一点米: upper case; only letters and digits stay."""
    if name.isascii():
        letters = name
    else:
        from pypinyin import Style, lazy_pinyin  # noqa: PLC0415 (0.1 s and 20 MB, for imports only)

        letters = "".join(lazy_pinyin(name, style=Style.FIRST_LETTER))
    return "".join(char for char in letters if char.isascii() and char.isalnum()).upper()
