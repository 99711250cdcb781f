// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title What the statements of the L-Chain need of CBOR, in core deterministic encoding only (RFC 8949 section 4.2.1)
/// @notice Each function reads one item at a place and gives the place behind it. Whatever a device would refuse, this refuses: longer heads than needed, other types, bytes that are not there.
library Cbor {
    /// What stands at this place is not what is expected there.
    error Malformed(uint256 offset);

    uint8 private constant UNSIGNED = 0;
    uint8 private constant BYTES = 2;
    uint8 private constant ARRAY = 4;

    function unsigned(bytes calldata data, uint256 offset) internal pure returns (uint256 value, uint256 next) {
        return head(data, offset, UNSIGNED);
    }

    /// @notice An unsigned integer of at most so many bits.
    function unsignedOf(bytes calldata data, uint256 offset, uint256 bits)
        internal
        pure
        returns (uint256 value, uint256 next)
    {
        (value, next) = head(data, offset, UNSIGNED);
        require(value >> bits == 0, Malformed(offset));
    }

    /// @notice The head of an array: how many items follow.
    function array(bytes calldata data, uint256 offset) internal pure returns (uint256 count, uint256 next) {
        return head(data, offset, ARRAY);
    }

    /// @notice The head of an array of so many items.
    function arrayOf(bytes calldata data, uint256 offset, uint256 count) internal pure returns (uint256 next) {
        uint256 found;
        (found, next) = head(data, offset, ARRAY);
        require(found == count, Malformed(offset));
    }

    /// @notice A byte string of 32 bytes.
    function word(bytes calldata data, uint256 offset) internal pure returns (bytes32 value, uint256 next) {
        uint256 length;
        (length, next) = head(data, offset, BYTES);
        require(length == 32 && next + 32 <= data.length, Malformed(offset));
        value = bytes32(data[next:next + 32]);
        next += 32;
    }

    /// @notice A byte string: where its bytes begin, and the place behind them.
    function span(bytes calldata data, uint256 offset) internal pure returns (uint256 from, uint256 next) {
        uint256 length;
        (length, from) = head(data, offset, BYTES);
        next = from + length;
        require(length <= data.length && next <= data.length, Malformed(offset));
    }

    /// @notice Bytes that have to stand at this place: heads and constants that have one encoding.
    function fixedAt(bytes calldata data, uint256 offset, bytes memory wanted) internal pure returns (uint256 next) {
        next = offset + wanted.length;
        require(next <= data.length && keccak256(data[offset:next]) == keccak256(wanted), Malformed(offset));
    }

    /// @notice Writes an unsigned integer.
    function uintItem(uint64 number) internal pure returns (bytes memory) {
        if (number < 24) return abi.encodePacked(uint8(number));
        if (number < 1 << 8) return abi.encodePacked(uint8(0x18), uint8(number));
        if (number < 1 << 16) return abi.encodePacked(uint8(0x19), uint16(number));
        if (number < 1 << 32) return abi.encodePacked(uint8(0x1a), uint32(number));
        return abi.encodePacked(uint8(0x1b), number);
    }

    /// @notice Writes a byte string of at most 65,535 bytes.
    function bytesItem(bytes memory data) internal pure returns (bytes memory) {
        if (data.length < 24) return abi.encodePacked(uint8(0x40 + data.length), data);
        if (data.length < 1 << 8) return abi.encodePacked(uint8(0x58), uint8(data.length), data);
        require(data.length < 1 << 16, Malformed(0));
        return abi.encodePacked(uint8(0x59), uint16(data.length), data);
    }

    /// @notice Refuses what stands behind the end.
    function end(bytes calldata data, uint256 offset) internal pure {
        require(offset == data.length, Malformed(offset));
    }

    function head(bytes calldata data, uint256 offset, uint8 major) private pure returns (uint256 value, uint256 next) {
        require(offset < data.length, Malformed(offset));
        uint8 first = uint8(data[offset]);
        require(first >> 5 == major, Malformed(offset));
        value = first & 31;
        next = offset + 1;
        if (value < 24) return (value, next);
        require(value < 28, Malformed(offset));
        uint256 length = 1 << (value - 24);
        require(next + length <= data.length, Malformed(offset));
        value = uint256(bytes32(data[next:next + length])) >> (256 - 8 * length);
        // The shortest head that holds it, or it is another encoding of the same.
        require(value >= (length == 1 ? 24 : 1 << (4 * length)), Malformed(offset));
        next += length;
    }
}
