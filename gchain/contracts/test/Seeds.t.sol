// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.sol";
import {Rlp} from "../src/Rlp.sol";
import {Seeds} from "../src/Seeds.sol";

contract SeedsTest is Base {
    uint256 private constant FIRST = 1_000_000;
    uint256 private constant LENGTH = 50_400;
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    bytes32 private constant MIX = bytes32(uint256(0x1234));
    Seeds private seeds = new Seeds(FIRST, LENGTH, 8_000);

    function test_a_term_has_the_randomness_of_its_block() public {
        uint256 height = FIRST + 2 * LENGTH;
        bytes memory found = blockHeader(height, MIX);
        vm.roll(height);
        vm.assertEq(seeds.heightOf(2), height);
        vm.expectRevert(abi.encodeWithSelector(Seeds.NotYet.selector, height));
        seeds.fixSeed(2, found);
        vm.roll(height + 1);
        vm.setBlockhash(height, keccak256(found));
        bytes memory other = blockHeader(height, bytes32(uint256(7)));
        vm.expectRevert(abi.encodeWithSelector(Seeds.NotThatBlock.selector, height));
        seeds.fixSeed(2, other);
        seeds.fixSeed(2, found);
        vm.snapshotGasLastCall("fixSeed");
        vm.assertEq(seeds.randomness(2), MIX);
        vm.expectRevert(Seeds.AlreadyFixed.selector);
        seeds.fixSeed(2, found);
        // The next term's block is a term away.
        vm.expectRevert(abi.encodeWithSelector(Seeds.NotYet.selector, height + LENGTH));
        seeds.fixSeed(3, found);
    }

    function test_an_older_block_is_known_by_the_history_contract() public {
        bytes memory found = blockHeader(FIRST, MIX);
        vm.roll(FIRST + 7_000);
        vm.expectRevert(abi.encodeWithSelector(Seeds.NotThatBlock.selector, FIRST));
        seeds.fixSeed(0, found);
        // It answers this block's hash.
        vm.etch(HISTORY, bytes.concat(hex"7f", keccak256(found), hex"60005260206000f3"));
        seeds.fixSeed(0, found);
        vm.assertEq(seeds.randomness(0), MIX);
    }

    function test_a_block_that_nobody_brought_is_followed_by_another() public {
        vm.roll(FIRST + 8_000);
        vm.assertEq(seeds.heightOf(0), FIRST);
        vm.roll(FIRST + 8_001);
        vm.assertEq(seeds.heightOf(0), FIRST + 8_000);
        vm.roll(FIRST + 16_000);
        vm.assertEq(seeds.heightOf(0), FIRST + 8_000);
        bytes memory found = blockHeader(FIRST + 8_000, MIX);
        vm.etch(HISTORY, bytes.concat(hex"7f", keccak256(found), hex"60005260206000f3"));
        seeds.fixSeed(0, found);
        vm.assertEq(seeds.randomness(0), MIX);
    }

    function test_terms_are_longer_than_the_patience() public {
        vm.expectRevert(Seeds.NoTerm.selector);
        new Seeds(FIRST, 8_000, 8_000);
        vm.expectRevert(Seeds.NoTerm.selector);
        new Seeds(FIRST, 10_000, 8_001);
        vm.expectRevert(Seeds.NoTerm.selector);
        new Seeds(FIRST, 10_000, 0);
        vm.assertEq(new Seeds(FIRST, 10, 9).PATIENCE(), 9);
    }

    /// Whatever has the hash of a header is one; what is none all the same ends in a refusal and not in a wrong word.
    function test_bytes_that_are_no_header_give_nothing() public {
        vm.roll(FIRST + 1);
        bytes memory good = blockHeader(FIRST, MIX);
        bytes[5] memory bad = [
            bytes(""),
            bytes.concat(good, hex"00"),
            hex"c3010203",
            hex"f90100",
            bytes.concat(hex"b90217", new bytes(535))
        ];
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.setBlockhash(FIRST, keccak256(bad[i]));
            vm.expectRevert(Rlp.Malformed.selector);
            seeds.fixSeed(0, bad[i]);
        }
    }

    /// A header with the fields of Ethereum's after Prague, in their order and widths.
    function blockHeader(uint256 height, bytes32 mix) private pure returns (bytes memory) {
        bytes memory word = bytes.concat(hex"a0", bytes32(uint256(0xabc)));
        bytes memory fields = bytes.concat(word, word, hex"94", bytes20(uint160(0xbeef)), word, word, word);
        fields = bytes.concat(fields, hex"b90100", new bytes(256), hex"8084", bytes4(uint32(height)));
        fields = bytes.concat(fields, hex"8402255100", hex"83012345", hex"8468f00000", hex"85", "hello");
        fields = bytes.concat(fields, hex"a0", mix, hex"880000000000000000", hex"8407654321");
        fields = bytes.concat(fields, word, hex"8080", word, word);
        return bytes.concat(hex"f9", bytes2(uint16(fields.length)), fields);
    }
}
