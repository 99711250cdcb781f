// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.sol";
import {Rfc9162} from "../src/Rfc9162.sol";

contract Prover {
    function root(bytes calldata entry, uint256 index, uint256 size, bytes32[] calldata path)
        external
        pure
        returns (bytes32)
    {
        return Rfc9162.rootFromPath(Rfc9162.leafHash(entry), index, size, path);
    }
}

contract Rfc9162Test is Base {
    Prover private prover = new Prover();

    /// Every path of vectors/merkle.json has the outcome that devices give it.
    function test_the_vectors_of_the_devices() public view {
        string memory json = vm.readFile("../../vectors/merkle.json");
        uint256 held;
        uint256 refused;
        for (uint256 row = 0; vm.keyExistsJson(json, pathOf(row, "kind")); ++row) {
            if (keccak256(bytes(vm.parseJsonString(json, pathOf(row, "kind")))) != keccak256("path")) {
                continue;
            }
            bytes memory leaf = unhex(vm.parseJsonString(json, pathOf(row, "leaf")));
            bytes32 root = abi.decode(unhex(vm.parseJsonString(json, pathOf(row, "root"))), (bytes32));
            uint256 index = vm.parseJsonUint(json, pathOf(row, "index"));
            uint256 size = vm.parseJsonUint(json, pathOf(row, "size"));
            bytes32[] memory path = steps(vm.parseJsonStringArray(json, pathOf(row, "path")));
            // A refusal has a name; null has none, and comes as one word of zero.
            bool good = vm.parseJson(json, pathOf(row, "error")).length == 32;
            bool found;
            try prover.root(leaf, index, size, path) returns (bytes32 led) {
                found = led == root;
            } catch {}
            vm.assertTrue(found == good);
            if (good) ++held;
            else ++refused;
        }
        vm.assertEq(held, 73);
        vm.assertEq(refused, 11);
    }

    /// A changed leaf, index or sibling never leads to the root of a tree of four.
    function testFuzz_nothing_else_leads_to_the_root(bytes32[4] memory leaves, uint256 bit, uint8 which) public view {
        bytes32[] memory path = new bytes32[](2);
        path[0] = Rfc9162.leafHash(abi.encode(leaves[1]));
        path[1] = Rfc9162.nodeHash(Rfc9162.leafHash(abi.encode(leaves[2])), Rfc9162.leafHash(abi.encode(leaves[3])));
        bytes32 root = Rfc9162.nodeHash(Rfc9162.nodeHash(Rfc9162.leafHash(abi.encode(leaves[0])), path[0]), path[1]);
        vm.assertEq(prover.root(abi.encode(leaves[0]), 0, 4, path), root);
        bytes32 flip = bytes32(uint256(1) << (bit % 256));
        if (which % 3 == 2) {
            vm.assertTrue(prover.root(abi.encode(leaves[0] ^ flip), 0, 4, path) != root);
        } else {
            path[which % 3] ^= flip;
            vm.assertTrue(prover.root(abi.encode(leaves[0]), 0, 4, path) != root);
        }
    }

    function test_a_place_that_is_not_there_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(Rfc9162.LeafOutOfRange.selector, 4, 4));
        prover.root("", 4, 4, new bytes32[](2));
        vm.expectRevert(Rfc9162.PathLength.selector);
        prover.root("", 0, 4, new bytes32[](1));
        vm.expectRevert(Rfc9162.PathLength.selector);
        prover.root("", 0, 4, new bytes32[](3));
    }

    function pathOf(uint256 row, string memory field) private pure returns (string memory) {
        return string.concat("$[", vm.toString(row), "].", field);
    }

    function unhex(string memory digits) private pure returns (bytes memory) {
        return vm.parseBytes(string.concat("0x", digits));
    }

    function steps(string[] memory hexes) private pure returns (bytes32[] memory path) {
        path = new bytes32[](hexes.length);
        for (uint256 step = 0; step < hexes.length; ++step) {
            path[step] = abi.decode(unhex(hexes[step]), (bytes32));
        }
    }
}
