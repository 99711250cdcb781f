// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title SHA-512 (FIPS 180-4), for Ed25519: the EVM has no precompile of it
library Sha512 {
    uint256 private constant MASK = 0xffffffffffffffff;
    bytes private constant K = hex"428a2f98d728ae227137449123ef65cdb5c0fbcfec4d3b2fe9b5dba58189dbbc3956c25bf348b53859f111f1b605d019"
        hex"923f82a4af194f9bab1c5ed5da6d8118d807aa98a303024212835b0145706fbe243185be4ee4b28c550c7dc3d5ffb4e2"
        hex"72be5d74f27b896f80deb1fe3b1696b19bdc06a725c71235c19bf174cf692694e49b69c19ef14ad2efbe4786384f25e3"
        hex"0fc19dc68b8cd5b5240ca1cc77ac9c652de92c6f592b02754a7484aa6ea6e4835cb0a9dcbd41fbd476f988da831153b5"
        hex"983e5152ee66dfaba831c66d2db43210b00327c898fb213fbf597fc7beef0ee4c6e00bf33da88fc2d5a79147930aa725"
        hex"06ca6351e003826f142929670a0e6e7027b70a8546d22ffc2e1b21385c26c9264d2c6dfc5ac42aed53380d139d95b3df"
        hex"650a73548baf63de766a0abb3c77b2a881c2c92e47edaee692722c851482353ba2bfe8a14cf10364a81a664bbc423001"
        hex"c24b8b70d0f89791c76c51a30654be30d192e819d6ef5218d69906245565a910f40e35855771202a106aa07032bbd1b8"
        hex"19a4c116b8d2d0c81e376c085141ab532748774cdf8eeb9934b0bcb5e19b48a8391c0cb3c5c95a634ed8aa4ae3418acb"
        hex"5b9cca4f7763e373682e6ff3d6b2b8a3748f82ee5defb2fc78a5636f43172f6084c87814a1f0ab728cc702081a6439ec"
        hex"90befffa23631e28a4506cebde82bde9bef9a3f7b2c67915c67178f2e372532bca273eceea26619cd186b8c721c0c207"
        hex"eada7dd6cde0eb1ef57d4f7fee6ed17806f067aa72176fba0a637dc5a2c898a6113f9804bef90dae1b710b35131c471b"
        hex"28db77f523047d8432caab7b40c724933c9ebe0a15c9bebc431d67c49c100d4c4cc5d4becb3e42b6597f299cfc657e2a"
        hex"5fcb6fab3ad6faec6c44198c4a475817";
    bytes private constant START =
        hex"6a09e667f3bcc908bb67ae8584caa73b3c6ef372fe94f82ba54ff53a5f1d36f1510e527fade682d19b05688c2b3e6c1f1f83d9abfb41bd6b5be0cd19137e2179";

    /// @return low The first half of the hash. @return high The second.
    function hash(bytes memory message) internal pure returns (bytes32 low, bytes32 high) {
        unchecked {
            bytes memory padded = pad(message);
            bytes memory k = K;
            uint256[8] memory state;
            bytes memory start = START;
            for (uint256 i = 0; i < 8; ++i) {
                state[i] = word(start, 8 * i);
            }
            uint256[80] memory w;
            for (uint256 block_ = 0; block_ < padded.length; block_ += 128) {
                compress(state, w, padded, block_, k);
            }
            low = bytes32(state[0] << 192 | state[1] << 128 | state[2] << 64 | state[3]);
            high = bytes32(state[4] << 192 | state[5] << 128 | state[6] << 64 | state[7]);
        }
    }

    function pad(bytes memory message) private pure returns (bytes memory) {
        unchecked {
            uint256 zeros = (239 - message.length % 128) % 128;
            return abi.encodePacked(message, uint8(0x80), new bytes(zeros), uint128(message.length * 8));
        }
    }

    function compress(uint256[8] memory state, uint256[80] memory w, bytes memory data, uint256 offset, bytes memory k)
        private
        pure
    {
        unchecked {
            for (uint256 t = 0; t < 16; ++t) {
                w[t] = word(data, offset + 8 * t);
            }
            for (uint256 t = 16; t < 80; ++t) {
                uint256 x = w[t - 15];
                uint256 y = w[t - 2];
                x = rotated(x, 1) ^ rotated(x, 8) ^ x >> 7;
                y = rotated(y, 19) ^ rotated(y, 61) ^ y >> 6;
                w[t] = w[t - 16] + x + w[t - 7] + y & MASK;
            }
            uint256[8] memory v;
            for (uint256 i = 0; i < 8; ++i) {
                v[i] = state[i];
            }
            for (uint256 t = 0; t < 80; ++t) {
                round(v, word(k, 8 * t) + w[t]);
            }
            for (uint256 i = 0; i < 8; ++i) {
                state[i] = state[i] + v[i] & MASK;
            }
        }
    }

    function round(uint256[8] memory v, uint256 kw) private pure {
        unchecked {
            uint256 e = v[4];
            uint256 one = v[7] + (rotated(e, 14) ^ rotated(e, 18) ^ rotated(e, 41)) + (e & v[5] ^ ~e & v[6]) + kw;
            uint256 a = v[0];
            uint256 b = v[1];
            uint256 c = v[2];
            uint256 two = (rotated(a, 28) ^ rotated(a, 34) ^ rotated(a, 39)) + (a & b ^ a & c ^ b & c);
            v[7] = v[6];
            v[6] = v[5];
            v[5] = e;
            v[4] = v[3] + one & MASK;
            v[3] = c;
            v[2] = b;
            v[1] = a;
            v[0] = one + two & MASK;
        }
    }

    function rotated(uint256 x, uint256 by) private pure returns (uint256) {
        unchecked {
            return (x >> by | x << 64 - by) & MASK;
        }
    }

    /// Eight bytes at a place.
    function word(bytes memory data, uint256 offset) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(192, mload(add(add(data, 32), offset)))
        }
    }
}
