"""Drift: by how much a meter's balance parts from what purchases, use and prices explain.

Followed from reading to reading. Each step adds to the drift what it cannot explain, exactly, so
that beginning a step anew (at each reading, or where a price changed) hides nothing.
"""

import datetime as dt
import json
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any, Self

from engine.domain.units import cost_fen_max, fen

FEN_A_WH = Decimal(10)  # a price in yuan/kWh, by Wh, divided by this: fen


@dataclass(frozen=True, slots=True)
class Point:
    """What one accepted reading says, and what the books say at that moment.

    `prices` as read back from the meter (yuan/kWh, by rate; empty: not known; all 0 where the
    meter deducts nothing). `explained_fen`: everything that was ever put into this meter's credit
    or taken out of it, use and take-over apart. `installation` is whose meter it is.
    """

    at: dt.datetime
    balance_fen: int
    count: int
    rates_wh: tuple[int, ...]
    step_wh: int
    prices: tuple[Decimal, ...]
    explained_fen: int
    installation: int


@dataclass(frozen=True, slots=True)
class Track:
    """Drift up to a point. `drift_fen` is exact, None where it is not known (never 0 then).

    `moved_*`: what came into the meter, net of use, in the step in which its count moved last.
    """

    point: Point
    drift_fen: Decimal | None = None
    since: dt.datetime | None = None  # from where on it is reckoned
    moved_fen: int | None = None
    moved_from: dt.datetime | None = None

    @property
    def whole_fen(self) -> int | None:
        """The drift in whole fen, half up."""
        return None if self.drift_fen is None else fen(self.drift_fen / 100)

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        kept: dict[str, Any] = json.loads(text)
        point = kept["point"]
        return cls(
            Point(
                **{
                    **point,
                    "at": dt.datetime.fromisoformat(point["at"]),
                    "rates_wh": tuple(point["rates_wh"]),
                    "prices": tuple(Decimal(price) for price in point["prices"]),
                }
            ),
            None if kept["drift_fen"] is None else Decimal(kept["drift_fen"]),
            _instant(kept["since"]),
            kept["moved_fen"],
            _instant(kept["moved_from"]),
        )


def follow(track: Track | None, seen: Point) -> Track:
    """The track, one accepted reading further.

    A new tenant begins with what was taken over: without drift. Where prices are not known, or
    energy cannot be compared (a register fell, a ratio changed), nothing is reckoned for the
    step; drift found before stays.
    """
    if track is None or track.point.installation != seen.installation:
        return _begun(Track(seen), seen)
    before = track.point
    gap = unexplained_fen(before, seen)
    drift_fen = track.drift_fen
    if drift_fen is not None and gap is not None:
        drift_fen += gap
    further = replace(track, point=seen, drift_fen=drift_fen)
    if seen.count != before.count:
        rise = gap if gap is not None else Decimal(_rise_fen(before, seen))
        further = replace(further, moved_fen=fen(rise / 100), moved_from=before.at)
    return _begun(further, seen)


def _begun(track: Track, seen: Point) -> Track:
    """Reckoned from here on, where prices are known now and were not."""
    if track.drift_fen is not None or not _priced(seen):
        return track
    return replace(track, drift_fen=Decimal(0), since=seen.at)


def unexplained_fen(before: Point, seen: Point) -> Decimal | None:
    """What the step from `before` to `seen` cannot explain, exact; None: it cannot be said.

    Where the prices changed in between, any mixture of the old and the new is an explanation.
    """
    if not _comparable(before, seen):
        return None
    rise_fen = Decimal(_rise_fen(before, seen))
    used_wh = [now - then for then, now in zip(before.rates_wh, seen.rates_wh, strict=True)]
    pairs = [sorted(pair) for pair in zip(before.prices, seen.prices, strict=True)]
    least = rise_fen + _cost_fen(used_wh, [low for low, _ in pairs])
    most = rise_fen + _cost_fen(used_wh, [high for _, high in pairs])
    return least if least > 0 else min(most, Decimal(0))


def _rise_fen(before: Point, seen: Point) -> int:
    explained_fen = seen.explained_fen - before.explained_fen
    return seen.balance_fen - before.balance_fen - explained_fen


def _cost_fen(used_wh: list[int], prices: list[Decimal]) -> Decimal:
    costs = (wh * price / FEN_A_WH for wh, price in zip(used_wh, prices, strict=True))
    return sum(costs, Decimal(0))


def _priced(point: Point) -> bool:
    return bool(point.prices) and len(point.prices) == len(point.rates_wh)


def _comparable(before: Point, seen: Point) -> bool:
    return (
        _priced(before)
        and _priced(seen)
        and before.step_wh == seen.step_wh
        and len(before.rates_wh) == len(seen.rates_wh)
        and all(now >= then for then, now in zip(before.rates_wh, seen.rates_wh, strict=True))
    )


def uncertainty_fen(point: Point) -> int:
    """What a meter may have deducted and not yet counted: one step of each rate, and 1 fen."""
    return sum(cost_fen_max(point.step_wh, price) for price in point.prices) + 1


def alarming(track: Track, *, limit_fen: int, already: bool) -> bool:
    """Is the drift beyond the limit? Once it was, it is so until it is below half of it."""
    if track.whole_fen is None:
        return False
    bound_fen = limit_fen // 2 if already else limit_fen
    return abs(track.whole_fen) > bound_fen + uncertainty_fen(track.point)


def _instant(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)
