"""The formats of docs/protocol.md as a stranger reads them: pycose, cwt and cbor2 for the envelopes, hashlib for hashes and
trees. Nothing here calls our own code, and nothing here was made from it: the page alone.

Every function raises `Refused` where something does not hold.
"""
import hashlib
from dataclasses import dataclass

import cbor2
import cwt
from pycose.keys import EC2Key, OKPKey
from pycose.messages import Sign1Message

ED25519, ES256 = -8, -7
RECEIPTS, PROOFS, VDS, TYPE = 394, 396, 395, 16
RFC9162_SHA256 = 1
NEIGHBOURHOOD, NUMBER = -70001, -70002
KIND = -70003


class Refused(Exception):
    """Bytes that a verifier must not accept."""


def must(condition, why):
    if not condition:
        raise Refused(why)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def decode(data):
    """One item of core deterministic CBOR and nothing after it."""
    try:
        value = cbor2.loads(data)
        again = cbor2.dumps(value, canonical=True)
    except Exception as error:  # whatever the library makes of hostile bytes
        raise Refused(f"not CBOR: {error}") from error
    must(again == data, "not deterministic CBOR, or bytes after its end")
    return value


def encode(value):
    return cbor2.dumps(value, canonical=True)


def chosen(rows, op, least=1):
    """The vectors of one sort; too few are a mistake of whoever wrote them."""
    found = [row for row in rows if row["op"] == op]
    assert len(found) >= least, f"{len(found)} vectors {op}"
    return found


@dataclass(frozen=True)
class Key:
    """A COSE_Key with exactly the members of its RFC 9679 thumbprint."""

    encoded: bytes

    @property
    def members(self):
        return decode(self.encoded)

    @property
    def thumbprint(self):
        return sha256(self.encoded)

    @property
    def kid(self):
        return self.thumbprint[:8]

    @property
    def alg(self):
        return ED25519 if self.members[1] == 1 else ES256

    def for_pycose(self):
        members = self.members
        if self.alg == ED25519:
            must(set(members) == {1, -1, -2} and members[-1] == 6, "key: not an Ed25519 key")
            return OKPKey(crv="ED25519", x=members[-2])
        must(set(members) == {1, -1, -2, -3} and members[-1] == 1, "key: not a P-256 key")
        return EC2Key(crv="P_256", x=members[-2], y=members[-3])

    def for_cwt(self):
        return cwt.COSEKey.new({**self.members, 2: self.kid, 3: self.alg, 4: [2]})


def verify_sign1(parts, key, external_aad=b""):
    """Lets pycose check the signature of the four elements of a COSE_Sign1."""
    try:
        message = Sign1Message.from_cose_obj(list(parts), allow_unknown_attributes=True)
        message.key = key.for_pycose()
        message.external_aad = external_aad
        valid = message.verify_signature()
    except Refused:
        raise
    except Exception as error:
        raise Refused(f"COSE_Sign1: {type(error).__name__}: {error}") from error
    must(valid, "COSE_Sign1: signature")


def sign1(value, what):
    """The four elements of a COSE_Sign1, tagged or not."""
    if isinstance(value, cbor2.CBORTag):
        must(value.tag == 18, f"{what}: tag {value.tag} is not COSE_Sign1's")
        value = value.value
    must(isinstance(value, (list, tuple)) and len(value) == 4, f"{what}: not a COSE_Sign1")
    protected, unprotected, payload, signature = value
    must(isinstance(protected, bytes) and isinstance(unprotected, dict), f"{what}: headers")
    must(isinstance(signature, bytes) and len(signature) == 64, f"{what}: signature length")
    return protected, unprotected, payload, signature


# --- transactions, section 3 ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Transaction:
    id: bytes
    issuer: int
    number: int
    kind: int
    body: object
    size: int


def transaction(data, neighbourhood, key, parents):
    """Checks a transaction against its issuer's key and the full ids of its parents."""
    protected, headers, payload, signature = sign1(decode(data), "transaction")
    must(headers == {}, "transaction: unprotected headers")
    must(decode(protected) == {1: key.alg}, "transaction: protected header")
    fields = decode(payload)
    must(len(fields) == 8 and fields[0] == 1, "transaction: version or shape")
    _, _epoch, issuer, number, _offset, prefixes, kind, body = fields
    must(prefixes == b"".join(parent[:16] for parent in parents), "transaction: parents")
    must(list(parents[1:]) == sorted(set(parents[1:])), "transaction: parents not sorted")
    aad = encode(["iotedge/tx/1", neighbourhood, sha256(*parents)])
    verify_sign1((protected, {}, payload, signature), key, aad)
    return Transaction(sha256(b"iotedge/tx/1", neighbourhood, payload), issuer, number, kind, body, len(data))


