// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Formats} from "./Formats.sol";
import {Masternodes} from "./Masternodes.sol";
import {Neighbourhoods} from "./Neighbourhoods.sol";
import {Proofs} from "./Proofs.sol";
import {Rfc9162} from "./Rfc9162.sol";

/// @title Exits: how value leaves, and how an exit that nobody signed is stopped
/// @notice For `WINDOW` seconds after its header an exit waits, and anyone with a bond may demand that it be shown: the transaction as the issuer signed it, within `ANSWER` seconds. Shown, the bond is for who showed it; not shown, the exit is void, its value the neighbourhood's again, and who voted for its header is
/// slashed. What this catches and what not: docs/decisions/0041.
abstract contract Exits is Masternodes, Neighbourhoods {
    using Formats for bytes;

    /// An exit as a header has it.
    struct Exit {
        bytes32 neighbourhood;
        uint32 number;
        address payable target;
        /// Micro-tokens.
        uint64 amount;
        bytes32 txId;
    }

    enum Verdict {
        None,
        Open,
        Shown,
        Void
    }

    struct Dispute {
        address challenger;
        /// The last second in which the exit can be shown.
        uint40 until;
        Verdict verdict;
    }

    /// Seconds after a header in which its exits wait and can be disputed; 0: nothing can be.
    uint256 public immutable WINDOW;
    /// Seconds in which a disputed exit has to be shown.
    uint256 public immutable ANSWER;
    /// Wei that a dispute costs if the exit is shown: more than showing it does.
    uint256 public immutable BOND;

    mapping(bytes32 neighbourhood => mapping(bytes32 txId => bool)) public taken;
    /// By `keyOf` the exit.
    mapping(bytes32 exit => Dispute) public disputes;

    event Withdrawn(bytes32 indexed neighbourhood, bytes32 indexed txId, address target, uint64 amount);
    event Challenged(
        bytes32 indexed neighbourhood,
        uint32 indexed number,
        bytes32 indexed txId,
        Exit exit,
        address challenger,
        uint256 until
    );
    event ExitShown(bytes32 indexed neighbourhood, uint32 indexed number, bytes32 indexed txId, address by);
    event ExitVoid(bytes32 indexed neighbourhood, uint32 indexed number, bytes32 indexed txId, uint64 returned);

    error NotAnExit();
    error AlreadyTaken();
    error TooEarly(uint256 when);
    error Disputed();
    error WindowClosed(uint256 when);
    error ChallengeBond(uint256 wanted);
    error NoDispute();
    error AnswerTime(uint256 until);
    error OtherEpoch(uint32 epoch);
    error OtherOpener();
    error NotGivenBack();
    error NotVoid();
    error NotTheVoters();
    error UnbondingTooShort(uint256 least);

    constructor(uint256 window, uint256 answer, uint256 bond) {
        WINDOW = window;
        ANSWER = answer;
        BOND = bond;
        // Time to dispute, to answer, and to convict.
        require(UNBONDING >= window + 2 * answer, UnbondingTooShort(window + 2 * answer));
    }

    /// @notice Takes value out that left with an anchored header, for whom the exit names. Once, after the window.
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
        Exit memory e = Exit(neighbourhood, number, target, amount, txId);
        Anchor storage a = leaving(e, index, size, path);
        require(!taken[neighbourhood][txId], AlreadyTaken());
        require(block.timestamp >= a.time + WINDOW, TooEarly(a.time + WINDOW));
        Verdict verdict = disputes[keyOf(e)].verdict;
        require(verdict == Verdict.None || verdict == Verdict.Shown, Disputed());
        taken[neighbourhood][txId] = true;
        a.exits -= amount;
        emit Withdrawn(neighbourhood, txId, target, amount);
        Address.sendValue(target, amount * UNIT);
    }

    /// @notice Demands, with the bond as value, that an exit be shown. Until it is, it waits.
    function challenge(Exit calldata e, uint256 index, uint256 size, bytes32[] calldata path) external payable {
        require(msg.value == BOND, ChallengeBond(BOND));
        Anchor storage a = leaving(e, index, size, path);
        require(block.timestamp < a.time + WINDOW, WindowClosed(a.time + WINDOW));
        Dispute storage d = disputes[keyOf(e)];
        require(d.verdict == Verdict.None, Disputed());
        uint40 until = uint40(block.timestamp + ANSWER);
        (d.challenger, d.until, d.verdict) = (msg.sender, until, Verdict.Open);
        emit Challenged(e.neighbourhood, e.number, e.txId, e, msg.sender, until);
    }

    /// @notice Shows a disputed exit: the transaction as its issuer signed it. The bond is the caller's.
    function show(Exit calldata e, Proofs.ExitProof calldata proof) external {
        (uint32 epoch, bytes32 opener) = PROOFS.signedExit(e.neighbourhood, e.target, e.amount, e.txId, proof);
        // Header h settles what is of the epochs h - 2 and h - 1, the first one what is of epoch 1 (section 3).
        bool due = epoch + 2 == e.number || epoch + 1 == e.number || (epoch == 1 && e.number == 1);
        require(due, OtherEpoch(epoch));
        require(opener == headerOf(e.neighbourhood, epoch - 1), OtherOpener());
        shown(e);
    }

    /// @notice Shows a disputed exit that gives a deposit back, because its device was no member: by the deposit's index. The bond is the caller's.
    function showDeposit(Exit calldata e, uint32 index) external {
        mapping(uint32 count => Deposit) storage all = deposited[e.neighbourhood];
        Deposit storage d = all[index + 1];
        mapping(uint32 number => Anchor) storage headers = anchors[e.neighbourhood];
        bool now_ = index >= headers[e.number - 1].credited && index < headers[e.number].credited;
        bool same = d.from == e.target && d.sum - all[index].sum == e.amount;
        bytes32 id = sha256(abi.encodePacked("iotedge/deposit/1", e.neighbourhood, index));
        require(now_ && same && id == e.txId, NotGivenBack());
        shown(e);
    }

    /// @notice Makes an exit void that was not shown in time; its value is the neighbourhood's again, so that the next header can put it right. The challenger collects its bond.
    function void(Exit calldata e) external {
        Dispute storage d = disputed(e);
        require(block.timestamp > d.until, AnswerTime(d.until));
        d.verdict = Verdict.Void;
        Anchor storage a = anchors[e.neighbourhood][e.number];
        uint64 back = e.amount < a.exits ? e.amount : a.exits;
        a.exits -= back;
        neighbourhoods[e.neighbourhood].totalValue += back;
        masternodes[d.challenger].earned += uint128(BOND);
        emit ExitVoid(e.neighbourhood, e.number, e.txId, back);
    }

    /// @notice Slashes who voted for the header of a void exit and has collateral: a tenth of each is for the challenger.
    /// @param opener Payload of the header before, or of the genesis: it names the set that voted.
    /// @param set This set.
    function convict(Exit calldata e, bytes calldata opener, bytes calldata set) external {
        Dispute storage d = disputes[keyOf(e)];
        require(d.verdict == Verdict.Void, NotVoid());
        (bytes32 before, bytes32 setHash) = PROOFS.setAfter(e.number - 1, opener);
        require(before == headerOf(e.neighbourhood, e.number - 1), OtherOpener());
        require(set.setHash() == setHash, NotTheVoters());
        uint64 voters = anchors[e.neighbourhood][e.number].voters;
        (,,, uint256 offset) = set.setHead();
        uint256 reward;
        for (; voters != 0; voters >>= 1) {
            bytes32 key;
            (key,, offset) = set.validator(offset);
            address account = accountOf[key];
            if (voters & 1 == 1 && account != address(0)) reward += slash(account);
        }
        credit(d.challenger, reward);
    }

    /// @notice By what an exit is known in `disputes`.
    function keyOf(Exit memory e) public pure returns (bytes32) {
        return keccak256(abi.encode(e));
    }

    /// The anchor that this exit left with.
    function leaving(Exit memory e, uint256 index, uint256 size, bytes32[] calldata path)
        private
        view
        returns (Anchor storage a)
    {
        a = anchors[e.neighbourhood][e.number];
        bytes32 leaf = Rfc9162.leafHash(Formats.exitLeaf(e.target, e.amount, e.txId));
        // An exit of nothing is none, and an anchor without exits has no root.
        require(e.amount != 0 && e.amount <= a.exits, NotAnExit());
        require(Rfc9162.rootFromPath(leaf, index, size, path) == a.exitsRoot, NotAnExit());
    }

    function proves(bytes32 key, bytes memory message, bytes calldata signature) internal view override returns (bool) {
        return PROOFS.ed25519(key, message, signature);
    }

    function disputed(Exit calldata e) private view returns (Dispute storage d) {
        d = disputes[keyOf(e)];
        require(d.verdict == Verdict.Open, NoDispute());
    }

    function shown(Exit calldata e) private {
        Dispute storage d = disputed(e);
        require(block.timestamp <= d.until, AnswerTime(d.until));
        d.verdict = Verdict.Shown;
        emit ExitShown(e.neighbourhood, e.number, e.txId, msg.sender);
        Address.sendValue(payable(msg.sender), BOND);
    }

    /// Hash of an anchored header; the genesis stands as number 0.
    function headerOf(bytes32 neighbourhood, uint32 number) private view returns (bytes32) {
        return number == 0 ? neighbourhood : anchors[neighbourhood][number].hash;
    }
}
