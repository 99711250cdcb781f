// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Formats, MacroHeader} from "./Formats.sol";
import {Masternodes} from "./Masternodes.sol";
import {Neighbourhoods} from "./Neighbourhoods.sol";
import {Proofs} from "./Proofs.sol";
import {Rfc9162} from "./Rfc9162.sol";

/// @title G-Chain: macro transactions of neighbourhoods, agreed by stake, and the value that goes in and out of them
/// @notice Invariant: what a neighbourhood's accounts hold, what was paid in and not credited, and what left and was not taken are together what was paid in and not taken out.
contract GChain is Masternodes, Neighbourhoods, EIP712 {
    using Formats for bytes;

    /// Wei that the voters of a header share.
    uint256 public immutable FEE;
    bytes32 private constant VOTE =
        keccak256("Vote(bytes32 neighbourhood,uint32 number,bytes32 header,uint32 credited)");
    /// Index, r, s, v.
    uint256 private constant VOTE_LENGTH = 66;

    mapping(bytes32 neighbourhood => mapping(bytes32 txId => bool)) public taken;

    event Anchored(bytes32 indexed neighbourhood, uint32 indexed number, bytes32 hash, uint32 credited);
    event Withdrawn(bytes32 indexed neighbourhood, bytes32 indexed txId, address target, uint64 amount);

    error NotNext(uint32 number);
    error OtherPredecessor();
    error OtherSet();
    error VoterOrder();
    error NotTheirVote(uint256 index);
    error ShortOfQuorum(uint256 signed, uint256 total);
    error NotDeposited(uint32 count);
    error ValueFromNothing(uint256 had, uint256 has);
    error NotAnExit();
    error AlreadyTaken();
    error NoDoubleVote();

    constructor(uint256 unit, uint256 fee, uint256 collateral, uint256 unbonding, uint256 absence, Proofs proofs)
        Masternodes(collateral, unbonding, absence, proofs)
        Neighbourhoods(unit)
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
        bytes15 voters = quorum(n, set, digestOf(h.neighbourhood, h.number, h.hash, credited), votes);
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

    /// @notice Takes value out that left with an anchored header, for whom the exit names. Once.
    /// @param txId The exit's transaction.
    /// @param index Its place among the header's exits, of `size`.
    /// @param path From its leaf to the exits root.
    function withdraw(
        bytes32 neighbourhood,
        uint32 number,
        address payable target,
        uint64 amount,
        bytes32 txId,
        uint256 index,
        uint256 size,
        bytes32[] calldata path
    ) external {
        Anchor storage a = anchors[neighbourhood][number];
        bytes32 leaf = Rfc9162.leafHash(Formats.exitLeaf(target, amount, txId));
        // An exit of nothing is none, and an anchor without exits has no root.
        require(amount != 0 && amount <= a.exits, NotAnExit());
        require(Rfc9162.rootFromPath(leaf, index, size, path) == a.exitsRoot, NotAnExit());
        require(!taken[neighbourhood][txId], AlreadyTaken());
        taken[neighbourhood][txId] = true;
        a.exits -= amount;
        emit Withdrawn(neighbourhood, txId, target, amount);
        Address.sendValue(target, amount * UNIT);
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
        slash(account);
    }

    /// @notice Slashes a masternode whose Ed25519 key voted for two roots of one number, which devices check: the statement of section 7.4, as who saw both wrote it.
    function doubleRoot(bytes calldata statement) external {
        (bytes32 neighbourhood, bytes32 key) = PROOFS.doubleVote(statement);
        known(neighbourhood);
        slash(accountOf[key]);
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
        /// Of those who voted so far.
        bytes32 voters;
    }

    /// Counts the stake of those votes that each are of the validator that they name; fewer than more than two thirds, and nothing happens. Who voted shares the fee.
    function quorum(Neighbourhood storage n, bytes calldata set, bytes32 digest, bytes calldata votes)
        private
        returns (bytes15)
    {
        (,, uint256 count, uint256 offset) = set.setHead();
        uint256 voters = votes.length / VOTE_LENGTH;
        require(voters != 0 && voters * VOTE_LENGTH == votes.length, VoterOrder());
        Tally memory tally = Tally(digest, shareOf(n, voters), 0, 0, 0, 0);
        for (uint256 index = 0; index < count; ++index) {
            offset = hear(tally, set, offset, index, votes);
        }
        require(offset == set.length && tally.next == votes.length, VoterOrder());
        require(3 * tally.signed > 2 * tally.total, ShortOfQuorum(tally.signed, tally.total));
        return bytes15(tally.voters);
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
        tally.voters = keccak256(abi.encode(tally.voters, account));
        Masternode storage node = masternodes[account];
        (node.seen, node.earned) = (uint64(block.timestamp), node.earned + uint128(tally.share));
        return true;
    }

    /// What each voter of a header gets: out of the neighbourhood's fund, else of what was slashed, else nothing.
    function shareOf(Neighbourhood storage n, uint256 voters) private returns (uint256 share) {
        share = FEE / voters;
        if (n.fund >= FEE) n.fund -= uint96(share * voters);
        else if (slashed >= FEE) slashed -= share * voters;
        else share = 0;
    }
}