# The body of a data transaction that says nothing but what it approves: an empty array, which RFC 8428 does not call a pack.
APPROVAL = b"\x80"


def reading(body):
    """A SenML pack of one record or more (RFC 8428, CBOR labels); numbers exact, never floats."""
    pack = decode(body)
    must(isinstance(pack, list) and pack, "SenML: not a pack")
    for record in pack:
        must(isinstance(record, dict), "SenML: not a record")
        must({type(label) for label in record} <= {int}, "SenML: labels")
        must(any(label in record for label in (2, 3, 4, 8)), "SenML: no value")
        for value in record.values():
            must(not isinstance(value, float), "SenML: a float")
    return pack


# --- certificates, section 2.1 -------------------------------------------------------------------------------------------


def certificate(data, signer):
    """Lets the cwt library check a device certificate; returns claims and the key that it confirms."""
    protected, unprotected, _, _ = sign1(decode(data), "certificate")
    must(unprotected == {}, "certificate: unprotected headers")
    must(decode(protected) == {1: signer.alg, 4: signer.kid}, "certificate: protected header")
    try:
        claims = cwt.decode(b"\xd2" + data, keys=signer.for_cwt())
    except Exception as error:
        raise Refused(f"CWT: {type(error).__name__}: {error}") from error
    must(set(claims) <= {1, 4, 5, 6, 7, 8, KIND}, "certificate: unknown claims")
    must(claims.get(KIND) in (0, 1, 2, 3, 4), "certificate: kind")
    must(8 <= len(claims[7]) <= 16, "certificate: cti")
    must(set(claims[8]) == {1}, "certificate: cnf")
    key = Key(encode(claims[8][1]))
    key.for_pycose()
    return claims, key


# --- Merkle trees, RFC 9162 section 2.1 ----------------------------------------------------------------------------------


def leaf_hash(entry):
    return sha256(b"\x00", entry)


