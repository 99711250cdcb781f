// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Cbor} from "./Cbor.sol";

/// What the contract needs of a genesis (docs/protocol.md section 6).
struct Genesis {
    bytes32 neighbourhood;
    uint64 chainId;
    uint64 period;
    uint64 grant;
    /// Index of the GL-node.
    uint16 gateway;
    uint32 members;
    bytes32 tableRoot;
    bytes32 setHash;
}

/// What the contract needs of a macro transaction's header (docs/protocol.md section 7).
struct MacroHeader {
    bytes32 hash;
    bytes32 neighbourhood;
    uint32 number;
    bytes32 previous;
    uint64 cut;
    uint32 count;
    bytes32 stateRoot;
    bytes32 exitsRoot;
    /// Of the table of the next epoch, and how many records it has.
    bytes32 tableRoot;
    uint32 members;
    bytes32 setHash;
    uint64 totalValue;
}

/// What a member's record says that proofs ask for (docs/protocol.md section 5).
struct Record {
    uint16 index;
    /// An Ed25519 key is x alone, y is 0; a P-256 key is both.
    bool p256;
    bytes32 x;
    bytes32 y;
    uint64 credits;
    /// Whether it left, was revoked or is frozen: what it issues is void.
    bool out;
}

/// An exit's payload (docs/protocol.md section 3).
struct ExitBody {
    uint32 epoch;
    uint16 issuer;
    uint64 amount;
    /// The issuer's lifetime debits with this one.
    uint64 debits;
    address target;
}

