// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Ed25519Signer} from "./Ed25519Signer.sol";
import {World} from "./World.sol";
import {Gateways} from "../src/Gateways.sol";
import {Proofs} from "../src/Proofs.sol";

contract GatewaysTest is World {
    uint40 private constant DEADLINE = 1 hours;
    uint256 private constant LEAST = 1 ether;
    uint256 private constant WAIT = 7 days;
    Gateways private gateways;
    address private owner = address(0x0123);

    receive() external payable {}

    function setUp() public {
        build();
        gateways = new Gateways(chain, proofs, LEAST, WAIT);
        vm.deal(owner, 10 ether);
    }

    function test_a_gateway_is_bonded_by_the_key_of_its_genesis() public {
        bytes memory payload = genesis(setHash(set));
        bytes memory first = record(0);
        bytes memory second = record(1);
        bytes32[] memory path = pathIn(table, 0);
        bytes memory proof = Ed25519Signer.sign(deviceSeed(0), gateways.bondMessage(here, owner, DEADLINE));
        vm.expectRevert(Gateways.KeyNotProved.selector);
        gateways.bond{value: LEAST}(payload, first, path, DEADLINE, proof);
        vm.startPrank(owner);
        vm.expectRevert(Gateways.KeyNotProved.selector);
        gateways.bond{value: LEAST}(payload, first, path, DEADLINE + 1, proof);
        vm.expectRevert(abi.encodeWithSelector(Gateways.TooLittle.selector, LEAST));
        gateways.bond{value: LEAST - 1}(payload, first, path, DEADLINE, proof);
        vm.expectRevert(Gateways.NoDeadline.selector);
        gateways.bond{value: LEAST}(payload, first, path, 0, proof);
        vm.expectRevert(Proofs.NotTheRecord.selector);
        gateways.bond{value: LEAST}(payload, second, path, DEADLINE, proof);
        bytes memory elsewhere = genesis(bytes32(uint256(1)));
        vm.expectRevert(Gateways.NotFounded.selector);
        gateways.bond{value: LEAST}(elsewhere, first, path, DEADLINE, proof);
        gateways.bond{value: LEAST}(payload, first, path, DEADLINE, proof);
        vm.snapshotGasLastCall("bond of a gateway");
        vm.expectRevert(Gateways.AlreadyBonded.selector);
        gateways.bond{value: LEAST}(payload, first, path, DEADLINE, proof);
        vm.stopPrank();
        vm.expectRevert(Gateways.NoBond.selector);
        gateways.add{value: 1}(bytes32(uint256(1)));
        gateways.add{value: 1}(here);
        vm.assertEq(bondLeft(), LEAST + 1);
    }

    function test_a_stalled_epoch_costs_the_gateway_and_pays_who_closes_it() public {
        bonded();
        vm.warp(block.timestamp + DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(Gateways.NotStalled.selector, block.timestamp));
        gateways.stall(here);
        vm.warp(block.timestamp + 1);
        vm.expectEmit();
        emit Gateways.Stalled(here, 1, 0.05 ether, 0.05 ether);
        gateways.stall(here);
        vm.snapshotGasLastCall("stall");
        vm.assertEq(bondLeft(), 0.9 ether);
        vm.assertEq(fundOf(), 0.05 ether);
        // Once per deadline.
        vm.expectRevert(abi.encodeWithSelector(Gateways.NotStalled.selector, block.timestamp + DEADLINE));
        gateways.stall(here);
        vm.warp(block.timestamp + DEADLINE + 1);
        gateways.stall(here);
        vm.assertEq(bondLeft(), 0.81 ether);
        bytes memory payload = header(value, 0, setHash(set));
        bytes memory five = votes(payload, 0, 5);
        vm.expectRevert(Gateways.NoMasternode.selector);
        gateways.close(here, payload, set, 0, five);
        address masternode = vm.addr(secret(6));
        uint256 before = masternode.balance;
        vm.prank(masternode);
        gateways.close(here, payload, set, 0, five);
        vm.assertEq(masternode.balance - before, 0.095 ether);
        (head, number) = (hashOf(payload), 1);
        // The deadline begins anew with the header, and a prize is paid once.
        vm.expectRevert(abi.encodeWithSelector(Gateways.NotStalled.selector, block.timestamp + DEADLINE));
        gateways.stall(here);
        payload = header(value, 0, setHash(set));
        five = votes(payload, 0, 5);
        before = masternode.balance;
        vm.prank(masternode);
        gateways.close(here, payload, set, 0, five);
        vm.assertEq(masternode.balance, before);
    }

    function test_a_prize_that_nobody_won_pays_for_headers() public {
        bonded();
        vm.warp(block.timestamp + DEADLINE + 1);
        gateways.stall(here);
        anchor(value, 0, 0);
        vm.warp(block.timestamp + DEADLINE + 1);
        uint256 before = fundOf();
        gateways.stall(here);
        // 0.09 of this time, half of it, and the first prize.
        vm.assertEq(fundOf() - before, 0.045 ether + 0.05 ether);
        vm.assertEq(address(gateways).balance, bondLeft() + 0.045 ether);
    }

    function test_two_headers_of_one_number_cost_the_bond() public {
        bonded();
        bytes memory a = signed(0, here, header(value, 0, setHash(set)));
        bytes memory b = signed(0, here, header(value - 1, 0, setHash(set)));
        bytes memory others = signed(1, here, header(value - 1, 0, setHash(set)));
        number = 1;
        bytes memory later = signed(0, here, header(value, 0, setHash(set)));
        vm.expectRevert(Gateways.NoTwoHeaders.selector);
        gateways.twoHeaders(here, a, a);
        vm.expectRevert(Gateways.NoTwoHeaders.selector);
        gateways.twoHeaders(here, a, later);
        try gateways.twoHeaders(here, a, others) {
            revert("another's header");
        } catch {}
        bytes memory forged = bytes.concat(b);
        forged[forged.length - 40] ^= 0x01;
        vm.expectRevert(Proofs.NotSigned.selector);
        gateways.twoHeaders(here, a, forged);
        vm.expectRevert(Gateways.NoBond.selector);
        gateways.twoHeaders(bytes32(uint256(1)), a, b);
        uint256 before = address(this).balance;
        gateways.twoHeaders(here, a, b);
        vm.snapshotGasLastCall("twoHeaders");
        vm.assertEq(address(this).balance - before, LEAST / 10);
        vm.assertEq(fundOf(), LEAST - LEAST / 10);
        vm.assertEq(address(gateways).balance, 0);
        vm.expectRevert(Gateways.NoBond.selector);
        gateways.twoHeaders(here, a, b);
    }

    /// What the GL-node of the vectors signed verifies here as there, and what devices refuse for its signature does not.
    function test_headers_of_the_devices() public view {
        string memory json = vm.readFile("../../vectors/posp.json");
        uint256 held;
        for (uint256 row = 0; vm.keyExistsJson(json, place(row, "kind")); ++row) {
            if (!same(json, row, "kind", "header")) continue;
            bool good = vm.parseJson(json, place(row, "error")).length == 32;
            try proofs.signedHeader(hexAt(json, row, "bytes"), bytes32(hexAt(json, row, "key"))) returns (
                bytes32 neighbourhood, uint32, bytes32 hash
            ) {
                // Whose it is, who asks compares.
                if (!good) {
                    vm.assertTrue(neighbourhood != bytes32(hexAt(json, row, "neighbourhood")));
                    continue;
                }
                vm.assertEq(hash, bytes32(hexAt(json, row, "hash")));
                ++held;
            } catch {
                vm.assertTrue(!good);
            }
        }
        vm.assertEq(held, 3);
    }

    function test_a_bond_is_free_after_the_delay_and_answers_until_then() public {
        bonded();
        vm.expectRevert(Gateways.NotYours.selector);
        gateways.quit(here);
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(Gateways.NotFree.selector, 0));
        gateways.take(here);
        gateways.quit(here);
        vm.expectRevert(abi.encodeWithSelector(Gateways.NotFree.selector, block.timestamp + WAIT));
        gateways.quit(here);
        vm.expectRevert(abi.encodeWithSelector(Gateways.NotFree.selector, block.timestamp + WAIT));
        gateways.take(here);
        vm.warp(block.timestamp + WAIT);
        gateways.stall(here);
        uint256 before = owner.balance;
        gateways.take(here);
        vm.assertEq(owner.balance - before, 0.9 ether);
        vm.assertEq(fundOf(), 0.1 ether);
        vm.assertEq(address(gateways).balance, 0);
        vm.stopPrank();
    }

    function bonded() private {
        bytes memory proof = Ed25519Signer.sign(deviceSeed(0), gateways.bondMessage(here, owner, DEADLINE));
        bytes memory payload = genesis(setHash(set));
        bytes memory first = record(0);
        bytes32[] memory path = pathIn(table, 0);
        vm.prank(owner);
        gateways.bond{value: LEAST}(payload, first, path, DEADLINE, proof);
    }

    /// A header as member i signs it (section 7).
    function signed(uint256 i, bytes32 where, bytes memory payload) private view returns (bytes memory) {
        bytes8 kid = bytes8(sha256(bytes.concat(hex"a301012006215820", Ed25519Signer.publicKey(deviceSeed(i)))));
        bytes memory protected = bytes.concat(hex"4da201270448", kid);
        bytes memory item = bytes.concat(hex"59", bytes2(uint16(payload.length)), payload);
        bytes memory aad = bytes.concat(hex"5833826f", "iotedge/macro/1", hex"5820", where);
        bytes memory message = bytes.concat(hex"846a", "Signature1", protected, aad, item);
        return bytes.concat(hex"84", protected, hex"a0", item, hex"5840", Ed25519Signer.sign(deviceSeed(i), message));
    }

    function bondLeft() private view returns (uint256 left) {
        (,, left,,,,,) = gateways.bonds(here);
    }

    function fundOf() private view returns (uint256 wei_) {
        (,,,,,, wei_) = chain.neighbourhoods(here);
    }
}
