// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {GChain} from "./GChain.sol";
import {Proofs} from "./Proofs.sol";

/// @title The gateways' bonds: who closes a neighbourhood's epochs answers for headers that contradict each other, and for none
/// @notice Beside G-Chain and without a right in it: it reads there, and pays into a neighbourhood's fund as anybody may. A neighbourhood whose gateway has no bond here works as before, and nobody promised it anything.
contract Gateways {
    struct Bond {
        /// Ed25519 key of the GL-node; 0: there is no bond.
        bytes32 key;
        /// Who put it in and gets it back.
        address payable owner;
        /// Wei that are left of it.
        uint96 value;
        /// Seconds without a header after which an epoch is stalled.
        uint40 deadline;
        /// When the deadline last began anew by anything but a header.
        uint40 since;
        /// When the bond is free; 0: nobody asked for it.
        uint40 leaves;
        /// The header that the prize is for, and its wei.
        uint32 wanted;
        uint96 prize;
    }

    GChain public immutable CHAIN;
    Proofs public immutable PROOFS;
    /// Wei that a bond has at least when it is put in.
    uint256 public immutable LEAST;
    /// Seconds between asking for a bond and getting it.
    uint256 public immutable UNBONDING;
    /// What a stalled epoch costs, and what who shows two headers gets: one part in so many of the bond.
    uint256 public constant PART = 10;

    mapping(bytes32 neighbourhood => Bond) public bonds;

    event Bonded(bytes32 indexed neighbourhood, bytes32 key, address indexed owner, uint96 value, uint40 deadline);
    event Stalled(bytes32 indexed neighbourhood, uint32 indexed number, uint96 fund, uint96 prize);
    event Closed(bytes32 indexed neighbourhood, uint32 indexed number, address indexed masternode, uint96 prize);
    event GatewaySlashed(bytes32 indexed neighbourhood, bytes32 key, uint32 number, address indexed reporter);
    event Leaving(bytes32 indexed neighbourhood, uint256 free);
    event Left(bytes32 indexed neighbourhood);

    error TooLittle(uint256 wanted);
    error AlreadyBonded();
    error NoBond();
    error NotFounded();
    error KeyNotProved();
    error NotYours();
    error NotFree(uint256 when);
    error NotStalled(uint256 when);
    error NoTwoHeaders();
    error NoMasternode();
    error NoDeadline();

    constructor(GChain chain, Proofs proofs, uint256 least, uint256 unbonding) {
        CHAIN = chain;
        PROOFS = proofs;
        LEAST = least;
        UNBONDING = unbonding;
    }

    /// @notice What the GL-node's key signs so that an account bonds it under this deadline (seconds).
    function bondMessage(bytes32 neighbourhood, address owner, uint40 deadline) public view returns (bytes memory) {
        return abi.encodePacked("iotedge/gateway/1", block.chainid, address(this), neighbourhood, owner, deadline);
    }

    /// @notice Sets a neighbourhood's policy and bonds its gateway, with the bond as value. The founder has no other right than to pay, so the gateway itself agrees to the deadline, by a signature.
    /// @param genesis Its payload: it names the GL-node, whose record leads by `path` to the founding table's root.
    /// @param proof The GL-node's signature over `bondMessage`.
    function bond(
        bytes calldata genesis,
        bytes calldata record,
        bytes32[] calldata path,
        uint40 deadline,
        bytes calldata proof
    ) external payable {
        require(msg.value >= LEAST, TooLittle(LEAST));
        require(deadline != 0, NoDeadline());
        (bytes32 neighbourhood, bytes32 key) = PROOFS.gatewayKey(genesis, record, path);
        (bytes32 setHash,,,,,,) = CHAIN.neighbourhoods(neighbourhood);
        require(setHash != 0, NotFounded());
        Bond storage b = bonds[neighbourhood];
        require(b.key == 0, AlreadyBonded());
        require(PROOFS.ed25519(key, bondMessage(neighbourhood, msg.sender, deadline), proof), KeyNotProved());
        b.key = key;
        (b.owner, b.value) = (payable(msg.sender), uint96(msg.value));
        (b.deadline, b.since, b.leaves) = (deadline, uint40(block.timestamp), 0);
        emit Bonded(neighbourhood, key, msg.sender, uint96(msg.value), deadline);
    }

    /// @notice Fills a bond up.
    function add(bytes32 neighbourhood) external payable {
        Bond storage b = bonded(neighbourhood);
        b.value += uint96(msg.value);
        emit Bonded(neighbourhood, b.key, b.owner, b.value, b.deadline);
    }

    /// @notice When the epoch that is open counts as stalled, should no header come.
    function stalledAt(bytes32 neighbourhood) public view returns (uint256) {
        Bond storage b = bonded(neighbourhood);
        (,,, uint32 number,,,) = CHAIN.neighbourhoods(neighbourhood);
        uint256 last = anchoredAt(neighbourhood, number);
        return (last > b.since ? last : b.since) + b.deadline;
    }

    /// @notice By anyone, once per deadline without a header: a tenth of what is left of the bond goes half to the neighbourhood's fund, which pays who votes, and half to the masternode that brings the next header by `close`.
    function stall(bytes32 neighbourhood) external {
        uint256 when = stalledAt(neighbourhood);
        require(block.timestamp > when, NotStalled(when));
        Bond storage b = bonds[neighbourhood];
        (,,, uint32 number,,,) = CHAIN.neighbourhoods(neighbourhood);
        uint96 part = uint96(b.value / PART);
        uint96 prize = part / 2;
        uint96 rest = part - prize;
        // A prize for a header that came without `close`.
        if (b.wanted != number + 1) (rest, b.prize) = (rest + b.prize, 0);
        b.value -= part;
        b.since = uint40(block.timestamp);
        b.wanted = number + 1;
        b.prize += prize;
        emit Stalled(neighbourhood, number + 1, rest, b.prize);
        CHAIN.fund{value: rest}(neighbourhood);
    }

    /// @notice Anchors the next header, by a masternode; if its epoch was stalled, the prize is the masternode's. Parameters as in `GChain.anchor`, which needs no prize and takes a header from anyone.
    function close(
        bytes32 neighbourhood,
        bytes calldata header,
        bytes calldata set,
        uint32 credited,
        bytes calldata votes
    ) external {
        (bytes32 key,,,) = CHAIN.masternodes(msg.sender);
        require(key != 0, NoMasternode());
        (,,, uint32 before,,,) = CHAIN.neighbourhoods(neighbourhood);
        // It calls no stranger: `GChain.anchor` pays nobody.
        // slither-disable-next-line reentrancy-benign,reentrancy-events
        CHAIN.anchor(header, set, credited, votes);
        (,,, uint32 number,,,) = CHAIN.neighbourhoods(neighbourhood);
        Bond storage b = bonds[neighbourhood];
        uint96 prize = number == before + 1 && number == b.wanted ? b.prize : 0;
        if (prize != 0) b.prize = 0;
        emit Closed(neighbourhood, number, msg.sender, prize);
        Address.sendValue(payable(msg.sender), prize);
    }

    /// @notice Takes the whole bond of a GL-node that signed two headers of one number: a tenth for who shows them, the rest for the neighbourhood's fund.
    /// @param a One header, the COSE_Sign1 with the GL-node's signature; `b` the other.
    function twoHeaders(bytes32 neighbourhood, bytes calldata a, bytes calldata b) external {
        Bond memory bond_ = bonded(neighbourhood);
        uint32 number = contradicted(neighbourhood, bond_.key, a, b);
        uint256 reward = bond_.value / PART;
        delete bonds[neighbourhood];
        emit GatewaySlashed(neighbourhood, bond_.key, number, msg.sender);
        CHAIN.fund{value: bond_.value - reward + bond_.prize}(neighbourhood);
        Address.sendValue(payable(msg.sender), reward);
    }

    /// @notice Asks for the bond back. Until it is free it answers for the gateway.
    function quit(bytes32 neighbourhood) external {
        Bond storage b = mine(neighbourhood);
        require(b.leaves == 0, NotFree(b.leaves));
        b.leaves = uint40(block.timestamp + UNBONDING);
        emit Leaving(neighbourhood, b.leaves);
    }

    /// @notice Takes what is left of the bond, after the delay; a prize that nobody won goes to the fund.
    function take(bytes32 neighbourhood) external {
        Bond storage b = mine(neighbourhood);
        require(b.leaves != 0 && block.timestamp >= b.leaves, NotFree(b.leaves));
        (uint256 value, uint256 prize) = (b.value, b.prize);
        delete bonds[neighbourhood];
        emit Left(neighbourhood);
        if (prize != 0) CHAIN.fund{value: prize}(neighbourhood);
        Address.sendValue(payable(msg.sender), value);
    }

    /// The number for which this key signed these two headers, of this neighbourhood.
    function contradicted(bytes32 neighbourhood, bytes32 key, bytes calldata a, bytes calldata b)
        private
        view
        returns (uint32)
    {
        (bytes32 whereA, uint32 numberA, bytes32 hashA) = PROOFS.signedHeader(a, key);
        (bytes32 whereB, uint32 numberB, bytes32 hashB) = PROOFS.signedHeader(b, key);
        bool two = whereA == neighbourhood && whereB == neighbourhood && numberA == numberB && hashA != hashB;
        require(two, NoTwoHeaders());
        return numberA;
    }

    function anchoredAt(bytes32 neighbourhood, uint32 number) private view returns (uint256 time) {
        (,, time,,,) = CHAIN.anchors(neighbourhood, number);
    }

    function bonded(bytes32 neighbourhood) private view returns (Bond storage b) {
        b = bonds[neighbourhood];
        require(b.key != 0, NoBond());
    }

    function mine(bytes32 neighbourhood) private view returns (Bond storage b) {
        b = bonded(neighbourhood);
        require(msg.sender == b.owner, NotYours());
    }
}
