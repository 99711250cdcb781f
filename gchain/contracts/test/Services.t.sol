// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Usage} from "./Usage.sol";
import {Cbor} from "../src/Cbor.sol";
import {Formats} from "../src/Formats.sol";
import {Rfc9162} from "../src/Rfc9162.sol";
import {Services} from "../src/Services.sol";

contract ServicesTest is Usage {
    using Cbor for bytes;

    uint256 private constant GRACE = 1 days;
    /// The cut of World's headers in seconds, and a little.
    uint40 private constant END = 1_760_000_011;
    address payable private payee = payable(address(0xfee));
    Services private services;

    receive() external payable {}

    function setUp() public {
        build();
        services = new Services(chain, GRACE);
        vm.warp(END - 1_000);
    }

    function test_usage_releases_its_share_of_the_price() public {
        uint256 id = opened(1_000, 5_000);
        uint256 left = address(services).balance;
        vm.assertEq(left, 1 ether);
        // A quarter of the units was spent and received.
        Services.State memory state = anchored(1_250, 5_300);
        services.release(id, state);
        vm.snapshotGasLastCall("release");
        vm.assertEq(payee.balance, 0.25 ether);
        vm.expectRevert(Services.NothingNew.selector);
        services.release(id, state);
        // Less received than spent: a lock that is not claimed yet, or another provider's.
        services.release(id, anchored(1_900, 5_400));
        vm.assertEq(payee.balance, 0.4 ether);
        // Less spent than received: another consumer's.
        services.release(id, anchored(1_950, 9_000));
        vm.assertEq(payee.balance, 0.95 ether);
        // Never above the price.
        services.release(id, anchored(9_000, 9_999));
        vm.assertEq(payee.balance, 1 ether);
        vm.warp(END + GRACE + 1);
        services.finish(id);
        vm.assertEq(address(services).balance, 0);
    }

    function test_what_was_not_used_goes_back_after_the_end() public {
        uint256 id = opened(1_000, 5_000);
        services.release(id, anchored(1_100, 5_100));
        vm.expectRevert(abi.encodeWithSelector(Services.NotFinished.selector, END + GRACE));
        services.finish(id);
        vm.warp(END + GRACE + 1);
        uint256 before = address(this).balance;
        services.finish(id);
        vm.assertEq(address(this).balance - before, 0.9 ether);
        vm.expectRevert(Services.NoService.selector);
        services.finish(id);
        // The payee gives back when it likes.
        vm.warp(END - 1_000);
        id = opened(1_000, 5_000);
        vm.prank(payee);
        services.finish(id);
        vm.assertEq(address(services).balance, 0);
    }

    function test_the_start_is_the_newest_header() public {
        Services.State memory old = anchored(1_000, 5_000);
        anchored(1_100, 5_100);
        vm.expectRevert(Services.NotTheHead.selector);
        services.open{value: 1 ether}(Services.Terms(here, CONSUMER, PROVIDER, payee, 1_000, END), old);
    }

    function test_terms_that_are_none_are_refused() public {
        Services.State memory start = anchored(1_000, 5_000);
        vm.expectRevert(Services.NoTerms.selector);
        services.open(Services.Terms(here, CONSUMER, PROVIDER, payee, 1_000, END), start);
        vm.expectRevert(Services.NoTerms.selector);
        services.open{value: 1}(Services.Terms(here, CONSUMER, PROVIDER, payee, 0, END), start);
        vm.expectRevert(Services.NoTerms.selector);
        services.open{value: 1}(Services.Terms(here, CONSUMER, PROVIDER, payee, 1, uint40(block.timestamp)), start);
        vm.expectRevert(Services.NoTerms.selector);
        services.open{value: 1}(Services.Terms(here, CONSUMER, PROVIDER, payable(0), 1, END), start);
        vm.expectRevert(Services.NoTerms.selector);
        services.open{value: 1}(Services.Terms(here, CONSUMER, CONSUMER, payee, 1, END), start);
        vm.expectRevert(Services.NotTheState.selector);
        services.open{value: 1}(Services.Terms(here, PROVIDER, CONSUMER, payee, 1, END), start);
    }

    function test_only_anchored_states_of_the_two_count() public {
        uint256 id = opened(1_000, 5_000);
        Services.State memory state = anchored(1_250, 5_300);
        Services.State memory forged = stateOf(1_900, 5_900);
        forged.header = state.header;
        vm.expectRevert(Services.NotTheState.selector);
        services.release(id, forged);
        forged.header = header(value, 0, setHash(set));
        vm.expectRevert(Services.NotAnchored.selector);
        services.release(id, forged);
        (state.consumer, state.provider) = (state.provider, state.consumer);
        vm.expectRevert(Services.NotTheState.selector);
        services.release(id, state);
        here = bytes32(uint256(1));
        state.header = header(value, 0, setHash(set));
        vm.expectRevert(Services.OtherNeighbourhood.selector);
        services.release(id, state);
        vm.expectRevert(Services.NoService.selector);
        services.release(id + 1, state);
    }

    function test_usage_after_the_end_does_not_count() public {
        Services.State memory start = anchored(1_000, 5_000);
        uint40 early = 1_760_000_009;
        uint256 id = services.open{value: 1 ether}(Services.Terms(here, CONSUMER, PROVIDER, payee, 1_000, early), start);
        Services.State memory state = anchored(1_250, 5_300);
        vm.expectRevert(abi.encodeWithSelector(Services.TooLate.selector, early));
        services.release(id, state);
    }

    /// The leaves of the devices' own settlements lead to their state roots.
    function test_states_of_the_devices() public view {
        string memory json = vm.readFile("../../vectors/settlement.json");
        uint256 held;
        for (uint256 row = 0; row < 3; ++row) {
            string[] memory records = vm.parseJsonStringArray(json, place(row, "expected.after"));
            bytes32[] memory leaves = new bytes32[](records.length);
            for (uint256 i = 0; i < records.length; ++i) {
                bytes memory leaf = this.leafOfRecord(vm.parseBytes(string.concat("0x", records[i])));
                this.readState(leaf);
                leaves[i] = Rfc9162.leafHash(leaf);
                ++held;
            }
            vm.assertEq(rootOf(leaves), bytes32(hexAt(json, row, "expected.state_root")));
        }
        vm.assertEq(held, 12);
    }

    function readState(bytes calldata leaf) external pure returns (bytes32, uint64, uint64) {
        return Formats.state(leaf);
    }

    function leafOfRecord(bytes calldata record) external pure returns (bytes memory) {
        (bytes32 device, uint256 offset) = record.word(2);
        // Behind a key of Ed25519, one byte of weight and of roles, and three caps.
        offset = record.arrayOf(offset + 42, 3);
        for (uint256 cap = 0; cap < 3; ++cap) {
            (, offset) = record.unsigned(offset);
        }
        uint256 next;
        (, next) = record.unsigned(offset);
        bytes memory head = record[offset:next + 34];
        offset = next + 34;
        (, next) = record.unsigned(offset);
        (, next) = record.unsigned(next);
        return bytes.concat(hex"855820", device, record[offset:next], head);
    }

    function opened(uint64 debits, uint64 credits) private returns (uint256 id) {
        Services.State memory start = anchored(debits, credits);
        vm.deal(address(this), 10 ether);
        id = services.open{value: 1 ether}(Services.Terms(here, CONSUMER, PROVIDER, payee, 1_000, END), start);
        vm.snapshotGasLastCall("open");
    }

    /// Anchors a header in whose state the consumer has these debits and the provider these credits.
    function anchored(uint64 debits, uint64 credits) private returns (Services.State memory state) {
        state = stateOf(debits, credits);
        state.header = header(value, 0, setHash(set));
        anchor(value, 0, 0);
    }
}
