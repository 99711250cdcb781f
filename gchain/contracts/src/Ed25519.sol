// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Sha512} from "./Sha512.sol";

/// @title Ed25519 (RFC 8032) by the one rule of this network
/// @notice What devices, gateways and validators accept, and nothing else (docs/decisions/0002): S < L, A and R canonical and neither of small order, the cofactored equation over the bytes as received.
/// For a key's proof when a masternode joins, once: it costs as much as some ten transactions.
library Ed25519 {
    uint256 internal constant P = 0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed;
    uint256 internal constant L = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed;
    uint256 private constant D = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3;
    uint256 private constant D2 = 0x2406d9dc56dffce7198e80f2eef3d13000e0149a8283b156ebd69b9426b2f159;
    /// A square root of -1.
    uint256 private constant I = 0x2b8324804fc1df0b2b4d00993dfbd7a72f431806ad2fe478c4ee1b274a0ea0b0;
    uint256 private constant BASE_X = 0x216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51a;
    uint256 private constant BASE_Y = 0x6666666666666666666666666666666666666666666666666666666666666658;
    /// 2^256 mod L.
    uint256 internal constant ABOVE = 0xffffffffffffffffffffffffffffffec6ef5bf4737dcf70d6ec31748d98951d;

    /// Extended coordinates: x = X/Z, y = Y/Z, x y = T/Z (Hisil, Wong, Carter and Dawson, 2008).
    struct Point {
        uint256 x;
        uint256 y;
        uint256 z;
        uint256 t;
    }

    /// @notice Whether this signature of 64 bytes is one over the message.
    function verify(bytes32 key, bytes memory message, bytes memory signature) internal view returns (bool) {
        if (signature.length != 64) return false;
        bytes32 encodedR;
        bytes32 encodedS;
        assembly ("memory-safe") {
            encodedR := mload(add(signature, 32))
            encodedS := mload(add(signature, 64))
        }
        uint256 s = reversed(encodedS);
        if (s >= L) return false;
        (bool goodA, Point memory a) = decoded(key);
        (bool goodR, Point memory r) = decoded(encodedR);
        if (!goodA || !goodR || small(a) || small(r)) return false;
        negate(a);
        negate(r);
        Point memory sum = combined(s, hashed(encodedR, key, message), a);
        add(sum, r);
        return small(sum);
    }

    /// SHA-512(R || A || M) mod L.
    function hashed(bytes32 r, bytes32 key, bytes memory message) private pure returns (uint256) {
        (bytes32 low, bytes32 high) = Sha512.hash(abi.encodePacked(r, key, message));
        return addmod(mulmod(reversed(high), ABOVE, L), reversed(low), L);
    }

    /// s B + h a, by Shamir's trick.
    function combined(uint256 s, uint256 h, Point memory a) internal pure returns (Point memory sum) {
        Point memory base = Point(BASE_X, BASE_Y, 1, mulmod(BASE_X, BASE_Y, P));
        Point memory both = Point(a.x, a.y, a.z, a.t);
        add(both, base);
        sum = Point(0, 1, 1, 0);
        for (uint256 bit = 1 << 252; bit != 0; bit >>= 1) {
            double(sum);
            if (s & bit != 0) add(sum, h & bit != 0 ? both : base);
            else if (h & bit != 0) add(sum, a);
        }
    }

    /// Whether eight times the point is the neutral one. Changes nothing.
    function small(Point memory point) private pure returns (bool) {
        Point memory eight = Point(point.x, point.y, point.z, point.t);
        double(eight);
        double(eight);
        double(eight);
        return eight.x == 0 && eight.y == eight.z;
    }

    /// The point of an encoding that is canonical (RFC 8032 section 5.1.3).
    function decoded(bytes32 encoded) private view returns (bool, Point memory point) {
        uint256 y = reversed(encoded);
        uint256 sign = y >> 255;
        y &= (1 << 255) - 1;
        if (y >= P) return (false, point);
        uint256 square = mulmod(y, y, P);
        uint256 u = addmod(square, P - 1, P);
        uint256 v = addmod(mulmod(D, square, P), 1, P);
        // v is never 0: -1/D is no square.
        square = mulmod(u, power(v, P - 2), P);
        uint256 x = power(square, (P + 3) / 8);
        if (mulmod(x, x, P) != square) x = mulmod(x, I, P);
        if (mulmod(x, x, P) != square || (x == 0 && sign == 1)) return (false, point);
        if (x & 1 != sign) x = P - x;
        return (true, Point(x, y, 1, mulmod(x, y, P)));
    }

    function negate(Point memory point) private pure {
        if (point.x != 0) point.x = P - point.x;
        if (point.t != 0) point.t = P - point.t;
    }

    function add(Point memory to, Point memory point) private pure {
        unchecked {
            uint256 a = mulmod(addmod(to.y, P - to.x, P), addmod(point.y, P - point.x, P), P);
            uint256 b = mulmod(addmod(to.y, to.x, P), addmod(point.y, point.x, P), P);
            uint256 c = mulmod(mulmod(to.t, D2, P), point.t, P);
            uint256 d = mulmod(addmod(to.z, to.z, P), point.z, P);
            put(to, addmod(b, P - a, P), addmod(d, P - c, P), addmod(d, c, P), addmod(b, a, P));
        }
    }

    function double(Point memory point) private pure {
        unchecked {
            uint256 a = mulmod(point.x, point.x, P);
            uint256 b = mulmod(point.y, point.y, P);
            uint256 c = mulmod(addmod(point.z, point.z, P), point.z, P);
            uint256 e = addmod(point.x, point.y, P);
            e = addmod(mulmod(e, e, P), 2 * P - a - b, P);
            uint256 g = addmod(b, P - a, P);
            put(point, e, addmod(g, P - c, P), g, addmod(2 * P - a - b, 0, P));
        }
    }

    function put(Point memory to, uint256 e, uint256 f, uint256 g, uint256 h) private pure {
        to.x = mulmod(e, f, P);
        to.y = mulmod(g, h, P);
        to.z = mulmod(f, g, P);
        to.t = mulmod(e, h, P);
    }

    /// base^exponent mod P, by the precompile of EIP-198.
    function power(uint256 base, uint256 exponent) internal view returns (uint256 result) {
        (bool ok, bytes memory out) =
            address(5).staticcall(abi.encode(uint256(32), uint256(32), uint256(32), base, exponent, P));
        require(ok && out.length == 32);
        result = abi.decode(out, (uint256));
    }

    /// Little-endian bytes as a number.
    function reversed(bytes32 encoded) internal pure returns (uint256 v) {
        v = uint256(encoded);
        uint256 m = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
        v = (v >> 8) & m | (v & m) << 8;
        m = 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
        v = (v >> 16) & m | (v & m) << 16;
        m = 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
        v = (v >> 32) & m | (v & m) << 32;
        m = 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
        v = (v >> 64) & m | (v & m) << 64;
        v = v >> 128 | v << 128;
    }
}
