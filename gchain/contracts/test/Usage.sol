// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {World} from "./World.sol";
import {Rfc9162} from "../src/Rfc9162.sol";
import {Services} from "../src/Services.sol";

/// Headers in whose state a consumer spent and a provider received.
abstract contract Usage is World {
    bytes32 internal constant CONSUMER = bytes32(uint256(0xc0));
    bytes32 internal constant PROVIDER = bytes32(uint256(0xd0));

    function stateOf(uint64 debits, uint64 credits) internal returns (Services.State memory state) {
        bytes[4] memory entries;
        bytes32[] memory leaves = new bytes32[](4);
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 device = i == 1 ? CONSUMER : i == 2 ? PROVIDER : bytes32(i);
            entries[i] = bytes.concat(hex"855820", device, uintItem(i == 2 ? credits : 50_000));
            entries[i] = bytes.concat(entries[i], uintItem(i == 1 ? debits : 7), hex"095820", bytes32(i));
            leaves[i] = Rfc9162.leafHash(entries[i]);
        }
        stateRoot = rootOf(leaves);
        state.size = 4;
        state.consumer = Services.Leaf(entries[1], 1, pathIn(leaves, 1));
        state.provider = Services.Leaf(entries[2], 2, pathIn(leaves, 2));
    }
}
