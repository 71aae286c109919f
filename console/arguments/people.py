"""Operators."""

from pathlib import Path

from console.arguments.options import Parser, Verb, add_json, add_person, family
from engine.i18n import t
from models.enums import Role


def add(verb: Verb, anywhere: Parser) -> None:
    operator = family(verb, "operator", "people:list_operators", anywhere)
    add_json(operator("list", "people:list_operators"))
    new = operator("add", "people:add_operator")
    new.add_argument("name", metavar="NAME")
    new.add_argument("--role", choices=[role.value for role in Role], required=True)
    password = operator("password", "people:set_password")
    password.add_argument("name", metavar="NAME")
    for each in (new, password):
        each.add_argument(
            "--new-password-file", type=Path, metavar="FILE", help=t("cli.option.new_password")
        )
        add_person(each)
        add_json(each)
