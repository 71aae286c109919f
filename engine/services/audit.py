"""Who did what, to what, from which values to which."""

import json
from collections.abc import Mapping

from engine import clock
from engine.services import chain
from models.people import AuditEntry

SYSTEM = "system"  # whoever owns the site's files, or the engine itself


def write(
    operator_name: str, action: str, subject: str = "", detail: Mapping[str, object] | None = None
) -> AuditEntry:
    """One line of the log, inside the caller's write_transaction: it stands with the deed."""
    text = json.dumps(detail or {}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return chain.append(
        AuditEntry(
            at=clock.now(), operator=operator_name, action=action, subject=subject, detail=text
        )
    )
