// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Base} from "./Base.sol";
import {Ed25519Signer} from "./Ed25519Signer.sol";
import {GChain} from "../src/GChain.sol";
import {Masternodes} from "../src/Masternodes.sol";
import {Proofs} from "../src/Proofs.sol";

/// A token that keeps `fee` of each transfer that is not its making.
contract Coin is ERC20 {
    uint256 public fee;

    constructor() ERC20("Coin", "COIN") {}

    function make(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function charge(uint256 fee_) external {
        fee = fee_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, from == address(0) ? amount : amount - fee);
    }
}

contract TokenTest is Base {
    uint256 private constant COLLATERAL = 5_000;
    bytes32 private constant SEED = bytes32(uint256(2));
    Coin private coin = new Coin();
    GChain private chain =
        new GChain(1 gwei, 7_000 gwei, COLLATERAL, 14 days, 1 days, new Proofs(), 6 hours, 1 days, 1, coin);
    address private account;
    bytes32 private key;
    bytes private proof;

    function setUp() public {
        account = vm.addr(1);
        key = Ed25519Signer.publicKey(SEED);
        proof = Ed25519Signer.sign(SEED, chain.joinMessage(account));
        coin.make(account, COLLATERAL);
        vm.deal(account, 1 ether);
        vm.prank(account);
        coin.approve(address(chain), COLLATERAL);
    }

    function test_collateral_is_a_token_where_one_is_named() public {
        vm.startPrank(account);
        vm.expectRevert(abi.encodeWithSelector(Masternodes.Collateral.selector, COLLATERAL));
        chain.join{value: COLLATERAL}(key, proof);
        chain.join(key, proof);
        vm.assertEq(coin.balanceOf(address(chain)), COLLATERAL);
        chain.quit();
        vm.warp(block.timestamp + 14 days);
        chain.takeCollateral();
        vm.assertEq(coin.balanceOf(account), COLLATERAL);
        vm.assertEq(account.balance, 1 ether);
        vm.stopPrank();
    }

    function test_a_token_that_hands_over_less_is_refused() public {
        coin.charge(1);
        vm.expectRevert(abi.encodeWithSelector(Masternodes.Collateral.selector, COLLATERAL));
        vm.prank(account);
        chain.join(key, proof);
    }

    function test_who_is_slashed_loses_tokens() public {
        vm.prank(account);
        chain.join(key, proof);
        bytes32 a = bytes32(uint256(1));
        bytes memory one = sign(chain.digestOf(a, 1, a, 0));
        bytes memory two = sign(chain.digestOf(a, 1, a, 1));
        chain.doubleVote(a, 1, a, 0, one, a, 1, two);
        vm.assertEq(coin.balanceOf(address(this)), COLLATERAL / 10);
        vm.assertEq(coin.balanceOf(address(chain)), chain.slashed());
        vm.assertEq(chain.slashed(), COLLATERAL - COLLATERAL / 10);
    }

    function sign(bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(1, digest);
        return bytes.concat(r, s, bytes1(v));
    }
}
