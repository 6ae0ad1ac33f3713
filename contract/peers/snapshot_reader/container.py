"""The signed file around a body: docs/snapshot-container.md."""

import base64
import dataclasses
import hashlib
import json
import struct
import unicodedata

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from refusal import Refused

MAGIC = b"MANDATE\0"
CONTEXT = b"mandate container, version 1\0"
FIXED = struct.Struct("<8sHBBI32sQQQQQIIIQII")
CHUNK = 1 << 20
LARGEST_HEADER = 65536
LARGEST_SNAPSHOT, LARGEST_DELTA = 1 << 30, 1 << 20
LARGEST_NUMBER = (1 << 53) - 1
SNAPSHOT, DELTA = 1, 2


@dataclasses.dataclass
class Header:
    kind: int
    raw: bool
    key_id: str
    issued_at: int
    era: int
    base: int
    start: int
    end: int
    contract: str
    deployment: str
    slice: str


def refuse(detail):
    return Refused("snapshot-signature", "container", detail)


def need(holds, detail):
    if not holds:
        raise refuse(detail)


def open_container(data, configuration):
    """The header and the body of bytes that a pinned key signed."""
    keys = dict(map(read_key, configuration["keys"]))
    need(len(data) >= 48 and data[:8] == MAGIC, "this is no container")
    need(data[8:10] == b"\1\0", "another format version")
    length = int.from_bytes(data[12:16], "little")
    need(FIXED.size <= length <= LARGEST_HEADER, "the length of the header")
    need(length + 64 <= len(data), "the header is cut off")
    key_id = base64url(data[16:48])
    need(key_id in keys, "the key is not pinned")
    try:
        keys[key_id].verify(data[length : length + 64], CONTEXT + data[:length])
    except InvalidSignature:
        raise refuse("the signature does not fit") from None
    header, size, digests = read_header(data[:length], key_id)
    check_ours(header, size, configuration)
    body = data[length + 64 :]
    need(len(body) == size, "the body is too long or too short")
    check_digests(body, digests)
    check_floor(header, configuration.get("floor"))
    return header, body


def read_header(data, key_id):
    """The fields of a header whose signature fits, the size of the body, and the digests."""
    _, _, kind, flags, _, _, issued_at, era, base, start, end, *rest = FIXED.unpack_from(data)
    major, minor, patch, size, chunk_size, chunks = rest
    need(kind in (SNAPSHOT, DELTA), "an unknown kind")
    need(flags in (0, 1), "an unknown flag")
    need(max(issued_at, era, base, start, end) <= LARGEST_NUMBER, "a number above 2^53 - 1")
    if kind == SNAPSHOT:
        need(base == start == end, "a snapshot has one epoch")
        need(size <= LARGEST_SNAPSHOT, "the body is too large")
    else:
        need(base <= start <= end, "the epochs are out of order")
        need(size <= LARGEST_DELTA and (size == 0 or start < end), "the size of the body")
    need(chunk_size == CHUNK, "the size of a chunk")
    need(chunks == -(-size // CHUNK), "the number of chunks")
    deployment, at = read_text(data, FIXED.size)
    slice_name, at = read_text(data, at)
    digests = data[at:]
    need(len(digests) == 32 * chunks, "the header does not end with the digests")
    contract = f"{major}.{minor}.{patch}"
    names = (contract, deployment, slice_name)
    return Header(kind, flags == 1, key_id, issued_at, era, base, start, end, *names), size, digests


def read_text(data, at):
    length = int.from_bytes(data[at : at + 2], "little")
    text = data[at + 2 : at + 2 + length]
    need(1 <= length <= 128 and len(text) == length, "the length of a text")
    try:
        text = text.decode("utf-8")
    except UnicodeDecodeError:
        raise refuse("a text is not UTF-8") from None
    need(all(unicodedata.category(c) != "Cc" for c in text), "a control character")
    return text, at + 2 + length


def check_ours(header, size, configuration):
    need(header.deployment == configuration["deployment"], "another deployment")
    need(header.slice == configuration["slice"], "another slice")
    need(size <= configuration.get("maximum_bytes", LARGEST_SNAPSHOT), "the body is too large")


def check_digests(body, digests):
    for number, start in enumerate(range(0, len(body), CHUNK)):
        digest = hashlib.new("sha512_256", body[start : start + CHUNK]).digest()
        need(digest == digests[32 * number : 32 * number + 32], f"the digest of chunk {number}")


def check_floor(header, floor):
    if floor is not None and (header.era, header.end) < (floor["era"], floor["epoch"]):
        raise Refused("snapshot-rollback", "container", "it is below the floor")


def read_key(jwk):
    """The id of a public JWK, and the key."""
    need(jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519", "not an Ed25519 key")
    need("d" not in jwk, "a private key")
    public = base64.urlsafe_b64decode(jwk["x"] + "=" * (-len(jwk["x"]) % 4))
    need(len(public) == 32 and base64url(public) == jwk["x"], "the form of a key")
    need(is_sound(public), "a key of small order, or in a second encoding")
    members = {"crv": "Ed25519", "kty": "OKP", "x": jwk["x"]}
    canonical = json.dumps(members, separators=(",", ":")).encode()
    key_id = base64url(hashlib.sha256(canonical).digest())
    need(jwk.get("kid", key_id) == key_id, "the name of a key is not its thumbprint")
    return key_id, Ed25519PublicKey.from_public_bytes(public)


def is_sound(public):
    """Whether `y` is below the field's order, and not that of a point whose order divides 8.

    Such points have x = 0, y = 0, or a double with y = 0, where x^2 = -y^2 turns the curve's equation
    into d y^4 + 2 y^2 = 1.
    """
    prime = 2**255 - 19
    d = -121665 * pow(121666, -1, prime)
    y = int.from_bytes(public, "little") & ((1 << 255) - 1)
    small = y * y % prime in (0, 1) or (d * y**4 + 2 * y * y - 1) % prime == 0
    return y < prime and not small


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
