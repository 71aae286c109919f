"""What only several rows together can tell: names that must exist, places that are taken."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from engine.services.import_plan import Plan, Record
from engine.services.import_stored import KnownMeter, Stored, end_of
from engine.tables import Problem
from models.enums import LinkKind, MeterKind, Security

METERS_A_LINE = 30  # more load the bus (RS485: 32 units) and cannot be read in time
CARRIED_W_MAX = 66_000  # three phases of 220 V and 100 A, without a transformer
SERVED_LINKS = frozenset({LinkKind.RTU_TCP, LinkKind.SERIAL})


@dataclass(frozen=True)
class Names:
    """Everything that may be referred to: stored, or in the same import."""

    buildings: AbstractSet[str]
    lines: AbstractSet[str]
    tariffs: AbstractSet[str]
    meters: AbstractSet[str]


def check(plan: Plan, stored: Stored, models: Collection[str]) -> None:
    """Add to `plan` every error and warning its rows give together; `models` are the known ones."""
    names = Names(
        buildings=stored.buildings | plan.named["buildings"],
        lines=stored.lines.keys() | plan.named["lines"],
        tariffs=stored.tariffs | plan.named["tariffs"],
        meters=stored.meters.keys() | plan.named["meters"],
    )
    for line in plan.records["lines"]:
        plan.errors.extend(_line_errors(line, names))
        plan.warnings.extend(_line_warnings(line))
    _check_ends(plan, stored)
    _check_gateways(plan)
    for meter in plan.records["meters"]:
        plan.errors.extend(_meter_errors(meter, names, models))
        plan.errors.extend(_change_errors(meter, stored))
        plan.warnings.extend(_meter_warnings(meter, stored))
    _check_addresses(plan, stored)
    _check_tenants(plan, stored, names)


def _names(plan: Plan, table: str, field: str) -> frozenset[object]:
    return frozenset(record[field] for record in plan.records[table])


def _line_errors(line: Record, names: Names) -> Iterator[Problem]:
    if line["building"] not in names.buildings:
        yield line.problem("unknown_building", "building", found=line["building"])
    wanted = ("device",) if line["link"] is LinkKind.SERIAL else ("host", "port")
    for column in wanted:
        if not line[column]:
            yield line.problem("end_missing", column, link=line["link"])


def _line_warnings(line: Record) -> Iterator[Problem]:
    if line["link"] not in SERVED_LINKS:
        yield line.problem("link_not_served", "link", found=line["link"])
    if line["security"] is not Security.NONE:
        yield line.problem("security_not_served", "security", found=line["security"])


def _check_ends(plan: Plan, stored: Stored) -> None:
    """Two lines cannot share a port: each has one owner."""
    here = _names(plan, "lines", "name")
    taken = {end: name for name, end in stored.lines.items() if name not in here}
    for line in plan.records["lines"]:
        end = end_of(line["link"], line["host"], line["port"], line["device"])
        owner = taken.setdefault(end, str(line["name"]))
        if owner != line["name"]:
            column = "device" if line["link"] is LinkKind.SERIAL else "port"
            plan.errors.append(line.problem("end_taken", column, found=end, line=owner))


def _check_gateways(plan: Plan) -> None:
    buildings: dict[object, object] = {}
    for line in plan.records["lines"]:
        first = buildings.setdefault(line["gateway"], line["building"])
        if first != line["building"]:
            plan.errors.append(
                line.problem("gateway_in_two", "building", gateway=line["gateway"], first=first)
            )


def _meter_errors(meter: Record, names: Names, models: Collection[str]) -> Iterator[Problem]:
    if meter["model"] not in models:
        known = ", ".join(sorted(models))
        yield meter.problem("unknown_model", "model", found=meter["model"], known=known)
    if meter["line"] not in names.lines:
        yield meter.problem("unknown_line", "line", found=meter["line"])
    if meter["building"] not in names.buildings:
        yield meter.problem("unknown_building", "building", found=meter["building"])
    tariff = meter.values.get("tariff")
    if tariff and tariff not in names.tariffs:
        yield meter.problem("unknown_tariff", "tariff", found=tariff)
    ratio, overload_w = meter.values.get("ct_ratio"), meter.values.get("overload_w")
    high = CARRIED_W_MAX * (ratio if isinstance(ratio, int) else 1)
    if isinstance(overload_w, int) and overload_w > high:
        yield meter.problem("bad_number", "overload_w", found=overload_w, low=0, high=high)
    parent = meter.values.get("parent")
    if parent and parent == meter["serial"]:
        yield meter.problem("own_parent", "parent")
    elif parent and parent not in names.meters:
        yield meter.problem("unknown_meter", "parent", found=parent)


def _change_errors(meter: Record, stored: Stored) -> Iterator[Problem]:
    """What an import must not do to a meter that is already in use."""
    known = stored.meters.get(str(meter["serial"]))
    if known is None:
        return
    if known.retired:
        yield meter.problem("meter_retired", "serial", found=meter["serial"])
    if known.model != meter["model"] and known.has_history:
        yield meter.problem("model_changed", "model", found=meter["model"], was=known.model)
    if known.kind is not meter["kind"] and (known.tenant or known.has_history):
        yield meter.problem("kind_changed", "kind", found=meter["kind"], was=known.kind)
    if known.busy and _place(known) != (meter["line"], meter["address"]):
        yield meter.problem("meter_busy", "line", found=meter["serial"])


def _meter_warnings(meter: Record, stored: Stored) -> Iterator[Problem]:
    known = stored.meters.get(str(meter["serial"]))
    if known and known.has_history and _place(known) != (meter["line"], meter["address"]):
        was = "{} / {}".format(*_place(known))
        yield meter.problem("meter_moved", "line", serial=meter["serial"], was=was)
    first, second = meter.values.get("alarm1_fen"), meter.values.get("alarm2_fen")
    if isinstance(first, int) and isinstance(second, int) and second > first:
        yield meter.problem("alarms_crossed", "alarm2_yuan")


def _place(known: KnownMeter) -> tuple[str, int]:
    return known.line, known.address


def _check_addresses(plan: Plan, stored: Stored) -> None:
    """One meter an address; a line with more than METERS_A_LINE is said once."""
    here = _names(plan, "meters", "serial")
    taken: dict[tuple[object, object], object] = {
        _place(known): serial
        for serial, known in stored.meters.items()
        if not known.retired and serial not in here
    }
    crowd: Counter[object] = Counter(line for line, _ in taken)
    for meter in plan.records["meters"]:
        owner = taken.setdefault((meter["line"], meter["address"]), meter["serial"])
        if owner != meter["serial"]:
            plan.errors.append(
                meter.problem("address_taken", "address", found=meter["address"], serial=owner)
            )
        crowd[meter["line"]] += 1
        if crowd[meter["line"]] == METERS_A_LINE + 1:
            plan.warnings.append(
                meter.problem("line_crowded", "line", found=meter["line"], limit=METERS_A_LINE)
            )


def _check_tenants(plan: Plan, stored: Stored, names: Names) -> None:
    """A meter has one tenant at a time; whose it is already, no import takes away."""
    has: defaultdict[str | None, set[str]] = defaultdict(set)
    for serial, known in stored.meters.items():
        has[known.tenant].add(serial)
    owners: dict[str, object] = {}
    _check_planned(plan, stored, names)
    for tenant in plan.records["tenants"]:
        number, serials = tenant["number"], _serials(tenant)
        plan.errors.extend(_tenant_errors(tenant, stored, names))
        for serial in serials:
            first = owners.setdefault(serial, number)
            if first != number:
                plan.errors.append(
                    tenant.problem("meter_of_other", "meters", found=serial, tenant=first)
                )
        if kept := has[str(number)].difference(serials):
            found = "; ".join(sorted(kept))
            plan.warnings.append(tenant.problem("meters_kept", "meters", found=found))


def _tenant_errors(tenant: Record, stored: Stored, names: Names) -> Iterator[Problem]:
    if tenant["number"] in stored.closed_accounts:
        yield tenant.problem("tenant_closed", "number", found=tenant["number"])
    first, last = tenant.values.get("lease_from"), tenant.values.get("lease_to")
    if first and last and str(first) > str(last):
        yield tenant.problem("lease_order", "lease_to", found=last, first=first)
    for serial in _serials(tenant):
        if serial not in names.meters:
            yield tenant.problem("unknown_meter", "meters", found=serial)
        known = stored.meters.get(serial)
        if known and known.tenant not in (None, tenant["number"]):
            yield tenant.problem("meter_of_other", "meters", found=serial, tenant=known.tenant)


def _check_planned(plan: Plan, stored: Stored, names: Names) -> None:
    """A meter is kept for one tenant (预开户), whoever has it now; newly opened for no other."""
    kinds = {meter["serial"]: meter["kind"] for meter in plan.records["meters"]}
    said = {tenant["number"] for tenant in plan.records["tenants"] if "planned" in tenant.values}
    keeps = {serial: number for serial, number in stored.planned.items() if number not in said}
    for tenant in plan.records["tenants"]:
        number = tenant["number"]
        for serial in tenant.values.get("planned", ()):
            known = stored.meters.get(serial)
            if serial not in names.meters:
                plan.errors.append(tenant.problem("unknown_meter", "planned", found=serial))
            elif kinds.get(serial, known.kind if known else None) is MeterKind.ORDINARY:
                plan.errors.append(tenant.problem("planned_ordinary", "planned", found=serial))
            whose = keeps.setdefault(serial, number)
            if whose != number:
                plan.errors.append(
                    tenant.problem("meter_kept", "planned", found=serial, tenant=whose)
                )
        for serial in _serials(tenant):
            known = stored.meters.get(serial)
            whose = stored.planned.get(serial, number)
            new = known is not None and known.tenant is None
            if new and whose not in said and whose != number:
                plan.errors.append(
                    tenant.problem("meter_kept", "meters", found=serial, tenant=whose)
                )


def _serials(tenant: Record) -> tuple[str, ...]:
    serials: tuple[str, ...] = tenant["meters"]
    return serials
