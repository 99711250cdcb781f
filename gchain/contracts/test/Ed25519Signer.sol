// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Ed25519} from "../src/Ed25519.sol";
import {Sha512} from "../src/Sha512.sol";

/// Signs by RFC 8032 section 5.1.6, for tests alone: not in constant time.
library Ed25519Signer {
    function publicKey(bytes32 seed) internal view returns (bytes32) {
        (bytes32 low,) = Sha512.hash(abi.encodePacked(seed));
        return encoded(times(clamped(low)));
    }

    function sign(bytes32 seed, bytes memory message) internal view returns (bytes memory) {
        (bytes32 low, bytes32 prefix) = Sha512.hash(abi.encodePacked(seed));
        uint256 a = clamped(low);
        bytes32 key = encoded(times(a));
        uint256 r = modL(abi.encodePacked(prefix, message));
        bytes32 point = encoded(times(r));
        uint256 h = modL(abi.encodePacked(point, key, message));
        uint256 s = addmod(r, mulmod(h, a % Ed25519.L, Ed25519.L), Ed25519.L);
        return abi.encodePacked(point, Ed25519.reversed(bytes32(s)));
    }

    function clamped(bytes32 low) private pure returns (uint256 a) {
        a = Ed25519.reversed(low);
        a &= (1 << 254) - 8;
        a |= 1 << 254;
    }

    function modL(bytes memory data) private pure returns (uint256) {
        (bytes32 low, bytes32 high) = Sha512.hash(data);
        uint256 above = mulmod(Ed25519.reversed(high), Ed25519.ABOVE, Ed25519.L);
        return addmod(above, Ed25519.reversed(low), Ed25519.L);
    }

    /// A scalar times the base point: its remainder is enough, since the base point has order L.
    function times(uint256 scalar) private pure returns (Ed25519.Point memory) {
        return Ed25519.combined(scalar % Ed25519.L, 0, Ed25519.Point(0, 1, 1, 0));
    }

    function encoded(Ed25519.Point memory point) private view returns (bytes32) {
        uint256 inverse = Ed25519.power(point.z, Ed25519.P - 2);
        uint256 x = mulmod(point.x, inverse, Ed25519.P);
        uint256 y = mulmod(point.y, inverse, Ed25519.P);
        return bytes32(Ed25519.reversed(bytes32(y | (x & 1) << 255)));
    }
}
