// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Exits} from "./Exits.sol";
import {Formats, MacroHeader} from "./Formats.sol";
import {Masternodes} from "./Masternodes.sol";
import {Neighbourhoods} from "./Neighbourhoods.sol";
import {Proofs} from "./Proofs.sol";

/// @title G-Chain: macro transactions of neighbourhoods, agreed by stake, and the value that goes in and out of them
/// @notice Invariant: what a neighbourhood's accounts hold, what was paid in and not credited, and what left and was not taken are together what was paid in and not taken out.
contract GChain is Exits, EIP712 {
    using Formats for bytes;

    /// Wei that the voters of a header share.
    uint256 public immutable FEE;
    bytes32 private constant VOTE =
        keccak256("Vote(bytes32 neighbourhood,uint32 number,bytes32 header,uint32 credited)");
    /// Index, r, s, v.
    uint256 private constant VOTE_LENGTH = 66;

    event Anchored(bytes32 indexed neighbourhood, uint32 indexed number, bytes32 hash, uint32 credited);

    error NotNext(uint32 number);
    error OtherPredecessor();
    error OtherSet();
    error VoterOrder();
    error NotTheirVote(uint256 index);
    error ShortOfQuorum(uint256 signed, uint256 total);
    error NotDeposited(uint32 count);
    error ValueFromNothing(uint256 had, uint256 has);
    error NoDoubleVote();

    constructor(
        uint256 unit,
        uint256 fee,
        uint256 collateral,
        uint256 unbonding,
        uint256 absence,
        Proofs proofs,
        uint256 window,
        uint256 answer,
        uint256 bond,
        IERC20 token
    )
        Masternodes(collateral, unbonding, absence, token)
        Neighbourhoods(unit, proofs)
        Exits(window, answer, bond)
        EIP712("IoTEdge G-Chain", "1")
    {
        FEE = fee;
    }

    /// @notice Anchors the next header of a neighbourhood, by anyone who brings it with its votes.
    /// @param header Its payload.
    /// @param set The validators that vote on it, as the genesis or the header before names them.
    /// @param credited How many deposits its settlement has credited, these and all before.
    /// @param votes One after the other, by rising index: index (a byte), r, s, v of the account's signature over the EIP-712 `Vote`.
    function anchor(bytes calldata header, bytes calldata set, uint32 credited, bytes calldata votes) external {
        MacroHeader memory h = header.header();
        Neighbourhood storage n = known(h.neighbourhood);
        require(h.number == n.number + 1, NotNext(n.number + 1));
        require(h.previous == n.head, OtherPredecessor());
        require(set.setHash() == n.setHash, OtherSet());
        uint64 voters = quorum(n, set, digestOf(h.neighbourhood, h.number, h.hash, credited), votes);
        require(credited >= n.credited && credited <= n.deposits, NotDeposited(credited));
        uint256 had = n.totalValue;
        if (credited != n.credited) {
            had += deposited[h.neighbourhood][credited].sum - deposited[h.neighbourhood][n.credited].sum;
        }
        require(h.totalValue <= had, ValueFromNothing(had, h.totalValue));
        uint64 exits = uint64(had - h.totalValue);
        Anchor storage a = anchors[h.neighbourhood][h.number];
        (a.exits, a.time, a.credited, a.voters) = (exits, uint40(block.timestamp), credited, voters);
        a.hash = h.hash;
        if (exits != 0) a.exitsRoot = h.exitsRoot;
        n.head = h.hash;
        n.number = h.number;
        n.credited = credited;
        n.totalValue = h.totalValue;
        if (h.setHash != n.setHash) n.setHash = h.setHash;
        emit Anchored(h.neighbourhood, h.number, h.hash, credited);
    }

    /// @notice Slashes a masternode that voted for two outcomes of one epoch; a tenth of its collateral is the caller's.
    /// @param a The header's hash and the credited deposits of one vote; `b` of the other.
    function doubleVote(
        bytes32 neighbourhood,
        uint32 number,
        bytes32 a,
        uint32 creditedA,
        bytes calldata signatureA,
        bytes32 b,
        uint32 creditedB,
        bytes calldata signatureB
    ) external {
        require(a != b || creditedA != creditedB, NoDoubleVote());
        address account = ECDSA.recover(digestOf(neighbourhood, number, a, creditedA), signatureA);
        require(account == ECDSA.recover(digestOf(neighbourhood, number, b, creditedB), signatureB), NoDoubleVote());
        hand(0, slash(account));
    }

    /// @notice Slashes a masternode whose Ed25519 key voted for two roots of one number, which devices check: the statement of section 7.4, as who saw both wrote it.
    function doubleRoot(bytes calldata statement) external {
        (bytes32 neighbourhood, bytes32 key) = PROOFS.doubleVote(statement);
        known(neighbourhood);
        hand(0, slash(accountOf[key]));
    }

    /// @notice What an account signs to vote (EIP-712).
    function digestOf(bytes32 neighbourhood, uint32 number, bytes32 header, uint32 credited)
        public
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(keccak256(abi.encode(VOTE, neighbourhood, number, header, credited)));
    }

    struct Tally {
        bytes32 digest;
        uint256 share;
        uint256 signed;
        uint256 total;
        /// Where the next vote begins.
        uint256 next;
        /// Bit i: validator i voted.
        uint64 voters;
    }

    /// Counts the stake of those votes that each are of the validator that they name; fewer than more than two thirds, and nothing happens. Who voted shares the fee.
    function quorum(Neighbourhood storage n, bytes calldata set, bytes32 digest, bytes calldata votes)
        private
        returns (uint64)
    {
        (,, uint256 count, uint256 offset) = set.setHead();
        uint256 voters = votes.length / VOTE_LENGTH;
        require(voters != 0 && voters * VOTE_LENGTH == votes.length, VoterOrder());
        Tally memory tally = Tally(digest, feeOf(n, voters), 0, 0, 0, 0);
        for (uint256 index = 0; index < count; ++index) {
            offset = hear(tally, set, offset, index, votes);
        }
        require(offset == set.length && tally.next == votes.length, VoterOrder());
        require(3 * tally.signed > 2 * tally.total, ShortOfQuorum(tally.signed, tally.total));
        return tally.voters;
    }

    /// One validator of the set, with its vote, if the next one is its own.
    function hear(Tally memory tally, bytes calldata set, uint256 offset, uint256 index, bytes calldata votes)
        private
        returns (uint256 behind)
    {
        bytes32 key;
        uint256 stake;
        (key, stake, behind) = set.validator(offset);
        tally.total += stake;
        if (tally.next == votes.length || uint8(votes[tally.next]) != index) return behind;
        bytes calldata signature = votes[tally.next + 1:tally.next + VOTE_LENGTH];
        require(counts(tally, key, signature), NotTheirVote(index));
        tally.signed += stake;
        tally.voters |= uint64(1 << index);
        tally.next += VOTE_LENGTH;
    }

    /// Whether it is the vote of the account of this key; its duty is done then. Once: a set in which a key stands twice would count its stake twice.
    function counts(Tally memory tally, bytes32 key, bytes calldata signature) private returns (bool) {
        address account = accountOf[key];
        bytes32 digest = tally.digest;
        if (account == address(0) || account != ECDSA.recover(digest, signature)) return false;
        bytes32 heard;
        assembly ("memory-safe") {
            heard := tload(account)
            tstore(account, digest)
        }
        require(heard != digest, VoterOrder());
        Masternode storage node = masternodes[account];
        // Who leaves answers for this vote as well, until nobody can dispute what it was for.
        if (node.leaves != 0) node.leaves = later(node.leaves, block.timestamp + WINDOW + 2 * ANSWER);
        (node.seen, node.earned) = (uint64(block.timestamp), node.earned + uint128(tally.share));
        return true;
    }

    /// What each voter of a header gets: out of the neighbourhood's fund, else nothing.
    function feeOf(Neighbourhood storage n, uint256 voters) private returns (uint256 share) {
        share = FEE / voters;
        if (n.fund >= FEE) n.fund -= uint96(share * voters);
        else share = 0;
    }

    function later(uint64 a, uint256 b) private pure returns (uint64) {
        return a > b ? a : uint64(b);
    }
}
