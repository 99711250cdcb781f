// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Cbor} from "./Cbor.sol";
import {Ed25519} from "./Ed25519.sol";
import {Formats, Genesis, MacroHeader, Record} from "./Formats.sol";
import {Rfc9162} from "./Rfc9162.sol";

/// @title Proofs: the signed statements of the L-Chain, checked as a device checks them
/// @notice A contract of its own, without state and without owner, so that the code of the signatures is in no other's 24,576 bytes (EIP-170). Whoever asks names what it believes of the answer.
contract Proofs {
    using Cbor for bytes;
    using Formats for bytes;

    /// A structure of another version.
    error Version(uint256 version);
    /// Two roots that are equal, or do not ascend: one thing said twice.
    error OneRoot();
    /// A signature that does not hold.
    error NotSigned();
    /// A record that is not in the table, or not that of the member in question.
    error NotTheRecord();

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
        require(number == 1, Version(number));
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
