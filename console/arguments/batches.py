"""Batches: one verb over many meters, planned, confirmed by its number, followed."""

from pathlib import Path

from console.arguments.options import (
    Parser,
    Verb,
    add_approver,
    add_ask,
    add_json,
    add_person,
    add_verb_options,
    family,
)
from engine.i18n import t
from models.enums import BatchVerb


def add(verb: Verb, anywhere: Parser) -> None:
    batch = family(verb, "batch", "batches:listed", anywhere)
    for each in BatchVerb:
        _add_verb(batch, each)
    add_json(batch("list", "batches:listed"))
    _add_number(show := batch("show", "batches:show"))
    _add_result(show)
    add_json(show)
    for name in ("pause", "cancel"):
        _add_number(member := batch(name, f"batches:{name}"))
        add_person(member)
        add_json(member)
    _add_number(retry := batch("retry", "batches:retry"))
    _add_start(retry)


def _add_verb(batch: Verb, each: BatchVerb) -> None:
    made = batch(each.value, "batches:verb")
    made.set_defaults(verb=each.value)
    made.add_argument(
        "--select", action="append", default=[], metavar="WHICH", help=t("cli.option.select")
    )
    made.add_argument("--resume", type=int, metavar="ID", help=t("cli.option.batch_resume"))
    if each in (BatchVerb.PRICE, BatchVerb.SETTINGS):
        made.add_argument("--names", metavar="NAME,…", help=t("cli.option.batch_names"))
    if each is BatchVerb.HOLD:
        made.add_argument("--until", metavar="TIME", help=t("cli.option.batch_until"))
    if each is BatchVerb.EXPORT:
        made.add_argument("--fresh", action="store_true", help=t("cli.option.batch_fresh"))
    made.add_argument("--unopened", action="store_true", help=t("cli.option.batch_unopened"))
    made.add_argument("--override", action="store_true", help=t("cli.option.batch_override"))
    _add_start(made)


def _add_start(made: Parser) -> None:
    made.add_argument("--dry-run", action="store_true", help=t("cli.option.dry_run"))
    made.add_argument("--confirm", type=int, metavar="N", help=t("cli.option.confirm"))
    made.add_argument("--reason", default="", metavar="TEXT", help=t("cli.option.why"))
    _add_result(made)
    add_approver(made)
    add_ask(made)
    add_verb_options(made)


def _add_number(made: Parser) -> None:
    made.add_argument("batch", type=int, metavar="ID", help=t("cli.option.batch"))


def _add_result(made: Parser) -> None:
    made.add_argument("--result", type=Path, metavar="FILE", help=t("cli.option.batch_result"))