def root_from_path(leaf, index, size, path):
    """RFC 9162 section 2.1.3.2."""
    must(isinstance(index, int) and isinstance(size, int) and 0 <= index < size, "path: index")
    fn, sn, r = index, size - 1, leaf
    for sibling in path:
        must(isinstance(sibling, bytes) and len(sibling) == 32, "path: element")
        must(sn != 0, "path: too long")
        if fn & 1 or fn == sn:
            r = sha256(b"\x01", sibling, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha256(b"\x01", r, sibling)
        fn, sn = fn >> 1, sn >> 1
    must(sn == 0, "path: too short")
    return r


# --- votes, receipts and macro transactions, section 7 -------------------------------------------------------------------


@dataclass(frozen=True)
class Vote:
    neighbourhood: bytes
    number: int
    root: bytes
    index: int
    size: int
    kid: bytes


def receipt(data, entry, validators):
    """One COSE Receipt (RFC 9942): the root from the inclusion proof, then the signature over the detached root."""
    value = decode(data)
    must(isinstance(value, cbor2.CBORTag), "receipt: not tagged")
    protected, unprotected, payload, signature = sign1(value, "receipt")
    must(payload is None, "receipt: the payload is not detached")
    header = decode(protected)
    must(set(header) == {1, 4, TYPE, VDS, NEIGHBOURHOOD, NUMBER}, "receipt: protected header")
    must(header[1] == ED25519 and header[VDS] == RFC9162_SHA256 and header[TYPE] == "iotedge/macro/1", "receipt: protected header")
    must(set(unprotected) == {PROOFS} and set(unprotected[PROOFS]) == {-1}, "receipt: unprotected header")
    proofs = unprotected[PROOFS][-1]
    must(isinstance(proofs, list) and len(proofs) == 1 and isinstance(proofs[0], bytes), "receipt: one inclusion proof")
    proof = decode(proofs[0])
    must(isinstance(proof, list) and len(proof) == 3 and isinstance(proof[2], list), "receipt: inclusion proof")
    size, index, path = proof
    root = root_from_path(leaf_hash(entry), index, size, path)
    signer = validators.get(header[4])
    must(signer is not None, "receipt: not a validator of the set")
    verify_sign1((protected, {}, root, signature), signer[0], b"")
    return Vote(header[NEIGHBOURHOOD], header[NUMBER], root, index, size, header[4])


def quorum(receipts, entry, validators):
    """All receipts agree, no validator twice, and 3 s > 2 S by stake. `validators`: kid -> (key, stake)."""
    must(isinstance(receipts, list) and receipts, "receipts: none")
    votes = [receipt(r, entry, validators) for r in receipts]
    first = votes[0]
    for vote in votes:
        same = (vote.neighbourhood, vote.number, vote.root, vote.index, vote.size)
        must(same == (first.neighbourhood, first.number, first.root, first.index, first.size), "receipts: they disagree")
    must(len({vote.kid for vote in votes}) == len(votes), "receipts: a validator twice")
    signed = sum(validators[vote.kid][1] for vote in votes)
    total = sum(stake for _, stake in validators.values())
    must(3 * signed > 2 * total, "receipts: short of the stake quorum")
    return first


def receipt_file(data, neighbourhood, key, parents, validators):
    """`*.receipt.cose`: a transaction with the receipts of a quorum. Returns the transaction and the vote."""
    protected, unprotected, payload, signature = sign1(decode(data), "receipt file")
    must(set(unprotected) == {RECEIPTS}, "receipt file: unprotected headers")
    plain = encode([protected, {}, payload, signature])
    tx = transaction(plain, neighbourhood, key, parents)
    vote = quorum(unprotected[RECEIPTS], tx.id, validators)
    must(vote.neighbourhood == neighbourhood, "receipt file: another neighbourhood")
    must(vote.index > 0, "receipt file: leaf 0 is the header")
    return tx, vote


HEADER_FIELDS = (
    "version neighbourhood number previous trim cut g0 count state_root exits_root next_table members weight set_hash "
    "total_value first_time last_time"
).split()


def macro_file(data, neighbourhood, key, validators):
    """`*.macro.cose`: a header signed by the GL-node, with the receipts of a quorum for leaf 0."""
    protected, unprotected, payload, signature = sign1(decode(data), "macro")
    must(set(unprotected) <= {RECEIPTS}, "macro: unprotected headers")
    must(decode(protected) == {1: key.alg, 4: key.kid}, "macro: protected header")
    verify_sign1((protected, {}, payload, signature), key, encode(["iotedge/macro/1", neighbourhood]))
    fields = decode(payload)
    must(isinstance(fields, list) and len(fields) == len(HEADER_FIELDS), "macro: fields")
    header = dict(zip(HEADER_FIELDS, fields))
    must(header["version"] == 1 and header["neighbourhood"] == neighbourhood, "macro: version or neighbourhood")
    header["hash"] = sha256(b"iotedge/macro/1", payload)
    vote = quorum(unprotected.get(RECEIPTS), payload, validators)
    must(vote.neighbourhood == neighbourhood and vote.number == header["number"], "macro: votes for another header")
    must(vote.index == 0 and vote.size == header["count"] + 1, "macro: not leaf 0 of the tree")
    header["root"] = vote.root
    return header


def set_hash(term, start, members):
    """Hash of a validator set: members are (x, stake) in order."""
    return sha256(b"iotedge/set/1", encode([term, start, [[x, stake] for x, stake in members]]))


def device_id(thumbprint):
    """Bech32m (BIP 350) with prefix `iote`."""
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

    def polymod(values):
        check = 1
        for value in values:
            top = check >> 25
            check = (check & 0x1FFFFFF) << 5 ^ value
            for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
                check ^= generator if top >> i & 1 else 0
        return check

    bits = "".join(f"{byte:08b}" for byte in thumbprint)
    bits += "0" * (-len(bits) % 5)
    data = [int(bits[i : i + 5], 2) for i in range(0, len(bits), 5)]
    prefix = [ord(c) >> 5 for c in "iote"] + [0] + [ord(c) & 31 for c in "iote"]
    check = polymod(prefix + data + [0] * 6) ^ 0x2BC830A3
    data += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return "iote1" + "".join(alphabet[value] for value in data)
