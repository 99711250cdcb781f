// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Cbor} from "./Cbor.sol";
import {Ed25519} from "./Ed25519.sol";
import {ExitBody, Formats, Genesis, MacroHeader, Record} from "./Formats.sol";
import {Rfc9162} from "./Rfc9162.sol";

/// @title Proofs: the signed statements of the L-Chain, checked as a device checks them
/// @notice A contract of its own, without state and without owner, so that the code of the signatures is in no other's 24,576 bytes (EIP-170). Whoever asks names what it believes of the answer.
contract Proofs {
    using Cbor for bytes;
    using Formats for bytes;

    /// What shows that a member signed an exit.
    struct ExitProof {
        /// The transaction's COSE_Sign1.
        bytes cose;
        /// SHA-256 of its full parent ids, one after the other.
        bytes32 parents;
        /// Payload of the header that opened its epoch, or of the genesis for epoch 1.
        bytes opener;
        /// The issuer's record in the table that this one names, and its path.
        bytes record;
        bytes32[] path;
    }

    /// Verifies P-256 signatures where the chain has it (EIP-7951).
    address private constant P256VERIFY = address(0x100);

    /// Two roots that are equal, or do not ascend: one thing said twice.
    error OneRoot();
    /// A signature that does not hold.
    error NotSigned();
    /// A record that is not in the table, or not that of the member in question.
    error NotTheRecord();
    /// A transaction with another id, amount or target, or one that its issuer could not make.
    error NotTheExit();

    /// @notice Whether this is the key's signature over the message, by the one rule of this network (Ed25519.sol).
    function ed25519(bytes32 key, bytes calldata message, bytes calldata signature) external view returns (bool) {
        return Ed25519.verify(key, message, signature);
    }

    /// @notice A double vote (docs/protocol.md section 7.4): two votes of one key for one number of one neighbourhood, for two roots.
    /// @param statement `[1, neighbourhood, number, key, root a, signature a, root b, signature b]`.
    function doubleVote(bytes calldata statement) external view returns (bytes32 neighbourhood, bytes32 key) {
        uint256 offset = statement.arrayOf(0, 8);
        uint256 number;
        (number, offset) = statement.unsigned(offset);
        require(number == 1, Formats.Version(number));
        (neighbourhood, offset) = statement.word(offset);
        (number, offset) = statement.unsignedOf(offset, 32);
        (key, offset) = statement.word(offset);
        bytes memory protected = voteProtected(key, neighbourhood, uint32(number));
        bytes32 a;
        bytes32 b;
        (a, offset) = vote(statement, offset, key, protected);
        (b, offset) = vote(statement, offset, key, protected);
        statement.end(offset);
        require(a < b, OneRoot());
    }

    /// @notice What a genesis says, by its payload.
    function readGenesis(bytes calldata payload) external pure returns (Genesis memory) {
        return payload.genesis();
    }

    /// @notice The hash of a header, or of the genesis as number 0, and the set that votes on the header after it.
    function setAfter(uint32 number, bytes calldata payload) external pure returns (bytes32 hash, bytes32 setHash) {
        if (number == 0) {
            Genesis memory g = payload.genesis();
            return (g.neighbourhood, g.setHash);
        }
        MacroHeader memory h = payload.header();
        return (h.hash, h.setHash);
    }

    /// @notice The key of the GL-node that a genesis names, by its record's path to the founding table's root.
    function gatewayKey(bytes calldata genesis, bytes calldata record, bytes32[] calldata path)
        external
        pure
        returns (bytes32 neighbourhood, bytes32 key)
    {
        Genesis memory g = genesis.genesis();
        Record memory r = recordOf(record, g.gateway, g.members, path, g.tableRoot);
        // A GL-node has an Ed25519 key (section 2).
        require(!r.p256, NotTheRecord());
        return (g.neighbourhood, r.x);
    }

    /// @notice A header as this GL-node's key signed it: whose, which number, and its hash.
    /// @param cose The COSE_Sign1 of section 7.
    function signedHeader(bytes calldata cose, bytes32 key)
        external
        view
        returns (bytes32 neighbourhood, uint32 number, bytes32 hash)
    {
        bytes memory protected = abi.encodePacked(hex"a201270448", kidOf(key));
        (bytes calldata payload, bytes calldata signature) = parts(cose, protected);
        MacroHeader memory h = payload.header();
        // ["iotedge/macro/1", neighbourhood id]
        bytes memory aad = abi.encodePacked(hex"826f696f74656467652f6d6163726f2f315820", h.neighbourhood);
        require(Ed25519.verify(key, toBeSigned(protected, aad, payload), signature), NotSigned());
        return (h.neighbourhood, h.number, h.hash);
    }

    /// @notice An exit as a member signed it: that it has this id, amount and target, and that by the table of its epoch the issuer was a member in good standing, whose credits its lifetime debits do not exceed (section 3).
    /// @return epoch The transaction's.
    /// @return opener Hash of the header that opened this epoch, or the neighbourhood's id: that it was anchored is for the caller to see.
    function signedExit(bytes32 neighbourhood, address target, uint64 amount, bytes32 txId, ExitProof calldata proof)
        external
        view
        returns (uint32 epoch, bytes32 opener)
    {
        ExitBody memory e = bodyOf(neighbourhood, txId, proof.cose);
        require(e.amount == amount && e.target == target && e.amount <= e.debits, NotTheExit());
        Record memory r;
        (r, opener) = issuerOf(e, proof);
        require(!r.out && e.debits <= r.credits, NotTheExit());
        require(signedTx(neighbourhood, r, proof.cose, proof.parents), NotSigned());
        return (e.epoch, opener);
    }

    /// What the transaction of this id says.
    function bodyOf(bytes32 neighbourhood, bytes32 txId, bytes calldata cose) private pure returns (ExitBody memory) {
        (bytes calldata payload,) = parts(cose, suiteOf(cose));
        require(sha256(abi.encodePacked("iotedge/tx/1", neighbourhood, payload)) == txId, NotTheExit());
        return payload.exitBody();
    }

    /// The protected header of a transaction names its suite alone.
    function suiteOf(bytes calldata cose) private pure returns (bytes memory) {
        return cose.length > 4 && cose[4] == 0x26 ? bytes(hex"a10126") : bytes(hex"a10127");
    }

    /// The issuer's record in the table of the exit's epoch, and what names this table.
    function issuerOf(ExitBody memory e, ExitProof calldata proof)
        private
        pure
        returns (Record memory, bytes32 opener)
    {
        if (e.epoch == 1) {
            Genesis memory g = proof.opener.genesis();
            return (recordOf(proof.record, e.issuer, g.members, proof.path, g.tableRoot), g.neighbourhood);
        }
        MacroHeader memory h = proof.opener.header();
        return (recordOf(proof.record, e.issuer, h.members, proof.path, h.tableRoot), h.hash);
    }

    /// Whether the member's key signed this transaction. Where the chain cannot say (P-256 without EIP-7951) it counts as signed: else who voted for an honest exit would be slashed for its suite.
    function signedTx(bytes32 neighbourhood, Record memory r, bytes calldata cose, bytes32 parents)
        private
        view
        returns (bool)
    {
        bytes memory protected = suiteOf(cose);
        (bytes calldata payload, bytes calldata signature) = parts(cose, protected);
        // ["iotedge/tx/1", neighbourhood id, SHA-256(parents)]
        bytes memory aad = abi.encodePacked(hex"836c696f74656467652f74782f315820", neighbourhood, hex"5820", parents);
        bytes memory message = toBeSigned(protected, aad, payload);
        if ((protected[2] == 0x26) != r.p256) return false;
        if (!r.p256) return Ed25519.verify(r.x, message, signature);
        return verifyP256(sha256(message), signature, r.x, r.y) || !hasP256();
    }

    /// @notice Whether the chain verifies P-256: by the example of RFC 6979 section A.2.5.
    function hasP256() public view returns (bool) {
        return verifyP256(
            0xaf2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf,
            hex"efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
            0x60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6,
            0x7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299
        );
    }

    function verifyP256(bytes32 digest, bytes memory signature, bytes32 x, bytes32 y) private view returns (bool) {
        (bool ok, bytes memory out) = P256VERIFY.staticcall(abi.encodePacked(digest, signature, x, y));
        return ok && out.length == 32 && abi.decode(out, (uint256)) == 1;
    }

    /// A COSE_Sign1, untagged, with this protected header and an empty unprotected one.
    function parts(bytes calldata cose, bytes memory protected)
        private
        pure
        returns (bytes calldata payload, bytes calldata signature)
    {
        uint256 offset = cose.fixedAt(0, abi.encodePacked(hex"84", Cbor.bytesItem(protected), hex"a0"));
        uint256 from;
        (from, offset) = cose.span(offset);
        payload = cose[from:offset];
        (signature, offset) = signatureAt(cose, offset);
        cose.end(offset);
    }

    /// The record of a member, in a table of so many records with this root.
    function recordOf(bytes calldata record, uint256 index, uint256 members, bytes32[] calldata path, bytes32 root)
        private
        pure
        returns (Record memory r)
    {
        r = record.record();
        bool there = Rfc9162.rootFromPath(Rfc9162.leafHash(record), index, members, path) == root;
        require(there && r.index == index, NotTheRecord());
    }

    /// A root with the key's signature as a vote for it.
    function vote(bytes calldata statement, uint256 offset, bytes32 key, bytes memory protected)
        private
        view
        returns (bytes32 root, uint256 next)
    {
        (root, next) = statement.word(offset);
        bytes calldata signature;
        (signature, next) = signatureAt(statement, next);
        require(Ed25519.verify(key, toBeSigned(protected, "", abi.encodePacked(root)), signature), NotSigned());
    }

    /// `{1: -8, 4: kid, 16: "iotedge/macro/1", 395: 1, -70001: neighbourhood, -70002: number}` (section 7.1).
    function voteProtected(bytes32 key, bytes32 neighbourhood, uint32 number) private pure returns (bytes memory) {
        return abi.encodePacked(
            hex"a601270448",
            kidOf(key),
            hex"106f696f74656467652f6d6163726f2f3119018b013a000111705820",
            neighbourhood,
            hex"3a00011171",
            Cbor.uintItem(number)
        );
    }

    /// The first 8 bytes of an Ed25519 key's thumbprint (RFC 9679).
    function kidOf(bytes32 key) private pure returns (bytes8) {
        return bytes8(sha256(abi.encodePacked(hex"a301012006215820", key)));
    }

    /// The `Sig_structure` of RFC 9052 section 4.4: what is signed.
    function toBeSigned(bytes memory protected, bytes memory aad, bytes memory payload)
        private
        pure
        returns (bytes memory)
    {
        // Each item carries its length: no two statements have the same bytes.
        // slither-disable-next-line encode-packed-collision
        return abi.encodePacked(
            hex"846a5369676e617475726531", Cbor.bytesItem(protected), Cbor.bytesItem(aad), Cbor.bytesItem(payload)
        );
    }

    function signatureAt(bytes calldata data, uint256 offset)
        private
        pure
        returns (bytes calldata signature, uint256 next)
    {
        uint256 from;
        (from, next) = data.span(offset);
        require(next - from == 64, Cbor.Malformed(offset));
        signature = data[from:next];
    }
}
