// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title Masternodes: a fixed collateral, and two keys of which each proves the other
/// @notice The account votes here, the Ed25519 key votes for devices. The account proves itself by joining, the key by a signature that is checked here, once: or somebody could vote with the stake of
/// a key that is not his.
abstract contract Masternodes {
    using SafeERC20 for IERC20;

    struct Masternode {
        bytes32 key;
        /// When the collateral is free again; 0: it was not asked for.
        uint64 leaves;
        /// When it last did its duty, or said that it is there again.
        uint64 seen;
        /// Wei that it earned and did not collect.
        uint128 earned;
    }

    /// What the collateral is of: an ERC-20 that hands over what it is told to, neither more nor less; 0: ETH. All else here is in ETH whatever it is.
    IERC20 public immutable TOKEN;
    /// Units of it (wei) that each of them sets aside.
    uint256 public immutable COLLATERAL;
    /// Seconds between leaving and the collateral: at least the longest age of a validator set that a device takes (U).
    uint256 public immutable UNBONDING;
    /// Seconds without a duty done after which it is off the list.
    uint256 public immutable ABSENCE;

    mapping(address account => Masternode) public masternodes;
    mapping(bytes32 key => address account) public accountOf;
    /// How many are bonded.
    uint256 public bondedCount;
    /// What each of those that were bonded all along has had of slashed collateral; what one had missed when it joined, or has collected.
    uint256 public shared;
    mapping(address account => uint256) private missed;
    /// Slashed collateral that is not shared yet: what did not divide, or had nobody to go to.
    uint256 public slashed;

    event Joined(address indexed account, bytes32 indexed key);
    event Leaving(address indexed account, uint256 free);
    event Left(address indexed account);
    event Slashed(address indexed account, address indexed reporter);

    error Collateral(uint256 wanted);
    error AlreadyBonded();
    error KeyTaken();
    error KeyNotProved();
    error NotBonded();
    error NotFree(uint256 when);

    constructor(uint256 collateral, uint256 unbonding, uint256 absence, IERC20 token) {
        TOKEN = token;
        COLLATERAL = collateral;
        UNBONDING = unbonding;
        ABSENCE = absence;
    }

    /// @notice What the Ed25519 key of an account signs to join.
    function joinMessage(address account) public view returns (bytes memory) {
        return abi.encodePacked("iotedge/masternode/1", block.chainid, address(this), account);
    }

    /// @notice Joins with the collateral as value; an ERC-20 must be approved for this contract instead.
    /// @param key The Ed25519 key that signs votes for devices.
    /// @param proof Its signature over `joinMessage(msg.sender)`.
    function join(bytes32 key, bytes calldata proof) external payable {
        require(msg.value == (ether_() ? COLLATERAL : 0), Collateral(COLLATERAL));
        Masternode storage node = masternodes[msg.sender];
        require(node.key == 0, AlreadyBonded());
        require(accountOf[key] == address(0), KeyTaken());
        require(proves(key, joinMessage(msg.sender), proof), KeyNotProved());
        node.key = key;
        node.seen = uint64(block.timestamp);
        accountOf[key] = msg.sender;
        missed[msg.sender] = shared;
        ++bondedCount;
        emit Joined(msg.sender, key);
        if (!ether_()) {
            uint256 before = TOKEN.balanceOf(address(this));
            TOKEN.safeTransferFrom(msg.sender, address(this), COLLATERAL);
            // What others send here meanwhile cannot be: the token is called once between the two.
            // slither-disable-next-line incorrect-equality
            require(TOKEN.balanceOf(address(this)) - before == COLLATERAL, Collateral(COLLATERAL));
        }
    }

    /// @notice Asks for the collateral back. Until it is free the masternode can vote, and be slashed.
    function quit() external {
        Masternode storage node = bonded(msg.sender);
        require(node.leaves == 0, NotFree(node.leaves));
        node.leaves = uint64(block.timestamp + UNBONDING);
        emit Leaving(msg.sender, node.leaves);
    }

    /// @notice Takes the collateral and what was earned, after the delay.
    function takeCollateral() external {
        Masternode storage node = bonded(msg.sender);
        require(node.leaves != 0 && block.timestamp >= node.leaves, NotFree(node.leaves));
        uint256 earned = node.earned;
        uint256 share = shareOf(msg.sender);
        delete accountOf[node.key];
        delete masternodes[msg.sender];
        --bondedCount;
        emit Left(msg.sender);
        hand(earned, COLLATERAL + share);
    }

    /// @notice Takes what was earned, and the share of what others lost; who was slashed takes what it earned before.
    function collect() external {
        Masternode storage node = masternodes[msg.sender];
        uint256 earned = node.earned;
        uint256 share = shareOf(msg.sender);
        node.earned = 0;
        missed[msg.sender] = shared;
        hand(earned, share);
    }

    /// @notice What a masternode can collect of others' slashed collateral, in what that is of.
    function shareOf(address account) public view returns (uint256) {
        return masternodes[account].key != 0 ? shared - missed[account] : 0;
    }

    /// @notice Back in service: on the list again.
    function resume() external {
        bonded(msg.sender).seen = uint64(block.timestamp);
    }

    /// @notice Whether an election may count on it: bonded, staying, and in service.
    function listed(address account) external view returns (bool) {
        Masternode storage node = masternodes[account];
        return node.key != 0 && node.leaves == 0 && block.timestamp <= node.seen + ABSENCE;
    }

    /// @dev Takes its collateral: a tenth for who showed it, which the caller has to give to whom it is due; the rest, and the share that it did not collect, is for all others alike. Not for who brings the next header: that could be itself, in a neighbourhood of its own. Key and account are free again, but what was shown can be shown again: who rejoins takes others.
    function slash(address account) internal returns (uint256 reward) {
        Masternode storage node = bonded(account);
        // In a loop of at most 64, once in the life of a wrong header.
        // slither-disable-next-line costly-loop
        delete accountOf[node.key];
        uint256 lost = slashed + shareOf(account);
        node.key = 0;
        node.leaves = 0;
        reward = COLLATERAL / 10;
        // slither-disable-next-line costly-loop
        uint256 left = --bondedCount;
        lost += COLLATERAL - reward;
        uint256 each = left == 0 ? 0 : lost / left;
        // slither-disable-next-line costly-loop
        shared += each;
        // slither-disable-next-line costly-loop
        slashed = left == 0 ? lost : lost % left;
        emit Slashed(account, msg.sender);
    }

    /// @dev For the caller: wei, and something in what the collateral is of.
    function hand(uint256 amount, uint256 ofCollateral) internal {
        if (ether_()) amount += ofCollateral;
        else if (ofCollateral != 0) TOKEN.safeTransfer(msg.sender, ofCollateral);
        if (amount != 0) Address.sendValue(payable(msg.sender), amount);
    }

    /// @dev A reward for somebody else, whom a payment could fail: ETH waits until it is collected. A token that its receiver may not have stays here.
    function credit(address to, uint256 reward) internal {
        if (ether_()) masternodes[to].earned += uint128(reward);
        else if (!TOKEN.trySafeTransfer(to, reward)) slashed += reward;
    }

    function ether_() internal view returns (bool) {
        return address(TOKEN) == address(0);
    }

    /// Whether this is the Ed25519 key's signature.
    function proves(bytes32 key, bytes memory message, bytes calldata signature) internal view virtual returns (bool);

    function bonded(address account) internal view returns (Masternode storage node) {
        node = masternodes[account];
        require(node.key != 0, NotBonded());
    }
}
