"""What is asked of a meter's credit and relay, besides a sale."""

from console.arguments.options import Parser, Verb, add_approver, add_ask, add_pay, add_verb_options
from engine.i18n import t

SWITCHES = ("trip", "hold", "resume")


def add(verb: Verb) -> None:
    _add_refunds(verb)
    transfer = verb("transfer", "verbs:transfer")
    transfer.add_argument("source", metavar="FROM", help=t("cli.option.serial"))
    transfer.add_argument("target", metavar="TO", help=t("cli.option.serial"))
    _add_amount(transfer)
    _add_reason(transfer)
    add_approver(transfer)
    add_ask(transfer)
    add_verb_options(transfer)
    aim = verb("aim", "verbs:aim")
    aim.add_argument(
        "transfer", type=int, nargs="?", metavar="TRANSFER", help=t("cli.option.transfer")
    )
    aim.add_argument("serial", nargs="?", metavar="SERIAL", help=t("cli.option.serial"))
    add_approver(aim)
    add_verb_options(aim)
    for name in SWITCHES:
        switch = verb(name, "verbs:switch")
        switch.add_argument("serial", metavar="SERIAL", help=t("cli.option.serial"))
        switch.set_defaults(verb=name)
        _add_reason(switch)
        add_verb_options(switch)
    download = verb("download", "verbs:download")
    download.add_argument("serial", metavar="SERIAL", help=t("cli.option.serial"))
    add_verb_options(download)


def _add_refunds(verb: Verb) -> None:
    refund = verb("refund", "verbs:refund")
    refund.add_argument("serial", metavar="SERIAL", help=t("cli.option.serial"))
    _add_amount(refund)
    add_pay(refund, required=False)
    refund.set_defaults(pay="cash")
    reverse = verb("reverse", "verbs:reverse")
    reverse.add_argument("command", type=int, metavar="COMMAND", help=t("cli.option.command"))
    for each in (refund, reverse):
        each.add_argument("--no-payout", action="store_true", help=t("cli.option.no_payout"))
        _add_reason(each)
        add_approver(each)
        add_ask(each)
        add_verb_options(each)
    payout = verb("payout", "verbs:payout")
    payout.add_argument(
        "command", type=int, nargs="?", metavar="COMMAND", help=t("cli.option.command")
    )
    add_pay(payout, required=False)
    payout.set_defaults(pay="cash")
    add_verb_options(payout)


def _add_amount(parser: Parser) -> None:
    parser.add_argument("yuan", metavar="YUAN", help=t("cli.option.yuan_or_all"))


def _add_reason(parser: Parser) -> None:
    parser.add_argument("--reason", required=True, metavar="TEXT", help=t("cli.option.reason"))
