// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title RLP, as much of it as a block's header needs
/// @notice For bytes whose hash is known to be a header's: what is read must be there, but that the encoding is the only one is the hash's to say.
library Rlp {
    error Malformed();

    /// @notice The item at this place of a list, which has to be 32 bytes.
    function wordAt(bytes calldata list, uint256 place) internal pure returns (bytes32) {
        (uint256 from, uint256 end, bool nested) = item(list, 0);
        require(nested && end == list.length, Malformed());
        bool inner;
        for (uint256 i = 0; i < place; ++i) {
            (, from,) = item(list, from);
        }
        (from, end, inner) = item(list, from);
        require(!inner && end - from == 32, Malformed());
        return bytes32(list[from:end]);
    }

    /// Where the content of the item at an offset begins and ends, and whether it is a list.
    function item(bytes calldata data, uint256 offset) private pure returns (uint256 from, uint256 end, bool nested) {
        require(offset < data.length, Malformed());
        uint256 first = uint8(data[offset]);
        if (first < 0x80) return (offset, offset + 1, false);
        nested = first >= 0xc0;
        uint256 length = first - (nested ? 0xc0 : 0x80);
        from = offset + 1;
        if (length > 55) {
            uint256 digits = length - 55;
            require(from + digits <= data.length, Malformed());
            length = uint256(bytes32(data[from:from + digits])) >> (256 - 8 * digits);
            from += digits;
        }
        require(length <= data.length, Malformed());
        end = from + length;
        require(end <= data.length, Malformed());
    }
}
