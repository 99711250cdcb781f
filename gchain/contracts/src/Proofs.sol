// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Cbor} from "./Cbor.sol";
import {Ed25519} from "./Ed25519.sol";

/// @title Proofs: the signed statements of the L-Chain, checked as a device checks them
/// @notice A contract of its own, without state and without owner, so that the code of the signatures is in no other's 24,576 bytes (EIP-170). Whoever asks names what it believes of the answer.
contract Proofs {
    using Cbor for bytes;

    /// A structure of another version.
    error Version(uint256 version);
    /// Two roots that are equal, or do not ascend: one thing said twice.
    error OneRoot();
    /// A signature that does not hold.
    error NotSigned();

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
