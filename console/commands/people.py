"""operator list, add, password: who may sign in."""

import argparse

from console.commands.site import new_password, opened, person
from console.failures import Status, print_json
from engine import clock
from engine.i18n import t
from engine.services import operators
from models.enums import Role
from models.people import Operator


def list_operators(args: argparse.Namespace) -> int:
    """Names and roles; no secret is in it."""
    with opened(args):
        found = [_row(operator) for operator in Operator.select().order_by(Operator.name)]
    if getattr(args, "json", False):
        print_json(found)
    else:
        for each in found:
            print(t("cli.operator", **{**each, "role": t(f"cli.role.{each['role']}")}))
    return Status.DONE


def add_operator(args: argparse.Namespace) -> int:
    with opened(args):
        by = person(args)
        password = new_password(args.new_password_file, who=args.name)
        made = operators.create(args.name, password, Role(args.role), at=clock.now(), by=by)
        _say(made, "operator_added", json=args.json)
    return Status.DONE


def set_password(args: argparse.Namespace) -> int:
    """Anyone may change their own; others' only who may change people."""
    with opened(args):
        by = person(args)
        password = new_password(args.new_password_file, who=args.name)
        operators.set_password(args.name, password, by=by)
        _say(Operator.get(Operator.name == args.name), "password_set", json=args.json)
    return Status.DONE


def _row(operator: Operator) -> dict[str, object]:
    disabled = operator.disabled_at is not None
    return {"name": operator.name, "role": operator.role, "disabled": disabled}


def _say(operator: Operator, done: str, *, json: bool) -> None:
    if json:
        print_json(_row(operator))
    else:
        print(t(f"cli.{done}", name=operator.name))
