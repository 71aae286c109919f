"""What is wrong in a file of tables, told with its place and its remedy."""

from collections.abc import Iterable

from console.failures import JSON_LANGUAGE, text_of
from engine import i18n
from engine.i18n import t
from engine.tables import Problem


def as_json(problems: Iterable[Problem]) -> list[dict[str, object]]:
    return [_told(each, JSON_LANGUAGE) for each in problems]


def print_all(errors: Iterable[Problem], warnings: Iterable[Problem]) -> None:
    """In the language spoken, each as `file:row column`."""
    for key, problems in (("error", errors), ("warning", warnings)):
        for problem in problems:
            print(t(f"cli.import_{key}", **_placed(problem)))


def _told(problem: Problem, language: str) -> dict[str, object]:
    texts = i18n.catalog(language)
    params = {"found": "", **problem.params}
    if problem.code == "bad_tariff":  # each rule of the notation has its own words
        params["rule"] = text_of("error", problem.code, problem.params, language)
    return {
        "file": problem.file,
        "row": problem.row,
        "column": problem.column,
        "code": problem.code,
        "message": texts[f"import.{problem.code}.message"].format(**params),
        "remedy": texts[f"import.{problem.code}.remedy"].format(**params),
    }


def _placed(problem: Problem) -> dict[str, object]:
    place = problem.file if problem.row is None else f"{problem.file}:{problem.row}"
    shown = f"{place} {problem.column}" if problem.column else place
    return {**_told(problem, i18n.current()), "place": shown}
