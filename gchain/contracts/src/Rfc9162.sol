// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Inclusion proofs of RFC 9162 section 2.1.3.2 over SHA-256
/// @notice The trees of a macro transaction: its transactions and its exits. The same rule as `root_from_path` in core/src/wire/merkle.rs, and the same vectors.
library Rfc9162 {
    /// The proof speaks of a leaf that a tree of this size does not have.
    error LeafOutOfRange(uint256 index, uint256 size);
    /// The path is longer or shorter than this index and size demand.
    error PathLength();

    /// @notice The hash of a leaf: SHA-256(0x00 || bytes).
    function leafHash(bytes memory entry) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(uint8(0), entry));
    }

    /// @notice The hash of an inner node: SHA-256(0x01 || left || right).
    function nodeHash(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(uint8(1), left, right));
    }

    /// @notice The root that a leaf's hash leads to.
    /// @param leaf The leaf's hash.
    /// @param index Its place, from 0.
    /// @param size Leaves of the tree.
    /// @param path Siblings, from the leaf upwards.
    function rootFromPath(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata path)
        internal
        pure
        returns (bytes32 root)
    {
        require(index < size, LeafOutOfRange(index, size));
        uint256 last = size - 1;
        root = leaf;
        for (uint256 step = 0; step < path.length; ++step) {
            require(last != 0, PathLength());
            if (index & 1 == 1 || index == last) {
                root = nodeHash(path[step], root);
                // On the right edge a node without a sibling is lifted unchanged until it is a right child.
                while (index & 1 == 0 && index != 0) {
                    index >>= 1;
                    last >>= 1;
                }
            } else {
                root = nodeHash(root, path[step]);
            }
            index >>= 1;
            last >>= 1;
        }
        require(last == 0, PathLength());
    }
}
