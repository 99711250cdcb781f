// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Ed25519Signer} from "./Ed25519Signer.sol";
import {World} from "./World.sol";
import {Exits} from "../src/Exits.sol";
import {GChain} from "../src/GChain.sol";
import {Proofs} from "../src/Proofs.sol";
import {Rfc9162} from "../src/Rfc9162.sol";

contract ExitsTest is World {
    address payable private constant TARGET = payable(address(0xbeef));
    address private constant CHALLENGER = address(0xc4a1);
    bytes32 private constant PARENTS = bytes32(uint256(0x1234));
    uint256 private constant P256_MEMBER = MEMBERS - 1;

    receive() external payable {}

    function setUp() public {
        build();
        vm.deal(CHALLENGER, 1 ether);
    }

    function test_an_exit_that_is_shown_is_paid() public {
        (Exits.Exit memory e, Proofs.ExitProof memory proof) = real(3, 1, 1, 300);
        left(e);
        challenge(e);
        vm.warp(block.timestamp + WINDOW);
        vm.expectRevert(Exits.Disputed.selector);
        take(e);
        uint256 before = address(this).balance;
        chain.show(e, proof);
        vm.snapshotGasLastCall("show, Ed25519");
        vm.assertEq(address(this).balance - before, BOND);
        vm.expectRevert(Exits.NoDispute.selector);
        chain.show(e, proof);
        take(e);
        vm.assertEq(TARGET.balance, 300 * UNIT);
    }

    function test_an_exit_that_nobody_signed_is_void_and_its_voters_are_slashed() public {
        Exits.Exit memory e = Exits.Exit(here, 1, TARGET, 300, bytes32(uint256(77)));
        uint64 had = value;
        left(e);
        challenge(e);
        uint256 until = block.timestamp + ANSWER;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(Exits.AnswerTime.selector, until));
        chain.void(e);
        bytes memory opener = genesis(setHash(set));
        vm.expectRevert(Exits.NotVoid.selector);
        chain.convict(e, opener, set);
        vm.warp(until + 1);
        chain.void(e);
        vm.snapshotGasLastCall("void");
        vm.expectRevert(Exits.NoDispute.selector);
        chain.void(e);
        // 300 are the neighbourhood's again: it can say so with the next header.
        (,, uint64 total,,,,) = chain.neighbourhoods(here);
        vm.assertEq(total, had);
        vm.expectRevert(Exits.NotAnExit.selector);
        take(e);
        bytes memory other = bytes.concat(set);
        other[other.length - 1] = 0x0b;
        vm.expectRevert(Exits.NotTheVoters.selector);
        chain.convict(e, opener, other);
        bytes memory elsewhere = bytes.concat(opener);
        elsewhere[10] ^= 0x01;
        vm.expectRevert(Exits.OtherOpener.selector);
        chain.convict(e, elsewhere, set);
        chain.convict(e, opener, set);
        vm.snapshotGasLastCall("convict, 5 voters");
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            (bytes32 key,,,) = chain.masternodes(vm.addr(secret(i)));
            vm.assertTrue((key == 0) == (i < 5));
        }
        // Again there is nobody left to slash.
        chain.convict(e, opener, set);
        vm.prank(CHALLENGER);
        chain.collect();
        vm.assertEq(CHALLENGER.balance, 1 ether + 5 * (COLLATERAL / 10));
    }

    function test_a_void_exit_stays_void_while_others_are_paid() public {
        Exits.Exit memory a = Exits.Exit(here, 1, TARGET, 300, bytes32(uint256(77)));
        Exits.Exit memory b = Exits.Exit(here, 1, TARGET, 200, bytes32(uint256(78)));
        bytes32[] memory leaves = new bytes32[](2);
        leaves[0] = leafOf(Exit(a.target, a.amount, a.txId));
        leaves[1] = leafOf(Exit(b.target, b.amount, b.txId));
        // As much as one of them left: the lie is in the tree, not in the total.
        anchor(value - 300, rootOf(leaves), 0);
        bytes32[] memory path = pathIn(leaves, 0);
        vm.prank(CHALLENGER);
        chain.challenge{value: BOND}(a, 0, 2, path);
        vm.warp(block.timestamp + ANSWER + 1);
        chain.withdraw(here, 1, TARGET, 200, b.txId, 1, 2, pathIn(leaves, 1));
        chain.void(a);
        // No more comes back than was left: 100.
        (,, uint64 total,,,,) = chain.neighbourhoods(here);
        vm.assertEq(total, value + 100);
        vm.expectRevert(Exits.NotAnExit.selector);
        chain.withdraw(here, 1, TARGET, 300, a.txId, 0, 2, path);
    }

    function test_disputes_are_for_exits_in_their_window_and_cost_a_bond() public {
        (Exits.Exit memory e, Proofs.ExitProof memory proof) = real(3, 1, 1, 300);
        left(e);
        bytes32[] memory none = new bytes32[](0);
        vm.expectRevert(abi.encodeWithSelector(Exits.ChallengeBond.selector, BOND));
        chain.challenge{value: BOND - 1}(e, 0, 1, none);
        e.amount = 301;
        vm.expectRevert(Exits.NotAnExit.selector);
        chain.challenge{value: BOND}(e, 0, 1, none);
        e.amount = 300;
        vm.expectRevert(Exits.NoDispute.selector);
        chain.show(e, proof);
        challenge(e);
        vm.snapshotGasLastCall("challenge");
        vm.expectRevert(Exits.Disputed.selector);
        chain.challenge{value: BOND}(e, 0, 1, none);
        uint256 until = block.timestamp + ANSWER;
        vm.warp(until + 1);
        vm.expectRevert(abi.encodeWithSelector(Exits.AnswerTime.selector, until));
        chain.show(e, proof);
        Exits.Exit memory later;
        (later, proof) = real(3, 1, 2, 200);
        left(later);
        uint256 free = block.timestamp + WINDOW;
        vm.warp(free);
        vm.expectRevert(abi.encodeWithSelector(Exits.WindowClosed.selector, free));
        chain.challenge{value: BOND}(later, 0, 1, none);
    }

    function test_what_does_not_show_it() public {
        (Exits.Exit memory e, Proofs.ExitProof memory proof) = real(3, 1, 1, 300);
        left(e);
        challenge(e);
        proof.parents = bytes32(uint256(1));
        vm.expectRevert(Proofs.NotSigned.selector);
        chain.show(e, proof);
        proof.parents = PARENTS;
        // Another member's record; and one that is not in the table.
        bytes memory own = proof.record;
        proof.record = record(2);
        vm.expectRevert(Proofs.NotTheRecord.selector);
        chain.show(e, proof);
        proof.record = own;
        proof.opener = header(value, 0, setHash(set));
        bytes memory opener = genesis(setHash(set));
        proof.opener = bytes.concat(opener);
        proof.opener[10] ^= 0x01;
        vm.expectRevert(Exits.OtherOpener.selector);
        chain.show(e, proof);
        proof.opener = opener;
        // Another transaction of the same issuer, an exit too.
        (, Proofs.ExitProof memory other) = real(3, 1, 1, 301);
        vm.expectRevert(Proofs.NotTheExit.selector);
        chain.show(e, other);
        chain.show(e, proof);
    }

    /// The same id under another amount or target is another leaf, and is not what was signed.
    function test_a_signed_exit_shows_no_other_amount_or_target() public {
        (Exits.Exit memory e, Proofs.ExitProof memory proof) = real(3, 1, 1, 300);
        e.amount = 400;
        left(e);
        challenge(e);
        vm.expectRevert(Proofs.NotTheExit.selector);
        chain.show(e, proof);
        (e, proof) = real(3, 1, 2, 300);
        e.target = payable(address(1));
        left(e);
        challenge(e);
        vm.expectRevert(Proofs.NotTheExit.selector);
        chain.show(e, proof);
    }

    function test_an_issuer_cannot_spend_what_it_has_not() public {
        (Exits.Exit memory e, Proofs.ExitProof memory proof) = real(3, 1, 1, GRANT + 1);
        left(e);
        challenge(e);
        vm.expectRevert(Proofs.NotTheExit.selector);
        chain.show(e, proof);
    }

    function test_who_left_or_is_frozen_signs_no_exit() public {
        // In a neighbourhood of its own, with that record in the table.
        bytes memory gone = record(3);
        gone[77] = 0x08;
        bytes memory frozen = record(2);
        frozen[frozen.length - 1] = 0x01;
        table[3] = Rfc9162.leafHash(gone);
        table[2] = Rfc9162.leafHash(frozen);
        refound();
        (Exits.Exit memory e, Proofs.ExitProof memory proof) = real(3, 1, 1, 300);
        proof.record = gone;
        left(e);
        challenge(e);
        vm.expectRevert(Proofs.NotTheExit.selector);
        chain.show(e, proof);
        (e, proof) = real(2, 1, 2, 300);
        proof.record = frozen;
        left(e);
        challenge(e);
        vm.expectRevert(Proofs.NotTheExit.selector);
        chain.show(e, proof);
    }

    function test_an_exit_belongs_to_the_epochs_that_its_header_settles() public {
        // Headers 1 and 2 settle what is of epoch 1, header 3 what is of 1 and 2.
        anchor(value, 0, 0);
        bytes memory first = header(value, 0, setHash(set));
        anchor(value, 0, 0);
        anchor(value, 0, 0);
        (Exits.Exit memory e, Proofs.ExitProof memory proof) = real(3, 1, 4, 300);
        left(e);
        challenge(e);
        vm.expectRevert(abi.encodeWithSelector(Exits.OtherEpoch.selector, 1));
        chain.show(e, proof);
        (e, proof) = real(3, 3, 5, 300);
        // Opened by header 2, whose payload is `first` as World wrote it then.
        proof.opener = first;
        left(e);
        challenge(e);
        chain.show(e, proof);
        (e, proof) = real(3, 5, 6, 300);
        proof.opener = first;
        left(e);
        challenge(e);
        vm.expectRevert(Exits.OtherOpener.selector);
        chain.show(e, proof);
    }

    function test_p256_members_show_their_exits() public {
        (Exits.Exit memory e, Proofs.ExitProof memory proof) = real(P256_MEMBER, 1, 1, 300);
        left(e);
        challenge(e);
        vm.assertTrue(proofs.hasP256());
        proof.cose[proof.cose.length - 1] ^= 0x01;
        vm.expectRevert(Proofs.NotSigned.selector);
        chain.show(e, proof);
        uint256 before = vm.snapshotState();
        // A chain without EIP-7951 cannot say so: it counts as signed, for no honest voter to be slashed.
        vm.mockCall(address(0x100), "", "");
        vm.assertTrue(!proofs.hasP256());
        chain.show(e, proof);
        vm.clearMockedCalls();
        vm.revertToState(before);
        proof.cose[proof.cose.length - 1] ^= 0x01;
        chain.show(e, proof);
        vm.snapshotGasLastCall("show, P-256");
    }

    function test_an_ed25519_member_cannot_pass_for_a_p256_one() public {
        (Exits.Exit memory e, Proofs.ExitProof memory proof) = real(3, 1, 1, 300);
        left(e);
        challenge(e);
        proof.cose[4] = 0x26;
        vm.expectRevert(Proofs.NotSigned.selector);
        chain.show(e, proof);
    }

    function test_a_deposit_that_is_given_back_is_shown_by_its_index() public {
        vm.deal(TARGET, 1 ether);
        chain.deposit{value: 7 * UNIT}(here, bytes32(uint256(1)));
        vm.prank(TARGET);
        chain.deposit{value: 300 * UNIT}(here, bytes32(uint256(5)));
        bytes32 id = sha256(bytes.concat("iotedge/deposit/1", here, bytes4(uint32(1))));
        Exits.Exit memory e = Exits.Exit(here, 1, TARGET, 300, id);
        anchor(value + 7, leafOf(Exit(TARGET, 300, id)), 2);
        challenge(e);
        vm.expectRevert(Exits.NotGivenBack.selector);
        chain.showDeposit(e, 0);
        vm.expectRevert(Exits.NotGivenBack.selector);
        chain.showDeposit(e, 2);
        chain.showDeposit(e, 1);
        vm.snapshotGasLastCall("showDeposit");
        // Under a later header it is none of what that one credited.
        Exits.Exit memory again = Exits.Exit(here, 2, TARGET, 300, id);
        anchor(value - 300, leafOf(Exit(TARGET, 300, id)), 2);
        challenge(again);
        vm.expectRevert(Exits.NotGivenBack.selector);
        chain.showDeposit(again, 1);
    }

    /// Who leaves and votes until the last second stays until nobody can dispute what it voted for.
    function test_who_leaves_answers_for_its_last_vote() public {
        address account = vm.addr(secret(0));
        vm.prank(account);
        chain.quit();
        vm.warp(block.timestamp + UNBONDING - 1);
        Exits.Exit memory e = Exits.Exit(here, 1, TARGET, 300, bytes32(uint256(77)));
        left(e);
        uint256 free = block.timestamp + WINDOW + 2 * ANSWER;
        challenge(e);
        vm.warp(block.timestamp + ANSWER + 1);
        vm.prank(account);
        vm.expectRevert(abi.encodeWithSignature("NotFree(uint256)", free));
        chain.takeCollateral();
        chain.void(e);
        chain.convict(e, genesis(setHash(set)), set);
        (bytes32 key,,,) = chain.masternodes(account);
        vm.assertTrue(key == 0);
    }

    function test_without_a_window_nothing_waits_and_nothing_is_disputed() public {
        chain = new GChain(UNIT, FEE, COLLATERAL, 0, ABSENCE, proofs, 0, 0, BOND, IERC20(address(0)));
        again();
        Exits.Exit memory e = Exits.Exit(here, 1, TARGET, 300, bytes32(uint256(77)));
        left(e);
        bytes32[] memory none = new bytes32[](0);
        vm.expectRevert(abi.encodeWithSelector(Exits.WindowClosed.selector, block.timestamp));
        chain.challenge{value: BOND}(e, 0, 1, none);
        take(e);
        vm.assertEq(TARGET.balance, 300 * UNIT);
    }

    function test_collateral_is_bound_for_longer_than_a_dispute() public {
        vm.expectRevert(abi.encodeWithSelector(Exits.UnbondingTooShort.selector, WINDOW + 2 * ANSWER));
        new GChain(
            UNIT, FEE, COLLATERAL, WINDOW + 2 * ANSWER - 1, ABSENCE, proofs, WINDOW, ANSWER, BOND, IERC20(address(0))
        );
    }

    /// An exit as a device wrote it: read, named and signed as there.
    function test_the_exit_of_the_devices() public view {
        string memory json = vm.readFile("../../vectors/tx.json");
        for (uint256 row = 0; vm.keyExistsJson(json, place(row, "name")); ++row) {
            if (!same(json, row, "name", "exit")) continue;
            bytes32 where = bytes32(hexAt(json, row, "neighbourhood"));
            Proofs.ExitProof memory proof;
            proof.cose = hexAt(json, row, "cose");
            proof.parents = bytes32(hexAt(json, row, "parents_hash"));
            bytes32[] memory leaves = new bytes32[](8);
            bytes memory key = bytes.concat(hex"a301012006215820", hexAt(json, row, "key"));
            proof.record = bytes.concat(hex"8c04", hex"5820", bytes32(uint256(1)), key, hex"0100831901f41901f41901f4");
            proof.record = bytes.concat(proof.record, hex"005820", bytes32(uint256(4)), hex"1a000f4240000000");
            leaves[4] = Rfc9162.leafHash(proof.record);
            proof.path = pathIn(leaves, 4);
            proof.opener = opening(2, rootOf(leaves));
            (uint32 epoch, bytes32 opener) = proofs.signedExit(
                where, 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE, 1_000, bytes32(hexAt(json, row, "id")), proof
            );
            vm.assertEq(epoch, 3);
            vm.assertEq(opener, hashOf(proof.opener));
            return;
        }
        revert("no exit among the vectors");
    }

    /// A header of this number that names this table.
    function opening(uint32 number_, bytes32 root) private view returns (bytes memory) {
        bytes memory word = bytes.concat(hex"5820", bytes32(uint256(3)));
        bytes memory start =
            bytes.concat(hex"91015820", here, uintItem(number_), word, word, uintItem(5), word, hex"00");
        return bytes.concat(start, word, word, hex"5820", root, hex"0808", word, uintItem(value), hex"0000");
    }

    /// Another neighbourhood, with what `table` holds now.
    function refound() private {
        tableRoot = rootOf(table);
        bytes memory payload = genesis(setHash(set));
        here = sha256(bytes.concat("iotedge/genesis/1", payload));
        head = here;
        chain.found{value: uint256(value) * UNIT}(payload);
    }

    /// An exit that a member signed, for the header of this number, with what shows it.
    function real(uint256 member, uint32 epoch, uint32 header_, uint64 amount)
        private
        view
        returns (Exits.Exit memory e, Proofs.ExitProof memory proof)
    {
        bytes memory payload = bytes.concat(hex"8801", uintItem(epoch), uintItem(uint64(member)), hex"0107", hex"50");
        payload = bytes.concat(payload, bytes16(uint128(9)), hex"0883", uintItem(amount), uintItem(amount));
        payload = bytes.concat(payload, hex"54", bytes20(address(TARGET)));
        e = Exits.Exit(here, header_, TARGET, amount, sha256(bytes.concat("iotedge/tx/1", here, payload)));
        proof.cose = signedTx(member, payload);
        proof.parents = PARENTS;
        proof.opener = genesis(setHash(set));
        proof.record = record(member);
        proof.path = pathIn(table, member);
    }

    function signedTx(uint256 member, bytes memory payload) private view returns (bytes memory) {
        bytes memory protected = member == P256_MEMBER ? bytes(hex"43a10126") : bytes(hex"43a10127");
        bytes memory item = bytes.concat(hex"58", bytes1(uint8(payload.length)), payload);
        bytes memory aad = bytes.concat(hex"5852836c", "iotedge/tx/1", hex"5820", here, hex"5820", PARENTS);
        bytes memory message = bytes.concat(hex"846a", "Signature1", protected, aad, item);
        return bytes.concat(hex"84", protected, hex"a0", item, hex"5840", signatureOf(member, message));
    }

    function signatureOf(uint256 member, bytes memory message) private view returns (bytes memory) {
        if (member != P256_MEMBER) return Ed25519Signer.sign(deviceSeed(member), message);
        (bytes32 r, bytes32 s) = vm.signP256(uint256(deviceSeed(member)), sha256(message));
        return bytes.concat(r, s);
    }

    /// Anchors the next header, with this exit alone.
    function left(Exits.Exit memory e) private {
        anchor(value - e.amount, leafOf(Exit(e.target, e.amount, e.txId)), 0);
    }

    function challenge(Exits.Exit memory e) private {
        vm.prank(CHALLENGER);
        chain.challenge{value: BOND}(e, 0, 1, new bytes32[](0));
    }

    function take(Exits.Exit memory e) private {
        chain.withdraw(here, e.number, e.target, e.amount, e.txId, 0, 1, new bytes32[](0));
    }
}
