// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Genesis} from "./Formats.sol";
import {Proofs} from "./Proofs.sol";

/// @title Neighbourhoods: what is known of each, and the value that goes into them
/// @notice A neighbourhood is known by the hash of its genesis, its validators by the hash that genesis or the header before names: as a device knows them, so nobody is asked who they are.
abstract contract Neighbourhoods {
    struct Neighbourhood {
        /// The set that votes on the next header.
        bytes32 setHash;
        /// Hash of the last header; the neighbourhood's id before the first.
        bytes32 head;
        /// Micro-tokens of all accounts and locks after it.
        uint64 totalValue;
        /// Its number.
        uint32 number;
        /// Deposits that were made, and how many of them it has credited.
        uint32 deposits;
        uint32 credited;
        /// Wei that pay for headers to come.
        uint96 fund;
    }

    struct Anchor {
        bytes32 exitsRoot;
        /// Micro-tokens that left with this header and were not taken.
        uint64 exits;
        /// Seconds.
        uint40 time;
        /// Deposits that were credited by then.
        uint32 credited;
        /// Bit i: validator i of the set voted for it.
        uint64 voters;
        bytes32 hash;
    }

    struct Deposit {
        /// Micro-tokens of all deposits up to this one together.
        uint64 sum;
        /// Who paid it.
        address from;
    }

    /// Wei of a micro-token.
    uint256 public immutable UNIT;
    /// What checks signatures and reads geneses.
    Proofs public immutable PROOFS;

    mapping(bytes32 neighbourhood => Neighbourhood) public neighbourhoods;
    mapping(bytes32 neighbourhood => mapping(uint32 number => Anchor)) public anchors;
    /// By how many there are with it: the first is number 1.
    mapping(bytes32 neighbourhood => mapping(uint32 count => Deposit)) public deposited;

    event Founded(bytes32 indexed neighbourhood, uint64 value);
    /// `from` paid it, and gets it back as an exit where the device is no member (docs/decisions/0034).
    event Deposited(bytes32 indexed neighbourhood, uint32 index, bytes32 indexed device, uint64 amount, address from);

    error AlreadyFounded();
    error OtherChain(uint64 chainId);
    error Value(uint256 wanted);
    error UnknownNeighbourhood();

    constructor(uint256 unit, Proofs proofs) {
        UNIT = unit;
        PROOFS = proofs;
    }

    /// @notice Founds a neighbourhood here, by anyone who pays what its genesis grants to the founding members.
    function found(bytes calldata genesisPayload) external payable {
        Genesis memory genesis = PROOFS.readGenesis(genesisPayload);
        require(genesis.chainId == block.chainid, OtherChain(genesis.chainId));
        Neighbourhood storage n = neighbourhoods[genesis.neighbourhood];
        require(n.setHash == 0, AlreadyFounded());
        uint64 value = genesis.grant * genesis.members;
        // With all deposits it fits the ledger's 64 bits.
        require(value >> 63 == 0, Value(0));
        require(msg.value == value * UNIT, Value(value * UNIT));
        n.setHash = genesis.setHash;
        n.head = genesis.neighbourhood;
        n.totalValue = value;
        emit Founded(genesis.neighbourhood, value);
    }

    /// @notice Pays for headers to come.
    function fund(bytes32 neighbourhood) external payable {
        known(neighbourhood).fund += uint96(msg.value);
    }

    /// @notice Pays value in for a device: the settlement of one of the next epochs credits it.
    function deposit(bytes32 neighbourhood, bytes32 device) external payable {
        Neighbourhood storage n = known(neighbourhood);
        uint256 amount = msg.value / UNIT;
        require(amount != 0 && amount * UNIT == msg.value, Value(UNIT));
        uint32 index = n.deposits;
        uint256 sum = deposited[neighbourhood][index].sum + amount;
        require(sum >> 63 == 0, Value(0));
        n.deposits = index + 1;
        deposited[neighbourhood][index + 1] = Deposit(uint64(sum), msg.sender);
        emit Deposited(neighbourhood, index, device, uint64(amount), msg.sender);
    }

    function known(bytes32 neighbourhood) internal view returns (Neighbourhood storage n) {
        n = neighbourhoods[neighbourhood];
        require(n.setHash != 0, UnknownNeighbourhood());
    }
}
