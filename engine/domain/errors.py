"""What can go wrong in the business, as types. Text lives in the catalogs under `error.<code>`."""


class DomainError(Exception):
    """A request that the rules refuse. Safe to show to an operator; nothing was changed."""

    code = "domain"

    def __init__(self, **params: object) -> None:
        super().__init__(f"{self.code}: {params}")
        self.params = params


class BadAmount(DomainError):
    """Not an amount of money: empty, letters, three decimals, zero or negative."""

    code = "bad_amount"


class BadEnergy(DomainError):
    """Not a meter's total in kWh: empty, letters, negative, or too many digits."""

    code = "bad_energy"


class NoMeters(DomainError):
    """Nothing was picked."""

    code = "no_meters"


class NoSuchMeter(DomainError):
    code = "no_such_meter"


class NotOpened(DomainError):
    """The meter is on no tenant's account (未开户)."""

    code = "not_opened"


class NotPrepaid(DomainError):
    code = "not_prepaid"


class MeterRetired(DomainError):
    code = "meter_retired"


class MeterFrozen(DomainError):
    """In suspense, or somebody else sold to it: a person must look first."""

    code = "meter_frozen"


class MeterLockedOut(DomainError):
    """检修挂牌: somebody works behind the meter, and nothing may close it."""

    code = "meter_locked_out"


class MeterProtected(DomainError):
    """A fire pump, a lift, a cold store: never tripped from here."""

    code = "meter_protected"


class SwitchOvertaken(DomainError):
    """Something newer stands against a switch not sent yet; `why`: `newer_switch`, `sold_since`."""

    code = "switch_overtaken"


class AlreadyLockedOut(DomainError):
    """Somebody's lock hangs there already; `holder` says whose."""

    code = "already_locked_out"


class NotLockedOut(DomainError):
    code = "not_locked_out"


class MeterHeld(DomainError):
    """Held on for a time: that order is ended first."""

    code = "meter_held"


class NotHoldable(DomainError):
    """The meter cannot be held for a time; `why`: `held`, `tripped`."""

    code = "not_holdable"


class BadUntil(DomainError):
    """Not a time an order may last to; `why`: `past`, `too_long`, `used_up`, `number`."""

    code = "bad_until"


class BadLimit(DomainError):
    """Not a power to limit a meter to; `why`: `number`, `range`, `not_lower`."""

    code = "bad_limit"


class TemporaryOpen(DomainError):
    """The meter has such an order for a time already."""

    code = "temporary_open"


class NoSuchTemporary(DomainError):
    code = "no_such_temporary"


class TemporaryOver(DomainError):
    """The order has ended, or is being taken back already."""

    code = "temporary_over"


class GuardCountDiffers(DomainError):
    """Not the number of meters that would be held now; `number` says how many are."""

    code = "guard_count_differs"


class CommandOpen(DomainError):
    """A counted command to this meter is still under way."""

    code = "command_open"


class CreditCeilingExceeded(DomainError):
    """The sale would leave more credit in the meter than it may hoard (囤积)."""

    code = "credit_ceiling_exceeded"


class RequestIdReused(DomainError):
    """The same request id came with other contents."""

    code = "request_id_reused"


class CountMoved(DomainError):
    """The meter's purchase count is not the one the books know: somebody else sold, or a reset."""

    code = "count_moved"


class NoSuchCommand(DomainError):
    code = "no_such_command"


class Forbidden(DomainError):
    code = "forbidden"


class BadLogin(DomainError):
    """Name or password wrong; which of them is not said."""

    code = "bad_login"


class LockedOut(DomainError):
    """Too many wrong passwords; `wait_s` says how long."""

    code = "locked_out"


class WeakPassword(DomainError):
    code = "weak_password"


class NotVoidable(DomainError):
    """The sale has left, or its undo window is over."""

    code = "not_voidable"


class NoReceipt(DomainError):
    """Only a sale that the meter has proved has a receipt."""

    code = "no_receipt"


class NoSuchReceipt(DomainError):
    code = "no_such_receipt"


