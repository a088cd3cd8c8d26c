"""How octets are written for a provider: base32 without padding, or UUIDv8. Keeps nothing, knows no key."""

_ALPHABET = bytes.maketrans(bytes(range(32)), b"abcdefghijklmnopqrstuvwxyz234567")
_LONGEST = 20


def _halving(width: int, count: int) -> tuple[int, int]:
    """Mask of the upper `width` bits of `count` equal slots of 256 bits, and what adds them half a slot higher.

    To move bits up by n is to add them 2^n - 1 times: they leave where they were.
    """
    slot = 256 // count
    upper = sum(((1 << width) - 1) << (slot * position + width) for position in range(count))
    return upper, (1 << (slot // 2 - width)) - 1


_HIGH_80, _MOVE_80 = _halving(80, 1)
_HIGH_40, _MOVE_40 = _halving(40, 2)
_HIGH_20, _MOVE_20 = _halving(20, 4)
_HIGH_10, _MOVE_10 = _halving(10, 8)
_HIGH_5, _MOVE_5 = _halving(5, 16)


def base32(octets: bytes) -> str:
    """At most 20 octets in lower-case base32 without padding (RFC 4648 §6)."""
    if len(octets) > _LONGEST:
        raise ValueError("base32 is written here for 20 octets at most")
    return base32_of_20(octets.ljust(_LONGEST, b"\0"))[: (len(octets) * 8 + 4) // 5].decode("ascii")


def base32_of_20(octets: bytes) -> bytes:
    """The same for exactly 20 octets, in ASCII: every pseudonym and event id.

    Five halvings of one integer spread 160 bits over 32 octets, five bits each: a quarter of the time of
    `base64.b32encode`, which was half the cost of a pseudonym.
    """
    bits = int.from_bytes(octets, "big")
    bits += (bits & _HIGH_80) * _MOVE_80
    bits += (bits & _HIGH_40) * _MOVE_40
    bits += (bits & _HIGH_20) * _MOVE_20
    bits += (bits & _HIGH_10) * _MOVE_10
    bits += (bits & _HIGH_5) * _MOVE_5
    return bits.to_bytes(32, "big").translate(_ALPHABET)


_VERSION_8 = 0x8 << 76
_VARIANT_10 = 0b10 << 62
_FREE_BITS = ((1 << 128) - 1) ^ (0xF << 76) ^ (0b11 << 62)


def uuid8(octets: bytes) -> str:
    """The first 16 octets with version 8 and variant 10 stamped over six bits (RFC 9562 §5.8)."""
    bits = int.from_bytes(octets[:16], "big") & _FREE_BITS | _VERSION_8 | _VARIANT_10
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
