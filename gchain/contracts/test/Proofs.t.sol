// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Ed25519Signer} from "./Ed25519Signer.sol";
import {World} from "./World.sol";
import {Formats} from "../src/Formats.sol";
import {Masternodes} from "../src/Masternodes.sol";
import {Neighbourhoods} from "../src/Neighbourhoods.sol";
import {Proofs} from "../src/Proofs.sol";

contract ProofsTest is World {
    receive() external payable {}

    function setUp() public {
        build();
    }

    /// Double votes have the outcome that devices give them, but those that are good for another set or neighbourhood.
    function test_double_votes_of_the_devices() public view {
        string memory json = vm.readFile("../../vectors/posp.json");
        uint256 held;
        uint256 refused;
        for (uint256 row = 0; vm.keyExistsJson(json, place(row, "kind")); ++row) {
            if (!same(json, row, "kind", "double-vote")) continue;
            bool good = vm.parseJson(json, place(row, "error")).length == 32;
            bytes32 asked = bytes32(hexAt(json, row, "neighbourhood"));
            // Of whom and of where it must be is asked of collateral and of what was founded here.
            bool other =
                !good && (same(json, row, "name", "no validator") || same(json, row, "name", "another neighbourhood"));
            try proofs.doubleVote(hexAt(json, row, "bytes")) returns (bytes32 neighbourhood, bytes32) {
                vm.assertTrue(good || other);
                vm.assertTrue(neighbourhood == asked || same(json, row, "name", "another neighbourhood"));
                ++held;
            } catch {
                vm.assertTrue(!good);
                ++refused;
            }
        }
        vm.assertTrue(held >= 1 && refused >= 4);
        vm.assertEq(held + refused, 7);
    }

    function test_who_votes_for_two_roots_is_slashed_once() public {
        bytes memory statement = twoRoots(2, here, bytes32(uint256(1)), bytes32(uint256(2)));
        uint256 before = address(this).balance;
        chain.doubleRoot(statement);
        vm.snapshotGasLastCall("doubleRoot");
        vm.assertEq(address(this).balance - before, COLLATERAL / 10);
        vm.expectRevert(Masternodes.NotBonded.selector);
        chain.doubleRoot(statement);
        bytes memory elsewhere = twoRoots(3, bytes32(uint256(5)), bytes32(uint256(1)), bytes32(uint256(2)));
        vm.expectRevert(Neighbourhoods.UnknownNeighbourhood.selector);
        chain.doubleRoot(elsewhere);
    }

    function test_one_root_twice_is_no_double_vote() public {
        bytes memory once = twoRoots(2, here, bytes32(uint256(1)), bytes32(uint256(1)));
        vm.expectRevert(Proofs.OneRoot.selector);
        chain.doubleRoot(once);
        bytes memory down = twoRoots(2, here, bytes32(uint256(2)), bytes32(uint256(1)));
        vm.expectRevert(Proofs.OneRoot.selector);
        chain.doubleRoot(down);
        bytes memory forged = twoRoots(2, here, bytes32(uint256(1)), bytes32(uint256(2)));
        forged[forged.length - 40] ^= 0x01;
        vm.expectRevert(Proofs.NotSigned.selector);
        chain.doubleRoot(forged);
        forged[1] = 0x02;
        vm.expectRevert(abi.encodeWithSelector(Formats.Version.selector, 2));
        chain.doubleRoot(forged);
    }

    function twoRoots(uint256 i, bytes32 where, bytes32 a, bytes32 b) private view returns (bytes memory) {
        bytes32 key = Ed25519Signer.publicKey(seed(i));
        bytes memory start = bytes.concat(hex"88015820", where, hex"095820", key, hex"5820", a, hex"5840");
        return bytes.concat(start, rootVote(i, where, a), hex"5820", b, hex"5840", rootVote(i, where, b));
    }

    /// A vote for number 9, as in section 7.1.
    function rootVote(uint256 i, bytes32 where, bytes32 root) private view returns (bytes memory) {
        bytes8 kid = bytes8(sha256(bytes.concat(hex"a301012006215820", Ed25519Signer.publicKey(seed(i)))));
        bytes memory protected =
            bytes.concat(hex"a601270448", kid, hex"106f", "iotedge/macro/1", hex"19018b013a00011170");
        protected = bytes.concat(protected, hex"5820", where, hex"3a0001117109");
        bytes memory message = bytes.concat(
            hex"846a", "Signature1", hex"58", bytes1(uint8(protected.length)), protected, hex"405820", root
        );
        return Ed25519Signer.sign(seed(i), message);
    }
}
