"""The makers' own codes and their cipher, by the vectors of the reference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bus.private import (
    ControlResponse,
    Decoder,
    IdentifyResponse,
    KeyRequest,
    PrepayRequest,
    PrepayResponse,
    decipher,
    encipher,
)

V1_KEY = bytes.fromhex("6163 7265 6C33 3231")
V1_PLAIN = bytes.fromhex("01 20 01 00 00 04 08 00 00 27 10 00 06 00 00 A3 DE")
V1 = bytes.fromhex("32 7C FF AA 63 C3 82 E2 F4 29 F7 E0 C2 60 4A 3F 27 EF 4F 92")
V2_KEY = bytes.fromhex("1234 5678 9ABC DEF0")
V2_PLAIN = bytes.fromhex("02 20 01 00 00 04 08 00 00 C3 50 00 01 00 00 47 35")
V2 = bytes.fromhex("FE 51 36 27 D7 B0 AA 41 F4 90 05 46 4D A7 D3 D8 53 7C 40 55")


@pytest.mark.parametrize(
    ("key", "plain", "ciphered"),
    [
        pytest.param(V1_KEY, V1_PLAIN, V1, id="V1"),
        pytest.param(V2_KEY, V2_PLAIN, V2, id="V2"),
        pytest.param(V1_KEY, bytes.fromhex("01200100"), bytes.fromhex("327CFFAA"), id="one block"),
        pytest.param(V1_KEY, bytes(4), bytes.fromhex("14DD4A70"), id="a block of zeros"),
    ],
)
def test_the_cipher_gives_the_vectors_of_the_reference(
    key: bytes, plain: bytes, ciphered: bytes
) -> None:
    assert encipher(plain, key) == ciphered
    assert decipher(ciphered, key) == plain + bytes(-len(plain) % 4)


@given(st.binary(min_size=4, max_size=72), st.binary(min_size=8, max_size=8))
def test_what_is_enciphered_deciphers_to_itself_with_its_zero_tail(
    frame: bytes, key: bytes
) -> None:
    ciphered = encipher(frame, key)

    assert len(ciphered) % 4 == 0
    assert decipher(ciphered, key) == frame + bytes(-len(frame) % 4)


@given(st.binary(min_size=1, max_size=30), st.booleans())
def test_the_decoder_never_raises_on_what_a_line_may_bring(frame: bytes, is_server: bool) -> None:
    for function in (0x03, 0x11, 0x20, 0xAA, 0xAB):
        Decoder(is_server=is_server).decode(bytes((function,)) + frame)


def test_aa_is_a_reply_and_not_an_exception() -> None:
    reply = Decoder(is_server=False).decode(bytes.fromhex("AA 0046 001C"))

    assert isinstance(reply, PrepayResponse)
    assert not reply.isError()
    assert (reply.address, reply.count) == (0x46, 28)


def test_a_single_byte_under_aa_is_an_exception() -> None:
    reply = Decoder(is_server=False).decode(bytes.fromhex("AA 04"))

    assert reply is not None
    assert reply.isError()
    assert reply.exception_code == 4


@pytest.mark.parametrize(("code", "kind"), [(0xAA, PrepayRequest), (0xAB, KeyRequest)])
def test_a_server_knows_aa_and_ab_as_requests(code: int, kind: type) -> None:
    request = Decoder(is_server=True).decode(bytes((code,)) + bytes.fromhex("6601 0001 02 1234"))

    assert isinstance(request, kind)
    assert request.data == b"\x12\x34"


def test_a_write_whose_byte_count_does_not_fit_is_no_request() -> None:
    assert Decoder(is_server=True).decode(bytes.fromhex("20 0100 0004 02 0000")) is None


def test_what_a_meter_adds_to_its_echo_is_kept() -> None:
    reply = Decoder(is_server=False).decode(bytes.fromhex("20 0100 0004 AABBCC"))

    assert isinstance(reply, ControlResponse)
    assert reply.extra == bytes.fromhex("AABBCC")


@pytest.mark.parametrize(("word", "version"), [("006B", "V107"), ("8003", "T3")])
def test_identify_tells_a_trial_version(word: str, version: str) -> None:
    reply = IdentifyResponse(bytes.fromhex(f"0007 0000 {word} 00000000"))

    assert (reply.type_code, reply.version) == (7, version)
