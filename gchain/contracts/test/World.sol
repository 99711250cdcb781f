// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Base} from "./Base.sol";
import {Ed25519Signer} from "./Ed25519Signer.sol";
import {Formats} from "../src/Formats.sol";
import {GChain} from "../src/GChain.sol";
import {Proofs} from "../src/Proofs.sol";
import {Rfc9162} from "../src/Rfc9162.sol";

/// Seven masternodes, a neighbourhood of theirs, and headers as its gateway would bring them.
abstract contract World is Base {
    uint256 internal constant UNIT = 1 gwei;
    uint256 internal constant FEE = 7_000 gwei;
    uint256 internal constant COLLATERAL = 1 ether;
    uint256 internal constant UNBONDING = 14 days;
    uint256 internal constant ABSENCE = 1 days;
    uint256 internal constant WINDOW = 6 hours;
    uint256 internal constant ANSWER = 1 days;
    uint256 internal constant BOND = 0.05 ether;
    uint256 internal constant VALIDATORS = 7;
    uint64 internal constant GRANT = 1_000_000;
    uint64 internal constant MEMBERS = 8;

    struct Exit {
        address target;
        uint64 amount;
        bytes32 id;
    }

    Proofs internal proofs = new Proofs();
    GChain internal chain =
        new GChain(UNIT, FEE, COLLATERAL, UNBONDING, ABSENCE, proofs, WINDOW, ANSWER, BOND, IERC20(address(0)));
    bytes internal set;
    bytes32 internal here;
    bytes32 internal head;
    uint32 internal number;
    /// Payload of the last header that `anchor` brought; of the genesis before.
    bytes internal last;
    uint64 internal value = GRANT * MEMBERS;
    /// Keys of the masternodes, and their proofs: who joins again shows the same.
    mapping(uint256 i => bytes32) private keys;
    mapping(GChain chain => mapping(uint256 i => bytes)) private joined;
    /// Leaves of the member table, which stays as founded, and its root.
    bytes32[] internal table;
    bytes32 internal tableRoot;
    bytes32 internal stateRoot = bytes32(uint256(3));

    function secret(uint256 i) internal pure returns (uint256) {
        return 1_000 + i;
    }

    function seed(uint256 i) internal pure returns (bytes32) {
        return bytes32(2_000 + i);
    }

    function build() internal {
        set = hex"830101";
        set = bytes.concat(set, bytes1(uint8(0x80 + VALIDATORS)));
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            set = bytes.concat(set, hex"825820", join(i), bytes1(uint8(10)));
        }
        for (uint256 i = 0; i < MEMBERS; ++i) {
            table.push(Rfc9162.leafHash(record(i)));
        }
        tableRoot = rootOf(table);
        found();
    }

    /// The same masternodes and the same neighbourhood, in the contract that `chain` is by now.
    function again() internal {
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            join(i);
        }
        found();
    }

    function found() private {
        bytes memory payload = genesis(setHash(set));
        here = sha256(bytes.concat("iotedge/genesis/1", payload));
        (head, last) = (here, payload);
        vm.deal(address(this), 100 ether);
        chain.found{value: uint256(value) * UNIT}(payload);
    }

    /// The key of member i; 0 is the GL-node, the last one has a P-256 key.
    function deviceSeed(uint256 i) internal pure returns (bytes32) {
        return bytes32(3_000 + i);
    }

    /// The record of a founder: index, device id, key, weight, roles, caps, head, credits, debits, idle, frozen.
    function record(uint256 i) internal view returns (bytes memory) {
        bytes memory key = bytes.concat(hex"a301012006215820", Ed25519Signer.publicKey(deviceSeed(i)));
        if (i == MEMBERS - 1) {
            (uint256 x, uint256 y) = vm.publicKeyP256(uint256(deviceSeed(i)));
            key = bytes.concat(hex"a401022001215820", bytes32(x), hex"225820", bytes32(y));
        }
        return bytes.concat(
            bytes.concat(
                hex"8c", uintItem(uint64(i)), hex"5820", sha256(key), key, hex"01", i == 0 ? bytes1(0x01) : bytes1(0)
            ),
            bytes.concat(hex"83", uintItem(100), uintItem(1_000), uintItem(9_000), hex"005820", bytes32(uint256(4))),
            bytes.concat(uintItem(GRANT), hex"000000")
        );
    }

    /// The root of a tree whose size is a power of two.
    function rootOf(bytes32[] memory nodes) internal pure returns (bytes32) {
        bytes32[] memory row = nodes;
        while (row.length > 1) {
            row = above(row);
        }
        return row[0];
    }

    /// The path of one of its leaves.
    function pathIn(bytes32[] memory nodes, uint256 index) internal pure returns (bytes32[] memory path) {
        uint256 steps;
        while (1 << steps < nodes.length) ++steps;
        path = new bytes32[](steps);
        bytes32[] memory row = nodes;
        for (uint256 step = 0; step < steps; ++step) {
            path[step] = row[(index >> step) ^ 1];
            row = above(row);
        }
    }

    function above(bytes32[] memory row) private pure returns (bytes32[] memory next) {
        next = new bytes32[](row.length / 2);
        for (uint256 i = 0; i < next.length; ++i) {
            next[i] = Rfc9162.nodeHash(row[2 * i], row[2 * i + 1]);
        }
    }

    function join(uint256 i) internal returns (bytes32 key) {
        address account = vm.addr(secret(i));
        if (joined[chain][i].length == 0) {
            joined[chain][i] = Ed25519Signer.sign(seed(i), chain.joinMessage(account));
            keys[i] = Ed25519Signer.publicKey(seed(i));
        }
        key = keys[i];
        bytes memory proof = joined[chain][i];
        vm.deal(account, 2 ether);
        vm.prank(account);
        chain.join{value: COLLATERAL}(key, proof);
    }

    function setHash(bytes memory bytes_) internal pure returns (bytes32) {
        return sha256(bytes.concat("iotedge/set/1", bytes_));
    }

    function genesis(bytes32 validators) internal view returns (bytes memory) {
        return bytes.concat(
            bytes.concat(
                hex"90015820", bytes32(uint256(7)), uintItem(uint64(block.chainid)), uintItem(1_760_000_000_000)
            ),
            bytes.concat(
                uintItem(10_000), uintItem(2_500), uintItem(2), hex"83", uintItem(100), uintItem(1_000), uintItem(9_000)
            ),
            bytes.concat(uintItem(GRANT), uintItem(100), uintItem(0), uintItem(MEMBERS), uintItem(MEMBERS)),
            bytes.concat(hex"5820", tableRoot, hex"5820", validators, uintItem(1_209_600_000))
        );
    }

    /// The next header, with what its neighbourhood holds after it, and these exits.
    function header(uint64 total, bytes32 exitsRoot, bytes32 next) internal view returns (bytes memory) {
        bytes memory root = bytes.concat(hex"5820", bytes32(uint256(3)));
        return bytes.concat(
            bytes.concat(
                hex"91015820", here, uintItem(number + 1), hex"5820", head, root, uintItem(1_760_000_010_000), root
            ),
            bytes.concat(uintItem(0), hex"5820", stateRoot, hex"5820", exitsRoot, hex"5820", tableRoot),
            bytes.concat(uintItem(MEMBERS), uintItem(MEMBERS), hex"5820", next, uintItem(total), hex"0000")
        );
    }

    function hashOf(bytes memory payload) internal pure returns (bytes32) {
        return sha256(bytes.concat("iotedge/macro/1", payload));
    }

    /// One vote: index, r, s, v.
    function vote(uint256 i, bytes32 digest) internal pure returns (bytes memory) {
        return bytes.concat(bytes1(uint8(i)), signature(i, digest));
    }

    function signature(uint256 i, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(secret(i), digest);
        return bytes.concat(r, s, bytes1(v));
    }

    /// Votes of the first so many.
    function votes(bytes memory payload, uint32 credited, uint256 count) internal view returns (bytes memory all) {
        bytes32 digest = chain.digestOf(here, number + 1, hashOf(payload), credited);
        for (uint256 i = 0; i < count; ++i) {
            all = bytes.concat(all, vote(i, digest));
        }
    }

    /// Anchors the next header, by five votes.
    function anchor(uint64 total, bytes32 exitsRoot, uint32 credited) internal {
        bytes memory payload = header(total, exitsRoot, setHash(set));
        chain.anchor(payload, set, credited, votes(payload, credited, 5));
        (head, last) = (hashOf(payload), payload);
        number += 1;
        value = total;
    }

    function leafOf(Exit memory exit) internal pure returns (bytes32) {
        return Rfc9162.leafHash(Formats.exitLeaf(exit.target, exit.amount, exit.id));
    }

    function uintItem(uint64 number_) internal pure returns (bytes memory) {
        if (number_ < 24) return abi.encodePacked(uint8(number_));
        if (number_ < 1 << 8) return abi.encodePacked(uint8(0x18), uint8(number_));
        if (number_ < 1 << 16) return abi.encodePacked(uint8(0x19), uint16(number_));
        if (number_ < 1 << 32) return abi.encodePacked(uint8(0x1a), uint32(number_));
        return abi.encodePacked(uint8(0x1b), number_);
    }
}
