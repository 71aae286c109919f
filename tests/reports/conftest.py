"""Reports are about what services did: the same fixtures."""

from tests.services.conftest import (  # noqa: F401 (fixtures)
    lease,
    picture,
    poll,
    prove,
    sell,
    send,
    settle,
)
