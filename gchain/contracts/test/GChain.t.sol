// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {World} from "./World.sol";
import {Cbor} from "../src/Cbor.sol";
import {Ed25519Signer} from "./Ed25519Signer.sol";
import {Exits} from "../src/Exits.sol";
import {Formats, Genesis, MacroHeader} from "../src/Formats.sol";
import {GChain} from "../src/GChain.sol";
import {Masternodes} from "../src/Masternodes.sol";
import {Neighbourhoods} from "../src/Neighbourhoods.sol";
import {Rfc9162} from "../src/Rfc9162.sol";

contract GChainTest is World {
    receive() external payable {}

    function setUp() public {
        build();
    }

    function test_an_epoch_is_anchored_by_more_than_two_thirds() public {
        bytes memory payload = header(value, 0, setHash(set));
        bytes memory four = votes(payload, 0, 4);
        vm.expectRevert(abi.encodeWithSelector(GChain.ShortOfQuorum.selector, 40, 70));
        chain.anchor(payload, set, 0, four);
        bytes memory five = votes(payload, 0, 5);
        chain.anchor(payload, set, 0, five);
        (, bytes32 last, uint64 total, uint32 anchored,,,) = chain.neighbourhoods(here);
        vm.assertEq(last, hashOf(payload));
        vm.assertEq(total, value);
        vm.assertEq(anchored, 1);
        // Shown again it is not the next.
        vm.expectRevert(abi.encodeWithSelector(GChain.NotNext.selector, 2));
        chain.anchor(payload, set, 0, five);
    }

    function test_what_voters_did_not_sign_is_refused() public {
        bytes memory payload = header(value, 0, setHash(set));
        bytes memory five = votes(payload, 0, 5);
        bytes memory other = header(value - 1, 0, setHash(set));
        vm.expectRevert(abi.encodeWithSelector(GChain.NotTheirVote.selector, 0));
        chain.anchor(other, set, 0, five);
        // Another count of deposits.
        vm.deal(address(this), 1 ether);
        chain.deposit{value: UNIT}(here, bytes32(uint256(1)));
        vm.expectRevert(abi.encodeWithSelector(GChain.NotTheirVote.selector, 0));
        chain.anchor(payload, set, 1, five);
        // Somebody's under another's index.
        bytes32 digest = chain.digestOf(here, 1, hashOf(payload), 0);
        bytes memory twice = bytes.concat(vote(0, digest), bytes1(uint8(1)), signature(0, digest));
        vm.expectRevert(abi.encodeWithSelector(GChain.NotTheirVote.selector, 1));
        chain.anchor(payload, set, 0, twice);
    }

    function test_votes_come_in_order_and_once() public {
        bytes memory payload = header(value, 0, setHash(set));
        bytes32 digest = chain.digestOf(here, 1, hashOf(payload), 0);
        bytes memory same = bytes.concat(vote(3, digest), vote(3, digest));
        vm.expectRevert(GChain.VoterOrder.selector);
        chain.anchor(payload, set, 0, same);
        bytes memory down = bytes.concat(vote(3, digest), vote(2, digest));
        vm.expectRevert(GChain.VoterOrder.selector);
        chain.anchor(payload, set, 0, down);
        bytes memory none = bytes.concat(votes(payload, 0, 5), bytes1(uint8(9)), signature(0, digest));
        vm.expectRevert(GChain.VoterOrder.selector);
        chain.anchor(payload, set, 0, none);
        vm.expectRevert(GChain.VoterOrder.selector);
        chain.anchor(payload, set, 0, "");
        vm.expectRevert(GChain.VoterOrder.selector);
        chain.anchor(payload, set, 0, new bytes(65));
    }

    function test_another_set_and_another_predecessor_are_refused() public {
        bytes memory payload = header(value, 0, setHash(set));
        bytes memory five = votes(payload, 0, 5);
        bytes memory stronger = set;
        stronger[stronger.length - 1] = bytes1(uint8(11));
        vm.expectRevert(GChain.OtherSet.selector);
        chain.anchor(payload, stronger, 0, five);
        stronger[stronger.length - 1] = bytes1(uint8(10));
        head = bytes32(uint256(1));
        bytes memory orphan = header(value, 0, setHash(set));
        five = votes(orphan, 0, 5);
        vm.expectRevert(GChain.OtherPredecessor.selector);
        chain.anchor(orphan, set, 0, five);
        here = bytes32(uint256(1));
        bytes memory elsewhere = header(value, 0, setHash(set));
        vm.expectRevert(Neighbourhoods.UnknownNeighbourhood.selector);
        chain.anchor(elsewhere, set, 0, five);
    }

    function test_a_header_hands_over_to_the_next_set() public {
        bytes memory next = bytes.concat(hex"83020281825820", Ed25519Signer.publicKey(seed(3)), bytes1(uint8(1)));
        bytes memory payload = header(value, 0, setHash(next));
        chain.anchor(payload, set, 0, votes(payload, 0, 5));
        (head, number) = (hashOf(payload), 1);
        payload = header(value, 0, setHash(next));
        bytes memory five = votes(payload, 0, 5);
        vm.expectRevert(GChain.OtherSet.selector);
        chain.anchor(payload, set, 0, five);
        bytes memory alone = bytes.concat(bytes1(uint8(0)), signature(3, chain.digestOf(here, 2, hashOf(payload), 0)));
        chain.anchor(payload, next, 0, alone);
    }

    function test_value_goes_in_and_out_once() public {
        vm.deal(address(this), 10 ether);
        chain.deposit{value: 500 * UNIT}(here, bytes32(uint256(1)));
        chain.deposit{value: 700 * UNIT}(here, bytes32(uint256(2)));
        Exit memory exit = Exit(address(0xbeef), 300, bytes32(uint256(77)));
        bytes32 root = leafOf(exit);
        anchor(value + 500 - 300, root, 1);
        bytes32[] memory path = new bytes32[](0);
        uint256 free = block.timestamp + WINDOW;
        vm.warp(free - 1);
        vm.expectRevert(abi.encodeWithSelector(Exits.TooEarly.selector, free));
        chain.withdraw(here, 1, payable(exit.target), 300, exit.id, 0, 1, path);
        vm.warp(free);
        vm.expectRevert(Exits.NotAnExit.selector);
        chain.withdraw(here, 1, payable(exit.target), 299, exit.id, 0, 1, path);
        vm.expectRevert(Exits.NotAnExit.selector);
        chain.withdraw(here, 1, payable(address(this)), 300, exit.id, 0, 1, path);
        vm.expectRevert(Exits.NotAnExit.selector);
        chain.withdraw(here, 2, payable(exit.target), 300, exit.id, 0, 1, path);
        chain.withdraw(here, 1, payable(exit.target), 300, exit.id, 0, 1, path);
        vm.assertEq(exit.target.balance, 300 * UNIT);
        vm.expectRevert(Exits.NotAnExit.selector);
        chain.withdraw(here, 1, payable(exit.target), 300, exit.id, 0, 1, path);
        // The same exit, shown under a later header that has as much: it was taken.
        anchor(value - 300, root, 1);
        vm.expectRevert(Exits.AlreadyTaken.selector);
        chain.withdraw(here, 2, payable(exit.target), 300, exit.id, 0, 1, path);
        anchor(value + 700, 0, 2);
    }

    function test_a_deposit_says_who_paid() public {
        vm.deal(address(0xfa), 1 ether);
        vm.expectEmit();
        emit Neighbourhoods.Deposited(here, 0, bytes32(uint256(5)), 3, address(0xfa));
        vm.prank(address(0xfa));
        chain.deposit{value: 3 * UNIT}(here, bytes32(uint256(5)));
    }

    function test_no_header_makes_value() public {
        bytes memory payload = header(value + 1, 0, setHash(set));
        bytes memory five = votes(payload, 0, 5);
        vm.expectRevert(abi.encodeWithSelector(GChain.ValueFromNothing.selector, value, value + 1));
        chain.anchor(payload, set, 0, five);
        five = votes(payload, 1, 5);
        vm.expectRevert(abi.encodeWithSelector(GChain.NotDeposited.selector, 1));
        chain.anchor(payload, set, 1, five);
        vm.deal(address(this), 1 ether);
        chain.deposit{value: UNIT}(here, bytes32(uint256(1)));
        chain.anchor(payload, set, 1, five);
        (head, number) = (hashOf(payload), 1);
        // A deposit is credited once.
        payload = header(value + 2, 0, setHash(set));
        five = votes(payload, 1, 5);
        vm.expectRevert(abi.encodeWithSelector(GChain.ValueFromNothing.selector, value + 1, value + 2));
        chain.anchor(payload, set, 1, five);
        payload = header(value + 1, 0, setHash(set));
        five = votes(payload, 0, 5);
        vm.expectRevert(abi.encodeWithSelector(GChain.NotDeposited.selector, 0));
        chain.anchor(payload, set, 0, five);
    }

    function test_deposits_are_whole_units_for_known_neighbourhoods() public {
        vm.deal(address(this), 1 ether);
        vm.expectRevert(abi.encodeWithSelector(Neighbourhoods.Value.selector, UNIT));
        chain.deposit{value: UNIT + 1}(here, 0);
        vm.expectRevert(abi.encodeWithSelector(Neighbourhoods.Value.selector, UNIT));
        chain.deposit(here, 0);
        vm.expectRevert(Neighbourhoods.UnknownNeighbourhood.selector);
        chain.deposit{value: UNIT}(bytes32(uint256(1)), 0);
    }

    function test_a_neighbourhood_is_founded_once_with_all_that_it_grants() public {
        bytes memory payload = genesis(bytes32(uint256(5)));
        uint256 wanted = uint256(GRANT) * MEMBERS * UNIT;
        vm.deal(address(this), 10 ether);
        vm.expectRevert(abi.encodeWithSelector(Neighbourhoods.Value.selector, wanted));
        chain.found{value: wanted - 1}(payload);
        chain.found{value: wanted}(payload);
        vm.expectRevert(Neighbourhoods.AlreadyFounded.selector);
        chain.found{value: wanted}(payload);
        payload[35] = bytes1(uint8(payload[35]) ^ 1);
        vm.expectRevert(abi.encodeWithSelector(Cbor.Malformed.selector, payload.length));
        chain.found{value: wanted}(bytes.concat(payload, bytes1(0)));
    }

    function test_a_neighbourhood_of_another_chain_or_of_too_much_is_refused() public {
        bytes memory payload = genesis(bytes32(uint256(5)));
        uint256 id = block.chainid;
        vm.chainId(id + 1);
        vm.expectRevert(abi.encodeWithSelector(Neighbourhoods.OtherChain.selector, id));
        chain.found(payload);
        vm.chainId(id);
        // Eight grants of 2^60 are 2^63: with deposits they would not fit.
        bytes memory much = bytes.concat(hex"1b", bytes8(uint64(1) << 60));
        bytes memory grant = bytes.concat(hex"19", bytes2(uint16(9_000)), uintItem(GRANT));
        payload = replaced(payload, grant, bytes.concat(hex"19", bytes2(uint16(9_000)), much));
        vm.expectRevert(abi.encodeWithSelector(Neighbourhoods.Value.selector, 0));
        chain.found(payload);
        much[1] = 0x80;
        payload = replaced(genesis(bytes32(uint256(5))), grant, bytes.concat(hex"19", bytes2(uint16(9_000)), much));
        vm.expectRevert(Formats.Contradiction.selector);
        chain.found(payload);
    }

    /// A header without transactions has no times; number 0 is the genesis.
    function test_headers_that_contradict_themselves_are_refused() public {
        bytes memory payload = header(value, 0, setHash(set));
        bytes memory five = votes(payload, 0, 5);
        payload[payload.length - 1] = 0x01;
        vm.expectRevert(Formats.Contradiction.selector);
        chain.anchor(payload, set, 0, five);
        payload[payload.length - 1] = 0x00;
        payload[36] = 0x00;
        vm.expectRevert(Formats.Contradiction.selector);
        chain.anchor(payload, set, 0, five);
    }

    /// The bytes with one part, which is there once, in place of another.
    function replaced(bytes memory data, bytes memory old, bytes memory now_) private pure returns (bytes memory out) {
        for (uint256 i = 0; i + old.length <= data.length; ++i) {
            if (keccak256(part(data, i, i + old.length)) != keccak256(old)) continue;
            return bytes.concat(part(data, 0, i), now_, part(data, i + old.length, data.length));
        }
        revert("not there");
    }

    function part(bytes memory data, uint256 from, uint256 to) private pure returns (bytes memory out) {
        out = new bytes(to - from);
        for (uint256 i = from; i < to; ++i) {
            out[i - from] = data[i];
        }
    }

    function test_who_votes_twice_is_slashed_once() public {
        bytes32 a = bytes32(uint256(1));
        bytes32 b = bytes32(uint256(2));
        bytes memory one = signature(2, chain.digestOf(here, 1, a, 0));
        bytes memory two = signature(2, chain.digestOf(here, 1, b, 0));
        bytes memory others = signature(3, chain.digestOf(here, 1, b, 0));
        bytes memory later = signature(2, chain.digestOf(here, 2, b, 0));
        vm.expectRevert(GChain.NoDoubleVote.selector);
        chain.doubleVote(here, 1, a, 0, one, a, 0, one);
        vm.expectRevert(GChain.NoDoubleVote.selector);
        chain.doubleVote(here, 1, a, 0, one, b, 0, others);
        vm.expectRevert(GChain.NoDoubleVote.selector);
        chain.doubleVote(here, 1, a, 0, one, b, 0, later);
        uint256 before = address(this).balance;
        chain.doubleVote(here, 1, a, 0, one, b, 0, two);
        vm.assertEq(address(this).balance - before, COLLATERAL / 10);
        // The rest is for the six others alike, and can be collected once.
        vm.assertEq(chain.slashed(), 0);
        address other = vm.addr(secret(0));
        uint256 share = (COLLATERAL - COLLATERAL / 10) / 6;
        vm.assertEq(chain.shareOf(other), share);
        before = other.balance;
        vm.startPrank(other);
        chain.collect();
        chain.collect();
        vm.stopPrank();
        vm.assertEq(other.balance - before, share);
        vm.assertEq(chain.shareOf(vm.addr(secret(2))), 0);
        vm.expectRevert(Masternodes.NotBonded.selector);
        chain.doubleVote(here, 1, a, 0, one, b, 0, two);
        // Its vote counts no more.
        bytes memory payload = header(value, 0, setHash(set));
        bytes memory five = votes(payload, 0, 5);
        vm.expectRevert(abi.encodeWithSelector(GChain.NotTheirVote.selector, 2));
        chain.anchor(payload, set, 0, five);
    }

    /// Who joins later has no share of what was lost before, and who is slashed loses its share to the others.
    function test_a_share_is_of_what_was_lost_meanwhile() public {
        show(2);
        show(3);
        uint256 rest = COLLATERAL - COLLATERAL / 10;
        uint256 first = rest / 6;
        uint256 second = (rest + first) / 5;
        vm.assertEq(chain.shareOf(vm.addr(secret(0))), first + second);
        join(2);
        vm.assertEq(chain.shareOf(vm.addr(secret(2))), 0);
        vm.assertEq(chain.bondedCount(), 6);
        address leaver = vm.addr(secret(0));
        vm.startPrank(leaver);
        chain.quit();
        vm.warp(block.timestamp + UNBONDING);
        uint256 before = leaver.balance;
        chain.takeCollateral();
        vm.stopPrank();
        vm.assertEq(leaver.balance - before, COLLATERAL + first + second);
        vm.assertEq(chain.bondedCount(), 5);
    }

    /// Two votes of one masternode.
    function show(uint256 i) private {
        bytes memory one = signature(i, chain.digestOf(here, 1, here, 0));
        bytes memory two = signature(i, chain.digestOf(here, 1, here, 1));
        chain.doubleVote(here, 1, here, 0, one, here, 1, two);
    }

    function test_a_key_is_proved_and_nobody_elses() public {
        address account = address(0xcafe);
        bytes32 key = Ed25519Signer.publicKey(bytes32(uint256(99)));
        bytes memory proof = Ed25519Signer.sign(bytes32(uint256(99)), chain.joinMessage(account));
        vm.deal(address(this), 5 ether);
        vm.deal(account, 5 ether);
        // A thief of the proof has another account.
        vm.expectRevert(Masternodes.KeyNotProved.selector);
        chain.join{value: COLLATERAL}(key, proof);
        vm.startPrank(account);
        vm.expectRevert(abi.encodeWithSelector(Masternodes.Collateral.selector, COLLATERAL));
        chain.join{value: COLLATERAL - 1}(key, proof);
        chain.join{value: COLLATERAL}(key, proof);
        vm.snapshotGasLastCall("join, with the proof of an Ed25519 key");
        vm.expectRevert(Masternodes.AlreadyBonded.selector);
        chain.join{value: COLLATERAL}(key, proof);
        vm.stopPrank();
        bytes memory mine = Ed25519Signer.sign(bytes32(uint256(99)), chain.joinMessage(address(this)));
        vm.expectRevert(Masternodes.KeyTaken.selector);
        chain.join{value: COLLATERAL}(key, mine);
    }

    function test_who_leaves_waits_and_can_be_slashed_meanwhile() public {
        address account = vm.addr(secret(0));
        vm.assertTrue(chain.listed(account));
        vm.startPrank(account);
        vm.expectRevert(abi.encodeWithSelector(Masternodes.NotFree.selector, 0));
        chain.takeCollateral();
        chain.quit();
        vm.assertTrue(!chain.listed(account));
        vm.expectRevert(abi.encodeWithSelector(Masternodes.NotFree.selector, block.timestamp + UNBONDING));
        chain.takeCollateral();
        vm.warp(block.timestamp + UNBONDING);
        uint256 before = account.balance;
        chain.takeCollateral();
        vm.assertEq(account.balance - before, COLLATERAL);
        vm.expectRevert(Masternodes.NotBonded.selector);
        chain.takeCollateral();
        vm.stopPrank();
        account = vm.addr(secret(1));
        vm.prank(account);
        chain.quit();
        bytes memory one = signature(1, chain.digestOf(here, 1, bytes32(uint256(1)), 0));
        bytes memory two = signature(1, chain.digestOf(here, 1, bytes32(uint256(2)), 0));
        chain.doubleVote(here, 1, bytes32(uint256(1)), 0, one, bytes32(uint256(2)), 0, two);
    }

    function test_who_does_no_duty_is_off_the_list_until_it_resumes() public {
        address idle = vm.addr(secret(6));
        vm.warp(block.timestamp + ABSENCE + 1);
        vm.assertTrue(!chain.listed(idle));
        vm.prank(idle);
        chain.resume();
        vm.assertTrue(chain.listed(idle));
        anchor(value, 0, 0);
        vm.assertTrue(chain.listed(vm.addr(secret(0))));
        vm.assertTrue(!chain.listed(vm.addr(secret(5))));
        vm.expectRevert(Masternodes.NotBonded.selector);
        chain.resume();
    }

    function test_a_key_that_stands_twice_votes_once() public {
        bytes memory item = bytes.concat(hex"825820", Ed25519Signer.publicKey(seed(3)), bytes1(uint8(10)));
        bytes memory doubled = bytes.concat(hex"83020282", item, item);
        bytes memory payload = header(value, 0, setHash(doubled));
        chain.anchor(payload, set, 0, votes(payload, 0, 5));
        (head, number) = (hashOf(payload), 1);
        payload = header(value, 0, setHash(set));
        bytes memory own = signature(3, chain.digestOf(here, 2, hashOf(payload), 0));
        bytes memory twice = bytes.concat(bytes1(uint8(0)), own, bytes1(uint8(1)), own);
        vm.expectRevert(GChain.VoterOrder.selector);
        chain.anchor(payload, doubled, 0, twice);
    }

    function test_who_votes_shares_the_fee() public {
        anchor(value, 0, 0);
        chain.fund{value: FEE + 1}(here);
        anchor(value, 0, 0);
        anchor(value, 0, 0);
        address voter = vm.addr(secret(4));
        uint256 before = voter.balance;
        vm.prank(voter);
        chain.collect();
        vm.assertEq(voter.balance - before, FEE / 5);
        vm.prank(voter);
        chain.collect();
        vm.assertEq(voter.balance - before, FEE / 5);
    }

    /// The ceilings of issue 6; the figures are committed in snapshots/.
    function test_what_it_costs() public {
        chain.fund{value: 10 * FEE}(here);
        anchor(value, 0, 0);
        vm.deal(address(this), 10 ether);
        chain.deposit{value: UNIT}(here, bytes32(uint256(1)));
        chain.deposit{value: 1_000 * UNIT}(here, bytes32(uint256(2)));
        vm.assertLe(vm.snapshotGasLastCall("deposit"), 80_000);
        Exit[4] memory exits;
        bytes32[] memory path = new bytes32[](2);
        for (uint256 i = 0; i < 4; ++i) {
            exits[i] = Exit(address(uint160(0xbeef + i)), 100, bytes32(uint256(77 + i)));
        }
        path[0] = leafOf(exits[1]);
        path[1] = Rfc9162.nodeHash(leafOf(exits[2]), leafOf(exits[3]));
        bytes32 root = Rfc9162.nodeHash(Rfc9162.nodeHash(leafOf(exits[0]), path[0]), path[1]);
        bytes memory payload = header(value + 1_001 - 400, root, setHash(set));
        bytes memory five = votes(payload, 2, 5);
        chain.anchor(payload, set, 2, five);
        vm.assertLe(vm.snapshotGasLastCall("anchor, 5 of 7 votes"), 250_000);
        vm.warp(block.timestamp + WINDOW);
        chain.withdraw(here, 2, payable(exits[0].target), 100, exits[0].id, 0, 4, path);
        vm.assertLe(vm.snapshotGasLastCall("withdraw, one of four exits"), 120_000);
    }

    /// The same statements, read and refused as on a device.
    function test_the_vectors_of_the_devices() public view {
        string memory json = vm.readFile("../../vectors/posp.json");
        uint256 held;
        uint256 refused;
        for (uint256 row = 0; vm.keyExistsJson(json, place(row, "kind")); ++row) {
            if (keccak256(bytes(vm.parseJsonString(json, place(row, "kind")))) != keccak256("set")) continue;
            bytes memory found = vm.parseBytes(string.concat("0x", vm.parseJsonString(json, place(row, "bytes"))));
            bool good = vm.parseJson(json, place(row, "error")).length == 32;
            try this.readSet(found) returns (bytes32 hash) {
                if (!good) {
                    vm.assertEq(bytes(vm.parseJsonString(json, place(row, "name"))), "one key twice");
                    continue;
                }
                bytes memory wanted = vm.parseBytes(string.concat("0x", vm.parseJsonString(json, place(row, "hash"))));
                vm.assertEq(hash, bytes32(wanted));
                ++held;
            } catch {
                vm.assertTrue(!good);
                ++refused;
            }
        }
        vm.assertEq(held, 3);
        vm.assertEq(refused, 3);
    }

    /// The payloads of headers and geneses that devices take have the same hashes and fields here; with a byte less or more they are refused.
    function test_headers_and_geneses_of_the_devices() public view {
        string memory json = vm.readFile("../../vectors/posp.json");
        uint256 headers;
        for (uint256 row = 0; vm.keyExistsJson(json, place(row, "kind")); ++row) {
            if (keccak256(bytes(vm.parseJsonString(json, place(row, "kind")))) != keccak256("header")) continue;
            if (vm.parseJson(json, place(row, "error")).length != 32) continue;
            bytes memory payload = payloadOf(hexAt(json, row, "bytes"));
            MacroHeader memory h = this.readHeader(payload);
            vm.assertEq(h.hash, bytes32(hexAt(json, row, "hash")));
            vm.assertEq(h.neighbourhood, bytes32(hexAt(json, row, "neighbourhood")));
            vm.assertEq(h.number, vm.parseJsonUint(json, place(row, "number")));
            vm.assertEq(h.count + 1, vm.parseJsonUint(json, place(row, "tree_size")));
            this.mustRefuse(bytes.concat(payload, bytes1(0)));
            payload[0] = 0x90;
            this.mustRefuse(payload);
            ++headers;
        }
        vm.assertEq(headers, 3);
        json = vm.readFile("../../vectors/identity.json");
        uint256 geneses;
        for (uint256 row = 0; vm.keyExistsJson(json, place(row, "op")); ++row) {
            if (keccak256(bytes(vm.parseJsonString(json, place(row, "op")))) != keccak256("genesis")) continue;
            if (keccak256(bytes(vm.parseJsonString(json, place(row, "expect")))) != keccak256("ok")) continue;
            Genesis memory g = this.readGenesis(payloadOf(hexAt(json, row, "genesis")));
            vm.assertEq(g.neighbourhood, bytes32(hexAt(json, row, "neighbourhood")));
            vm.assertEq(g.setHash, bytes32(hexAt(json, row, "validator_set")));
            vm.assertEq(g.grant, vm.parseJsonUint(json, place(row, "grant")));
            vm.assertEq(g.members, vm.parseJsonUint(json, place(row, "members")));
            ++geneses;
        }
        vm.assertTrue(geneses > 0);
    }

    function readHeader(bytes calldata payload) external pure returns (MacroHeader memory) {
        return Formats.header(payload);
    }

    function readGenesis(bytes calldata payload) external pure returns (Genesis memory) {
        return Formats.genesis(payload);
    }

    function mustRefuse(bytes calldata payload) external view {
        try this.readHeader(payload) returns (MacroHeader memory) {
            revert("it was read");
        } catch {}
    }

    /// The third item of a COSE_Sign1 with a protected header of 13 bytes and a payload of 256 to 65,535, or 24 to 255.
    function payloadOf(bytes memory cose) private pure returns (bytes memory payload) {
        uint256 length = uint8(cose[16]) == 0x59 ? uint256(uint8(cose[17])) << 8 | uint8(cose[18]) : uint8(cose[17]);
        uint256 from = uint8(cose[16]) == 0x59 ? 19 : 18;
        payload = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            payload[i] = cose[from + i];
        }
    }

    /// Reads a set to its end. That no key is in it twice is not looked at here: its second vote does not count.
    function readSet(bytes calldata bytes_) external pure returns (bytes32) {
        (,, uint256 count, uint256 offset) = Formats.setHead(bytes_);
        for (uint256 i = 0; i < count; ++i) {
            (,, offset) = Formats.validator(bytes_, offset);
        }
        Cbor.end(bytes_, offset);
        return Formats.setHash(bytes_);
    }
}
