// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Formats, MacroHeader} from "./Formats.sol";
import {GChain} from "./GChain.sol";
import {Rfc9162} from "./Rfc9162.sol";

/// @title Service contracts: a price in escrow, released by the usage that a neighbourhood settles
/// @notice Usage is what the consumer's device spent since the start, and the provider's device received, whichever is less: neither of the two can make it more alone. What it proves and what not: docs/decisions/0040.
contract Services {
    using Formats for bytes;

    struct Terms {
        bytes32 neighbourhood;
        /// Device ids.
        bytes32 consumer;
        bytes32 provider;
        /// Who is paid for the provider.
        address payable payee;
        /// Micro-tokens of usage that the whole price is for.
        uint64 units;
        /// Seconds: usage that is settled by then counts.
        uint40 end;
    }

    struct Service {
        Terms terms;
        /// Who put the price in, and gets back what is not released.
        address payable payer;
        /// Wei for all of it, and those that were released.
        uint96 price;
        uint96 paid;
        /// What the consumer had spent and the provider had received at the start.
        uint64 spent;
        uint64 received;
    }

    /// One member's leaf of the state tree, `[device id, credits, debits, head number, head id]`.
    struct Leaf {
        bytes leaf;
        uint256 index;
        bytes32[] path;
    }

    /// What an anchored header says of the two.
    struct State {
        /// Payload.
        bytes header;
        /// Leaves of its state tree: members and open locks.
        uint256 size;
        Leaf consumer;
        Leaf provider;
    }

    GChain public immutable CHAIN;
    /// Seconds after the end in which headers from before it can come and be shown.
    uint256 public immutable GRACE;
    uint256 public count;
    mapping(uint256 id => Service) public services;

    event Opened(
        uint256 indexed id,
        bytes32 indexed neighbourhood,
        address indexed payee,
        address payer,
        uint96 price,
        Terms terms
    );
    event Released(uint256 indexed id, uint64 usage, uint96 value);
    event Finished(uint256 indexed id, uint96 value);

    error NoTerms();
    error NotTheHead();
    error NotAnchored();
    error OtherNeighbourhood();
    error NotTheState();
    error TooLate(uint256 end);
    error NothingNew();
    error NoService();
    error NotFinished(uint256 when);

    constructor(GChain chain, uint256 grace) {
        CHAIN = chain;
        GRACE = grace;
    }

    /// @notice Puts a price in escrow, with it as value, for the usage of a device's service by one's own device. The start is the newest header, so neither an older nor a made-up one can be chosen; the provider looks at it before it serves.
    /// @param start What the newest anchored header says of both.
    function open(Terms calldata terms, State calldata start) external payable returns (uint256 id) {
        bool good = msg.value != 0 && terms.units != 0 && terms.payee != address(0);
        require(good && terms.end > block.timestamp && terms.consumer != terms.provider, NoTerms());
        (, bytes32 head,,,,,) = CHAIN.neighbourhoods(terms.neighbourhood);
        MacroHeader memory h = start.header.header();
        require(h.hash == head, NotTheHead());
        id = ++count;
        Service storage s = services[id];
        s.terms = terms;
        (s.payer, s.price) = (payable(msg.sender), uint96(msg.value));
        (s.spent, s.received) = statesOf(s, h, start);
        emit Opened(id, terms.neighbourhood, terms.payee, msg.sender, uint96(msg.value), terms);
    }

    /// @notice Pays what an anchored header shows to be used and was not paid, by anyone.
    function release(uint256 id, State calldata state) external {
        Service storage s = running(id);
        MacroHeader memory h = state.header.header();
        require(h.neighbourhood == s.terms.neighbourhood, OtherNeighbourhood());
        (,,,,, bytes32 hash) = CHAIN.anchors(h.neighbourhood, h.number);
        require(h.hash == hash, NotAnchored());
        require(h.cut <= uint256(s.terms.end) * 1_000, TooLate(s.terms.end));
        (uint64 spent, uint64 received) = statesOf(s, h, state);
        uint64 usage = least(above(spent, s.spent), above(received, s.received), s.terms.units);
        uint96 due = uint96(uint256(s.price) * usage / s.terms.units);
        require(due > s.paid, NothingNew());
        uint96 value = due - s.paid;
        s.paid = due;
        emit Released(id, usage, value);
        Address.sendValue(s.terms.payee, value);
    }

    /// @notice Gives back what was not released: by anyone after the end and the grace, by the payee when it likes.
    function finish(uint256 id) external {
        Service storage s = running(id);
        uint256 when = s.terms.end + GRACE;
        require(block.timestamp > when || msg.sender == s.terms.payee, NotFinished(when));
        uint96 value = s.price - s.paid;
        address payable payer = s.payer;
        delete services[id];
        emit Finished(id, value);
        Address.sendValue(payer, value);
    }

    /// The consumer's debits and the provider's credits in this header's state.
    function statesOf(Service storage s, MacroHeader memory h, State calldata state)
        private
        view
        returns (uint64 spent, uint64 received)
    {
        (, spent) = memberOf(h.stateRoot, state.size, state.consumer, s.terms.consumer);
        (received,) = memberOf(h.stateRoot, state.size, state.provider, s.terms.provider);
    }

    function memberOf(bytes32 root, uint256 size, Leaf calldata l, bytes32 wanted)
        private
        pure
        returns (uint64 credits, uint64 debits)
    {
        bytes32 device;
        (device, credits, debits) = l.leaf.state();
        bytes32 led = Rfc9162.rootFromPath(Rfc9162.leafHash(l.leaf), l.index, size, l.path);
        require(led == root && device == wanted, NotTheState());
    }

    function running(uint256 id) private view returns (Service storage s) {
        s = services[id];
        require(s.price != 0, NoService());
    }

    /// Both only rise; an older header than the start's shows no usage.
    function above(uint64 a, uint64 b) private pure returns (uint64) {
        return a > b ? a - b : 0;
    }

    function least(uint64 a, uint64 b, uint64 c) private pure returns (uint64 min) {
        min = a < b ? a : b;
        if (c < min) min = c;
    }
}
