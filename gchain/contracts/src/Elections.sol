// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {GChain} from "./GChain.sol";
import {Seeds} from "./Seeds.sol";

/// @title Elections: who stands for a term, and what each of them revealed, each by its deadline
/// @notice A board, and no judge: what is written here decides who is elected (docs/protocol.md sections 7.7 and 7.8), and anybody computes it. To check a proof of RFC 9381 here would cost some 2.5 million gas each; one that does not hold counts as none.
/// Beside G-Chain and without a right in it.
/// Invariant: the list of term t, and its order, is the same whenever it is read from the height of the seed of t - 1 on; what was revealed for an attempt, from the attempt's end on. A whole term lies between the list and the randomness of t.
contract Elections {
    struct Candidate {
        /// Ed25519 key of the masternode.
        bytes32 key;
        /// Its key of ECVRF-EDWARDS25519-SHA512-TAI, as it was sent: who reads the list leaves out what is none.
        bytes32 vrf;
        address account;
        /// The term in which it was registered; it stands from the third one after on.
        uint32 registered;
        /// The first term for which it does not stand any more; 0: there is none.
        uint32 until;
    }

    /// A proof's Gamma, c and s.
    struct Reveal {
        bytes32 gamma;
        bytes32 s;
        bytes16 c;
    }

    GChain public immutable CHAIN;
    Seeds public immutable SEEDS;
    /// Of the committee.
    uint256 public immutable SEATS;
    /// Blocks of an attempt. Four of them are over a fifth of a term before the next randomness.
    uint256 public immutable ROUND;
    /// What seeds and inputs of the election name as its chain.
    bytes32 public immutable ID;
    uint256 public constant ATTEMPTS = 4;
    /// Terms from registration to the first election.
    uint32 public constant AHEAD = 3;
    /// Most candidates of a list.
    uint256 public constant MOST = 4_096;

    /// All that ever stood, in the order of registration.
    Candidate[] private all;
    /// Place in it, from 1, of the one that stands with this key.
    mapping(bytes32 key => uint256) private standing;
    mapping(uint32 term => mapping(uint256 attempt => mapping(bytes32 key => Reveal))) private revealed;
    /// The last term for which something was revealed with this key.
    mapping(bytes32 key => uint32) public served;
    /// How many stand.
    uint256 public stand;

    event Registered(bytes32 indexed key, bytes32 vrf, uint32 term);
    event Dropped(bytes32 indexed key, uint32 until);
    event Revealed(uint32 indexed term, uint256 indexed attempt, bytes32 indexed key);

    error BadSeats();
    error UnbondingBelow(uint256 wanted);
    error NoMasternode();
    error SigningKey();
    error Full();
    error NotStanding();
    error InService();
    error NoAttempt();
    error NotYet(uint256 height);
    error TooLate(uint256 height);
    error AlreadyRevealed();
    error NoProof();

    /// @param pace Most seconds that a block takes, in the mean of a term; `age` the longest age of a set that a device takes (U), in seconds.
    constructor(GChain chain, Seeds seeds, uint256 seats, uint256 pace, uint256 age) {
        require(seats != 0 && seats <= 64, BadSeats());
        // Who reveals is not leaving; it serves until two terms after the seed at most.
        uint256 wanted = 2 * seeds.LENGTH() * pace + age;
        require(chain.UNBONDING() >= wanted, UnbondingBelow(wanted));
        (CHAIN, SEEDS, SEATS) = (chain, seeds, seats);
        ROUND = seeds.LENGTH() / (ATTEMPTS + 1);
        ID = sha256(abi.encodePacked("iotedge/elections/1", block.chainid, address(this)));
    }

    /// @notice The term that is running: t begins at the height of the seed of t + 1, and what was before 1 is 0.
    function term() public view returns (uint32) {
        uint256 first = SEEDS.FIRST();
        uint256 terms = block.number < first ? 0 : (block.number - first) / SEEDS.LENGTH();
        return terms < 2 ? 0 : uint32(terms - 1);
    }

    /// @notice Stands from the third term after this one on, with the masternode's key and this key of its function; one that it has is changed.
    function register(bytes32 vrf) external {
        bytes32 key = staying(msg.sender);
        require(vrf != key && vrf != 0, SigningKey());
        uint32 now_ = term();
        uint256 place = standing[key];
        // Terms are counted, and the account is asked for itself.
        // slither-disable-next-line incorrect-equality
        if (place != 0 && all[place - 1].registered == now_ && all[place - 1].account == msg.sender) {
            all[place - 1].vrf = vrf;
        } else {
            if (place != 0) {
                all[place - 1].until = now_ + AHEAD;
            } else {
                require(stand < MOST, Full());
                ++stand;
            }
            all.push(Candidate(key, vrf, msg.sender, now_, 0));
            standing[key] = all.length;
        }
        emit Registered(key, vrf, now_);
    }

    /// @notice Ends standing, from the third term after this one on: by the masternode itself, or by anyone where it has no collateral, asked for it, or is absent (`GChain.listed`) and has revealed nothing for this term or the one before.
    function drop(bytes32 key) external {
        uint256 place = standing[key];
        require(place != 0, NotStanding());
        address account = CHAIN.accountOf(key);
        uint32 now_ = term();
        bool serves = account != address(0) && leaving(account) == 0
            && (CHAIN.listed(account) || (served[key] != 0 && served[key] + 1 >= now_));
        require(account == msg.sender || !serves, InService());
        all[place - 1].until = now_ + AHEAD;
        delete standing[key];
        --stand;
        emit Dropped(key, now_ + AHEAD);
    }

    /// @notice The blocks of an attempt, the second one excluded. The randomness is that of the height at which the first attempt begins.
    function window(uint32 term_, uint256 attempt) public view returns (uint256 from, uint256 to) {
        require(term_ >= AHEAD && attempt < ATTEMPTS, NoAttempt());
        from = SEEDS.FIRST() + term_ * SEEDS.LENGTH() + attempt * ROUND;
        to = from + ROUND;
    }

    /// @notice Reveals a proof for an attempt, within its blocks, once. Who is leaving cannot: what it would be elected with could be gone.
    function reveal(uint32 term_, uint256 attempt, bytes32 gamma, bytes16 c, bytes32 s) external {
        (uint256 from, uint256 to) = window(term_, attempt);
        require(block.number >= from, NotYet(from));
        require(block.number < to, TooLate(to));
        bytes32 key = staying(msg.sender);
        require(gamma != 0, NoProof());
        Reveal storage r = revealed[term_][attempt][key];
        require(r.gamma == 0, AlreadyRevealed());
        (r.gamma, r.s, r.c) = (gamma, s, c);
        served[key] = term_;
        emit Revealed(term_, attempt, key);
    }

    /// @notice How many ever stood.
    function count() external view returns (uint256) {
        return all.length;
    }

    /// @notice Those from a place on, at most so many. The list of term t are those with registered + 3 <= t and (until = 0 or t < until): no key is there twice.
    function candidates(uint256 from, uint256 most) external view returns (Candidate[] memory page) {
        uint256 left = from < all.length ? all.length - from : 0;
        page = new Candidate[](left < most ? left : most);
        for (uint256 i = 0; i < page.length; ++i) {
            page[i] = all[from + i];
        }
    }

    /// @notice What was revealed with each of these keys; zeros: nothing.
    function reveals(uint32 term_, uint256 attempt, bytes32[] calldata keys)
        external
        view
        returns (Reveal[] memory page)
    {
        page = new Reveal[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            page[i] = revealed[term_][attempt][keys[i]];
        }
    }

    function leaving(address account) private view returns (uint64 leaves) {
        (, leaves,,) = CHAIN.masternodes(account);
    }

    /// The key of a masternode with collateral that it did not ask for.
    function staying(address account) private view returns (bytes32) {
        (bytes32 key, uint64 leaves,,) = CHAIN.masternodes(account);
        require(key != 0 && leaves == 0, NoMasternode());
        return key;
    }
}
