// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Rlp} from "./Rlp.sol";

/// @title Seeds: Ethereum's randomness for the election of validators, one word a term
/// @notice Of term t it is the mixHash (prevrandao, EIP-4399) of the block at height `FIRST + t * LENGTH`, which was fixed when this contract was made. Term t begins at the height of t + 1, so its seed is known a term ahead; keys for it were registered by the height of t - 1, a term before anybody
/// could know it. Not the block's hash: its proposer can try as many of those as it can compute, but has one bit of prevrandao, to propose or not.
contract Seeds {
    /// Height of the block of term 0, and blocks of a term.
    uint256 public immutable FIRST;
    uint256 public immutable LENGTH;
    /// Blocks after which, if nobody brought a block, it is another's turn.
    uint256 public immutable PATIENCE;
    /// Fewer than the 8,191 whose hashes EIP-2935 keeps.
    uint256 private constant LONGEST = 8_000;
    /// Keeps hashes of blocks that are older than 256 (EIP-2935).
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    /// Place of mixHash in a header, after parent, uncles, coinbase, three roots, bloom, difficulty, number, gas limit, gas used, time and extra data.
    uint256 private constant MIX_HASH = 13;

    mapping(uint64 term => bytes32) public randomness;

    event SeedFixed(uint64 indexed term, uint256 height, bytes32 randomness);

    error NoTerm();
    error AlreadyFixed();
    error NotYet(uint256 height);
    error NotThatBlock(uint256 height);

    /// @param patience 8,000 where blocks can be censored; less on a chain of one's own, whose terms are to be shorter.
    constructor(uint256 first, uint256 length, uint256 patience) {
        require(patience != 0 && patience <= LONGEST && length > patience, NoTerm());
        (FIRST, LENGTH, PATIENCE) = (first, length, patience);
    }

    /// @notice The height whose block gives the seed of a term, now. It is the first one unless nobody, in `PATIENCE` blocks, brought it: one who wants it to be, is enough.
    function heightOf(uint64 term) public view returns (uint256 height) {
        height = FIRST + term * LENGTH;
        // Rounded down to whole patiences, on purpose.
        // slither-disable-next-line divide-before-multiply
        if (block.number > height) height += (block.number - 1 - height) / PATIENCE * PATIENCE;
    }

    /// @notice Fixes the seed of a term, by anyone who brings the block's header, in RLP. Once.
    function fixSeed(uint64 term, bytes calldata blockHeaderRlp) external {
        require(randomness[term] == 0, AlreadyFixed());
        uint256 height = heightOf(term);
        require(block.number > height, NotYet(height));
        bytes32 hash = hashOf(height);
        // A hash is what has to be equal.
        // slither-disable-next-line incorrect-equality
        require(hash != 0 && keccak256(blockHeaderRlp) == hash, NotThatBlock(height));
        bytes32 word = Rlp.wordAt(blockHeaderRlp, MIX_HASH);
        randomness[term] = word;
        emit SeedFixed(term, height, word);
    }

    /// Hash of an earlier block; 0 where it is too old, or the chain has no EIP-2935.
    function hashOf(uint256 height) private view returns (bytes32) {
        if (block.number <= height + 256) return blockhash(height);
        (bool ok, bytes memory out) = HISTORY.staticcall(abi.encode(height));
        // slither-disable-next-line incorrect-equality
        return ok && out.length == 32 ? abi.decode(out, (bytes32)) : bytes32(0);
    }
}