/// @title The statements of the L-Chain as a contract reads them
/// @notice The same bytes, hashes and refusals as in core/src/identity/genesis.rs and core/src/posp; the same vectors.
library Formats {
    using Cbor for bytes;

    /// A structure of another version.
    error Version(uint256 version);
    /// Fields that contradict each other.
    error Contradiction();

    /// Most validators of a set.
    uint256 internal constant MAX_VALIDATORS = 64;

    /// @notice A genesis: its payload, without the authority's signature. Its hash is the neighbourhood's name, so nothing in it can be another's.
    function genesis(bytes calldata payload) internal pure returns (Genesis memory g) {
        uint256 offset = payload.arrayOf(0, 16);
        uint256 value;
        (value, offset) = payload.unsigned(offset);
        require(value == 1, Version(value));
        g.neighbourhood = sha256(abi.encodePacked("iotedge/genesis/1", payload));
        (, offset) = payload.word(offset); // nonce
        (value, offset) = payload.unsignedOf(offset, 64);
        g.chainId = uint64(value);
        (, offset) = payload.unsignedOf(offset, 64); // t0
        (value, offset) = payload.unsignedOf(offset, 64);
        g.period = uint64(value);
        (, offset) = payload.unsignedOf(offset, 64); // P_max
        (, offset) = payload.unsignedOf(offset, 64); // q
        offset = payload.arrayOf(offset, 3); // caps
        for (uint256 cap = 0; cap < 3; ++cap) {
            (, offset) = payload.unsignedOf(offset, 64);
        }
        (value, offset) = payload.unsignedOf(offset, 64);
        g.grant = uint64(value);
        (, offset) = payload.unsignedOf(offset, 32); // most members
        (value, offset) = payload.unsignedOf(offset, 16);
        g.gateway = uint16(value);
        (value, offset) = payload.unsignedOf(offset, 32);
        g.members = uint32(value);
        (, offset) = payload.unsignedOf(offset, 64); // W
        (g.tableRoot, offset) = payload.word(offset);
        (g.setHash, offset) = payload.word(offset);
        (, offset) = payload.unsignedOf(offset, 64); // U
        payload.end(offset);
        require(g.period != 0 && g.gateway < g.members, Contradiction());
        require(uint256(g.grant) * g.members >> 64 == 0, Contradiction());
    }

    /// @notice A header: its payload, without the GL-node's signature, which the validators checked before they voted.
    function header(bytes calldata payload) internal pure returns (MacroHeader memory h) {
        uint256 offset = payload.arrayOf(0, 17);
        uint256 value;
        (value, offset) = payload.unsigned(offset);
        require(value == 1, Version(value));
        h.hash = sha256(abi.encodePacked("iotedge/macro/1", payload));
        (h.neighbourhood, offset) = payload.word(offset);
        (value, offset) = payload.unsignedOf(offset, 32);
        h.number = uint32(value);
        (h.previous, offset) = payload.word(offset);
        (, offset) = payload.word(offset); // trim
        (value, offset) = payload.unsignedOf(offset, 64);
        h.cut = uint64(value);
        (, offset) = payload.word(offset); // G0
        (value, offset) = payload.unsignedOf(offset, 32);
        h.count = uint32(value);
        (h.stateRoot, offset) = payload.word(offset);
        (h.exitsRoot, offset) = payload.word(offset);
        (h.tableRoot, offset) = payload.word(offset);
        (value, offset) = payload.unsignedOf(offset, 32);
        h.members = uint32(value);
        (, offset) = payload.unsignedOf(offset, 64); // W
        (h.setHash, offset) = payload.word(offset);
        (value, offset) = payload.unsignedOf(offset, 64);
        h.totalValue = uint64(value);
        uint256 first;
        uint256 last;
        (first, offset) = payload.unsignedOf(offset, 64);
        (last, offset) = payload.unsignedOf(offset, 64);
        payload.end(offset);
        bool times = h.count == 0 ? first == 0 && last == 0 : first <= last && last <= h.cut;
        require(h.number != 0 && h.count != type(uint32).max && times, Contradiction());
    }

    /// @notice A member's record.
    function record(bytes calldata data) internal pure returns (Record memory r) {
        uint256 offset = data.arrayOf(0, 12);
        uint256 value;
        (value, offset) = data.unsignedOf(offset, 16);
        r.index = uint16(value);
        (, offset) = data.word(offset); // device id
        r.p256 = offset < data.length && data[offset] == 0xa4;
        // COSE_Key: {1: 1, -1: 6, -2: x} or {1: 2, -1: 1, -2: x, -3: y}.
        offset = data.fixedAt(offset, r.p256 ? bytes(hex"a40102200121") : bytes(hex"a30101200621"));
        (r.x, offset) = data.word(offset);
        if (r.p256) {
            offset = data.fixedAt(offset, hex"22");
            (r.y, offset) = data.word(offset);
        }
        (, offset) = data.unsignedOf(offset, 32); // weight
        (value, offset) = data.unsignedOf(offset, 4); // roles: bit 3 is left or revoked
        r.out = value & 8 != 0;
        offset = data.arrayOf(offset, 3); // caps
        for (uint256 cap = 0; cap < 3; ++cap) {
            (, offset) = data.unsignedOf(offset, 64);
        }
        (, offset) = data.unsignedOf(offset, 32); // head number
        (, offset) = data.word(offset); // head id
        (value, offset) = data.unsignedOf(offset, 64);
        r.credits = uint64(value);
        (, offset) = data.unsignedOf(offset, 64); // debits
        (, offset) = data.unsignedOf(offset, 8); // idle
        (value, offset) = data.unsignedOf(offset, 1); // frozen
        r.out = r.out || value == 1;
        data.end(offset);
    }

    /// @notice The payload of a transaction of kind 8.
    function exitBody(bytes calldata payload) internal pure returns (ExitBody memory e) {
        uint256 offset = payload.arrayOf(0, 8);
        uint256 value;
        (value, offset) = payload.unsigned(offset);
        require(value == 1, Version(value));
        (value, offset) = payload.unsignedOf(offset, 32);
        e.epoch = uint32(value);
        (value, offset) = payload.unsignedOf(offset, 16);
        e.issuer = uint16(value);
        (, offset) = payload.unsignedOf(offset, 32); // number
        (, offset) = payload.unsignedOf(offset, 32); // offset
        (, offset) = payload.span(offset); // parents
        offset = payload.fixedAt(offset, hex"0883"); // kind 8, [amount, debits, target]
        (value, offset) = payload.unsignedOf(offset, 64);
        e.amount = uint64(value);
        (value, offset) = payload.unsignedOf(offset, 64);
        e.debits = uint64(value);
        offset = payload.fixedAt(offset, hex"54");
        require(offset + 20 == payload.length, Cbor.Malformed(offset));
        e.target = address(bytes20(payload[offset:offset + 20]));
    }

    /// @notice A member's leaf of the state tree (section 7); an open lock's has other items.
    function state(bytes calldata leaf) internal pure returns (bytes32 device, uint64 credits, uint64 debits) {
        uint256 offset = leaf.arrayOf(0, 5);
        uint256 value;
        (device, offset) = leaf.word(offset);
        (value, offset) = leaf.unsignedOf(offset, 64);
        credits = uint64(value);
        (value, offset) = leaf.unsignedOf(offset, 64);
        debits = uint64(value);
        (, offset) = leaf.unsignedOf(offset, 32); // head number
        (, offset) = leaf.word(offset); // head id
        leaf.end(offset);
    }

    /// @notice A set of validators: term, first header, and where its list begins.
    function setHead(bytes calldata set)
        internal
        pure
        returns (uint32 term, uint32 start, uint256 count, uint256 offset)
    {
        offset = set.arrayOf(0, 3);
        uint256 value;
        (value, offset) = set.unsignedOf(offset, 32);
        term = uint32(value);
        (value, offset) = set.unsignedOf(offset, 32);
        start = uint32(value);
        (count, offset) = set.array(offset);
        require(count != 0 && count <= MAX_VALIDATORS, Contradiction());
    }

    /// @notice The next validator of a set.
    function validator(bytes calldata set, uint256 offset)
        internal
        pure
        returns (bytes32 key, uint256 stake, uint256 next)
    {
        next = set.arrayOf(offset, 2);
        (key, next) = set.word(next);
        (stake, next) = set.unsignedOf(next, 64);
        require(stake != 0, Contradiction());
    }

    /// @notice The name of a set, as a header and a genesis name it.
    function setHash(bytes calldata set) internal pure returns (bytes32) {
        return sha256(abi.encodePacked("iotedge/set/1", set));
    }

    /// @notice The leaf of an exit in the exits tree (docs/protocol.md section 8).
    function exitLeaf(address target, uint64 amount, bytes32 id) internal pure returns (bytes memory) {
        return abi.encodePacked(uint16(0x8354), target, Cbor.uintItem(amount), uint16(0x5820), id);
    }
}
