// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {World} from "./World.sol";
import {Elections} from "../src/Elections.sol";
import {Seeds} from "../src/Seeds.sol";

contract ElectionsTest is World {
    uint256 private constant FIRST = 10_000;
    uint256 private constant LENGTH = 10_000;
    bytes32 private constant GAMMA = bytes32(uint256(0xaa));
    Elections private elections;

    function setUp() public {
        build();
        elections = new Elections(chain, new Seeds(FIRST, LENGTH, 8_000), 5, 12, 1 days);
    }

    function node(uint256 i) private pure returns (address) {
        return vm.addr(secret(i));
    }

    function vrf(uint256 i) private pure returns (bytes32) {
        return bytes32(0x7000 + i);
    }

    function keyOf(uint256 i) private view returns (bytes32 key) {
        (key,,,) = chain.masternodes(node(i));
    }

    function register(uint256 i) private {
        vm.prank(node(i));
        elections.register(vrf(i));
    }

    /// The height at which a term begins.
    function beginning(uint256 term) private pure returns (uint256) {
        return FIRST + (term + 1) * LENGTH;
    }

    /// Keys that stand for a term, as whoever reads the contract finds them.
    function listOf(uint256 term) private view returns (bytes32[] memory keys) {
        Elections.Candidate[] memory every = elections.candidates(0, elections.count());
        keys = new bytes32[](every.length);
        uint256 found;
        for (uint256 i = 0; i < every.length; ++i) {
            if (every[i].registered + 3 <= term && (every[i].until == 0 || term < every[i].until)) {
                keys[found++] = keccak256(abi.encode(every[i].key, every[i].vrf));
            }
        }
        assembly ("memory-safe") {
            mstore(keys, found)
        }
    }

    function test_terms_are_those_of_the_seeds() public {
        vm.roll(1);
        vm.assertEq(elections.term(), 0);
        vm.roll(beginning(1) - 1);
        vm.assertEq(elections.term(), 0);
        vm.roll(beginning(1));
        vm.assertEq(elections.term(), 1);
        vm.roll(beginning(9));
        vm.assertEq(elections.term(), 9);
        (uint256 from, uint256 to) = elections.window(9, 3);
        vm.assertEq(from, beginning(8) + 6_000);
        vm.assertEq(to, beginning(8) + 8_000);
        vm.expectRevert(Elections.NoAttempt.selector);
        elections.window(9, 4);
        vm.expectRevert(Elections.NoAttempt.selector);
        elections.window(2, 0);
        vm.assertEq(elections.ID(), sha256(abi.encodePacked("iotedge/elections/1", block.chainid, address(elections))));
    }

    function test_collateral_outlasts_the_term() public {
        Seeds seeds = new Seeds(FIRST, LENGTH, 8_000);
        uint256 wanted = 2 * LENGTH * 60 + 1 days;
        vm.expectRevert(abi.encodeWithSelector(Elections.UnbondingBelow.selector, wanted));
        new Elections(chain, seeds, 5, 60, 1 days);
        vm.expectRevert(Elections.BadSeats.selector);
        new Elections(chain, seeds, 65, 12, 1 days);
        vm.expectRevert(Elections.BadSeats.selector);
        new Elections(chain, seeds, 0, 12, 1 days);
    }

    function test_a_candidate_stands_from_the_third_term_on() public {
        vm.roll(beginning(4));
        vm.expectRevert(Elections.NoMasternode.selector);
        elections.register(vrf(0));
        bytes32 key = keyOf(0);
        vm.prank(node(0));
        vm.expectRevert(Elections.SigningKey.selector);
        elections.register(key);
        register(0);
        vm.snapshotGasLastCall("register");
        vm.assertEq(listOf(6).length, 0);
        vm.assertEq(listOf(7).length, 1);
        // Another function in the same term takes the place, a later one follows it.
        vm.prank(node(0));
        elections.register(vrf(8));
        vm.assertEq(elections.count(), 1);
        vm.roll(beginning(5) - 1);
        bytes32 seven = listOf(7)[0];
        vm.roll(beginning(5));
        vm.prank(node(0));
        elections.register(vrf(9));
        vm.assertEq(listOf(7)[0], seven);
        vm.assertEq(listOf(8).length, 1);
        vm.assertEq(listOf(8)[0], keccak256(abi.encode(key, vrf(9))));
        vm.assertEq(elections.stand(), 1);
        vm.assertEq(elections.candidates(1, 9).length, 1);
        vm.assertEq(elections.candidates(2, 9).length, 0);
        vm.assertEq(elections.candidates(0, 1).length, 1);
    }

    function test_proofs_are_taken_within_their_blocks_and_once() public {
        vm.roll(beginning(0));
        register(0);
        (uint256 from, uint256 to) = elections.window(3, 1);
        vm.roll(from - 1);
        vm.prank(node(0));
        vm.expectRevert(abi.encodeWithSelector(Elections.NotYet.selector, from));
        elections.reveal(3, 1, GAMMA, bytes16(uint128(2)), bytes32(uint256(3)));
        vm.roll(to - 1);
        vm.expectRevert(Elections.NoMasternode.selector);
        elections.reveal(3, 1, GAMMA, bytes16(uint128(2)), bytes32(uint256(3)));
        vm.startPrank(node(0));
        vm.expectRevert(Elections.NoProof.selector);
        elections.reveal(3, 1, 0, bytes16(uint128(2)), bytes32(uint256(3)));
        elections.reveal(3, 1, GAMMA, bytes16(uint128(2)), bytes32(uint256(3)));
        vm.snapshotGasLastCall("reveal");
        vm.expectRevert(Elections.AlreadyRevealed.selector);
        elections.reveal(3, 1, bytes32(uint256(4)), bytes16(uint128(2)), bytes32(uint256(3)));
        vm.stopPrank();
        bytes32[] memory keys = new bytes32[](2);
        (keys[0], keys[1]) = (keyOf(1), keyOf(0));
        Elections.Reveal[] memory found = elections.reveals(3, 1, keys);
        vm.assertEq(found[0].gamma, 0);
        vm.assertEq(found[1].gamma, GAMMA);
        vm.assertEq(found[1].c, bytes16(uint128(2)));
        vm.assertEq(found[1].s, bytes32(uint256(3)));
        vm.assertEq(elections.reveals(3, 0, keys)[1].gamma, 0);
        vm.roll(to);
        vm.prank(node(1));
        vm.expectRevert(abi.encodeWithSelector(Elections.TooLate.selector, to));
        elections.reveal(3, 1, GAMMA, bytes16(0), 0);
    }

    function test_who_leaves_neither_stands_nor_reveals() public {
        vm.roll(beginning(0));
        register(0);
        vm.prank(node(0));
        chain.quit();
        vm.prank(node(0));
        vm.expectRevert(Elections.NoMasternode.selector);
        elections.register(vrf(0));
        bytes32 key = keyOf(0);
        (uint256 from,) = elections.window(3, 0);
        vm.roll(from);
        vm.prank(node(0));
        vm.expectRevert(Elections.NoMasternode.selector);
        elections.reveal(3, 0, GAMMA, bytes16(0), 0);
        vm.assertEq(listOf(5).length, 1);
        elections.drop(key);
        vm.snapshotGasLastCall("drop");
        // Lists that were closed keep it.
        vm.assertEq(listOf(4).length, 1);
        vm.assertEq(listOf(5).length, 0);
        vm.assertEq(elections.stand(), 0);
        vm.expectRevert(Elections.NotStanding.selector);
        elections.drop(key);
    }

    function test_who_is_absent_is_dropped_unless_it_reveals() public {
        vm.roll(beginning(0));
        register(0);
        register(1);
        (bytes32 zero, bytes32 one) = (keyOf(0), keyOf(1));
        vm.expectRevert(Elections.InService.selector);
        elections.drop(zero);
        vm.warp(block.timestamp + ABSENCE + 1);
        (uint256 from,) = elections.window(3, 0);
        vm.roll(from);
        vm.prank(node(0));
        elections.reveal(3, 0, GAMMA, bytes16(0), 0);
        vm.expectRevert(Elections.InService.selector);
        elections.drop(zero);
        elections.drop(one);
        vm.roll(beginning(4));
        vm.expectRevert(Elections.InService.selector);
        elections.drop(zero);
        vm.roll(beginning(5));
        elections.drop(zero);
        // By itself whenever it likes, and again.
        register(1);
        vm.prank(node(1));
        elections.drop(one);
        register(1);
        vm.assertEq(listOf(8).length, 1);
    }

    function test_one_key_with_two_accounts_stands_once() public {
        vm.roll(beginning(0));
        register(0);
        vm.startPrank(node(0));
        chain.quit();
        vm.warp(block.timestamp + UNBONDING);
        chain.takeCollateral();
        vm.stopPrank();
        // The same account and key again, which leaves its old registration where it was.
        join(0);
        register(0);
        vm.assertEq(listOf(3).length, 1);
        vm.assertEq(elections.stand(), 1);
    }

    /// Whatever happens after registration closed, the list is what it was then, and no key stands in it twice.
    function testFuzz_a_closed_list_stays(uint256 dice) public {
        bytes32[] memory closed = new bytes32[](16);
        for (uint256 term = 0; term < 12; ++term) {
            vm.roll(beginning(term) + 1);
            for (uint256 step = 0; step < 4; ++step) {
                dice = uint256(keccak256(abi.encode(dice)));
                uint256 i = dice % VALIDATORS;
                bytes32 key = keyOf(i);
                vm.prank(node(i));
                if ((dice >> 8) % 3 != 0) elections.register(bytes32(dice | 1));
                else try elections.drop(key) {} catch {}
            }
            // The list of term + 3 closes with this term.
            closed[term + 3] = keccak256(abi.encode(listOf(term + 3)));
            vm.assertLe(listOf(term + 3).length, elections.stand());
        }
        for (uint256 term = 3; term < 15; ++term) {
            vm.assertEq(closed[term], keccak256(abi.encode(listOf(term))));
        }
    }
}