class NotGenuine(DomainError):
    """A receipt's code that this site's key did not make; `why` says what is wrong with it."""

    code = "not_genuine"


class BadName(DomainError):
    """Empty, too long, or with characters that do not print."""

    code = "bad_name"


class NameTaken(DomainError):
    code = "name_taken"


class NoSuchOperator(DomainError):
    code = "no_such_operator"


class SiteInUse(DomainError):
    """A new site needs a directory that is absent or empty."""

    code = "site_in_use"


class ApprovalNeeded(DomainError):
    """From this amount on a second person must approve; `limit` says from which."""

    code = "approval_needed"


class LockHeld(ApprovalNeeded):
    """Another's lock: only its holder takes it off alone; `holder` says who that is."""

    code = "lock_held"


class NotApprovable(DomainError):
    """The second person may not approve this: the same person, or without the right."""

    code = "not_approvable"


class NoSuchApproval(DomainError):
    code = "no_such_approval"


class ApprovalClosed(DomainError):
    """The request waits no longer: `why` is `declined`, `expired`, `done`, or `in_hand`."""

    code = "approval_closed"


class NotDecidable(DomainError):
    """The command is none that two persons decide; `why`: `under_way`, `ended`, `count_used`."""

    code = "not_decidable"


class NotFreeable(DomainError):
    """The meter cannot be freed; `why`: `not_frozen`, `undecided`, `no_reading`, `old_reading`."""

    code = "not_freeable"


class NoReason(DomainError):
    """The verb asks for a reason, and none was given."""

    code = "no_reason"


class NotReversible(DomainError):
    """The sale cannot be reversed; `why` says what stands against it."""

    code = "not_reversible"


class NotRefundable(DomainError):
    """More than the meter holds, or nothing that a read-back could prove."""

    code = "not_refundable"


class NotTransferable(DomainError):
    code = "not_transferable"


class NothingPayable(DomainError):
    """Nothing waits to be paid out for this command, or it was paid already."""

    code = "nothing_payable"


class NoSuchTenant(DomainError):
    code = "no_such_tenant"


class TenantClosed(DomainError):
    code = "tenant_closed"


class PayKindOff(DomainError):
    """The office does not take this kind of payment (money.pay_kinds)."""

    code = "pay_kind_off"


class ShiftOpen(DomainError):
    """The operator has an open shift: it is closed before another is opened."""

    code = "shift_open"


class NoOpenShift(DomainError):
    code = "no_open_shift"


class NoSuchShift(DomainError):
    """No closed shift has that number."""

    code = "no_such_shift"


class NotCounted(DomainError):
    """A kind of payment lies in the till, and no count was given for it."""

    code = "not_counted"


class NotExplained(DomainError):
    """Counted is not expected, and nobody says why."""

    code = "not_explained"


class NotHandedOver(DomainError):
    """Commands of the shift are not decided: `commands` names them, somebody must mind them."""

    code = "not_handed_over"


class NotForHandOver(DomainError):
    """Cannot mind the commands: closes this shift, is disabled, or has no right to sell."""

    code = "not_for_hand_over"


class DepositTooSmall(DomainError):
    """More was to be given back than the tenant has deposited."""

    code = "deposit_too_small"


class BadTenantNumber(DomainError):
    code = "bad_tenant_number"


class BadTenantName(DomainError):
    """Empty, too long, with characters that do not print, or a spreadsheet's formula."""

    code = "bad_tenant_name"


class BadPhone(DomainError):
    """`part` is no phone number."""

    code = "bad_phone"


class BadIdNumber(DomainError):
    """Neither 身份证 nor 统一社会信用代码; `why` says what is wrong with it."""

    code = "bad_id_number"


class BadLease(DomainError):
    """Not a day, or the lease ends before it begins."""

    code = "bad_lease"


class BadFeePct(DomainError):
    code = "bad_fee_pct"


class BadNote(DomainError):
    code = "bad_note"


class TenantNumberTaken(DomainError):
    code = "tenant_number_taken"


