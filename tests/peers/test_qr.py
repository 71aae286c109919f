"""Our QR codes read by zbar."""

import pytest

from engine import qr
from tests.scanned import printed, scanned

pytestmark = pytest.mark.peer

CODES = ["468DXQK706RTNQ49G0HG3J2CS00GCX164S60EYK2GM", "0" * 39, "Z" * 45, "7" * 61]


@pytest.mark.parametrize("code", CODES)
def test_zbar_reads_half_blocks_and_signs(tmp_path, code):
    blocks = qr.half_blocks(qr.modules(code))
    assert scanned(printed(blocks, len(blocks[0])), tmp_path) == code

    signs = qr.signs(qr.modules(code, quiet=4))
    rows = [[char == "#" for char in line[::2]] for line in signs]
    assert scanned(rows, tmp_path) == code