class NoSuchTariff(DomainError):
    code = "no_such_tariff"


class BadTariff(DomainError):
    """Not a version of a tariff: `where` is the column, `number` the part or step of it,
    `found` what stands there, `why` what is wrong.
    """

    code = "bad_tariff"


class BadTariffName(DomainError):
    code = "bad_tariff_name"


class NoSuchVersion(DomainError):
    """No version of that tariff begins on that day, or it was withdrawn."""

    code = "no_such_version"


class TariffPublished(DomainError):
    """A version of that day is published: it is never edited."""

    code = "tariff_published"


class TariffBackdated(DomainError):
    """What was used at other prices is not priced anew."""

    code = "tariff_backdated"


class TariffBegun(DomainError):
    """The version is in force or was: it is not withdrawn, a new one follows it."""

    code = "tariff_begun"


class PriceAsked(DomainError):
    """Prices out of the ordinary; `questions`: (code, rate, step, price), texts `tariff_rule.`."""

    code = "price_asked"


class BadSpecialDay(DomainError):
    code = "bad_special_day"


class NoSuchChange(DomainError):
    code = "no_such_change"


class ChangeSettled(DomainError):
    code = "change_settled"


class NothingToSettle(DomainError):
    """The change cost nothing, or nobody knows yet what; `why` says which."""

    code = "nothing_to_settle"


class BadThresholds(DomainError):
    """Alarm 2 above alarm 1, or a limit that no meter can hold."""

    code = "bad_thresholds"


class BadSetting(DomainError):
    """Not a value that a meter can be asked to hold; `name` and `why` say what is wrong."""

    code = "bad_setting"


class AbsurdSetting(DomainError):
    """Possible, and hardly meant: to be said again, on purpose."""

    code = "absurd_setting"


class BadTimeControl(DomainError):
    """Not switch times of a day (时控); `why` and `part` say where."""

    code = "bad_time_control"


class NoSuchScope(DomainError):
    """No building or model of that name; `why` says which was looked for."""

    code = "no_such_scope"


class AlreadyOpen(DomainError):
    """The meter is on an account; `number` and `name` say whose."""

    code = "already_open"


class MeterPlanned(DomainError):
    """The meter is kept for another tenant (预开户)."""

    code = "meter_planned"


class MeterInExchange(DomainError):
    """It is being exchanged: nothing is sold to it, taken from it or opened meanwhile."""

    code = "meter_in_exchange"


class NothingPlanned(DomainError):
    """One-key opening of a tenant for whom no meter was planned."""

    code = "nothing_planned"


class NotClosable(DomainError):
    """The account or meter cannot be closed as asked; `why` says what stands against it."""

    code = "not_closable"


class NoSuchExchange(DomainError):
    code = "no_such_exchange"


class NotExchangeable(DomainError):
    """A step of a meter exchange cannot be done; `why` says what stands against it."""

    code = "not_exchangeable"


class TotalDiffers(DomainError):
    """The amounts of a file do not add up to the total that was declared."""

    code = "total_differs"


class BadSelection(DomainError):
    """Which meters are meant cannot be told; `why` says where and what is wrong."""

    code = "bad_selection"


class BadBatch(DomainError):
    """An option that the verb does not take, or a value nobody can use."""

    code = "bad_batch"


class PlanStale(DomainError):
    """What was planned is no longer so: `serials` names what changed since."""

    code = "plan_stale"


class ConfirmNumber(DomainError):
    """The number typed is not the number of meters that would be changed."""

    code = "confirm"


class NoSuchBatch(DomainError):
    code = "no_such_batch"


class BatchEnded(DomainError):
    """It is done or cancelled, or not in the state that was asked of it."""

    code = "batch_ended"


class FileExists(DomainError):
    """What would be written over is somebody's file."""

    code = "file_exists"


class StaleEngine(Exception):
    """An engine whose lease, or the state it believed in, is another's now: nothing was written.

    Not a DomainError: no operator did anything wrong, and the engine must stop, not report.
    """
