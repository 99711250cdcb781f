// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {World} from "./World.sol";
import {GChain} from "../src/GChain.sol";

/// What happens to a neighbourhood, in any order: value comes in, epochs credit some of it and let some out, and what left is taken.
contract Handler is World {
    Exit[] private waiting;
    uint32[] private under;
    uint32 public deposits;
    uint32 public credited;
    /// Micro-tokens of deposits that are not credited yet, and of exits that are not taken.
    uint256 public pending;
    uint256 public leaving;
    uint256[] private amounts;
    uint256 public paid;

    constructor() {
        build();
    }

    function total() external view returns (uint256) {
        return value;
    }

    function contracts() external view returns (GChain) {
        return chain;
    }

    function neighbourhood() external view returns (bytes32) {
        return here;
    }

    function deposit(uint256 amount) external {
        amount = 1 + amount % 1_000_000;
        vm.deal(address(this), amount * UNIT);
        chain.deposit{value: amount * UNIT}(here, bytes32(amount));
        amounts.push(amount);
        ++deposits;
        pending += amount;
    }

    function epoch(uint256 credits, uint256 out) external {
        uint256 count = credits % (deposits - credited + 1);
        uint256 had = value;
        for (uint256 i = 0; i < count; ++i) {
            had += amounts[credited + i];
            pending -= amounts[credited + i];
        }
        credited += uint32(count);
        out = out % 3 == 0 ? 0 : out % (had + 1);
        Exit memory exit = Exit(address(uint160(0xe0000 + number)), uint64(out), keccak256(abi.encode(number)));
        anchor(uint64(had - out), leafOf(exit), credited);
        if (out != 0) {
            waiting.push(exit);
            under.push(number);
            leaving += out;
        }
    }

    function take(uint256 which) external {
        if (waiting.length == 0) return;
        which %= waiting.length;
        Exit memory exit = waiting[which];
        vm.warp(block.timestamp + WINDOW);
        chain.withdraw(here, under[which], payable(exit.target), exit.amount, exit.id, 0, 1, new bytes32[](0));
        leaving -= exit.amount;
        paid += exit.amount;
        (waiting[which], under[which]) = (waiting[waiting.length - 1], under[under.length - 1]);
        waiting.pop();
        under.pop();
    }

    /// More than what is in a neighbourhood and what came in never is.
    function forge(uint256 more) external {
        uint64 made = uint64(value + pending + 1 + more % 1_000);
        bytes memory payload = header(made, 0, setHash(set));
        bytes memory seven = votes(payload, deposits, VALIDATORS);
        try chain.anchor(payload, set, deposits, seven) {
            revert("value from nothing");
        } catch {}
    }

    /// What was taken cannot be taken again, nor what nobody let out.
    function steal(uint256 amount) external {
        uint64 some = uint64(1 + amount % 1_000);
        try chain.withdraw(here, number, payable(address(1)), some, bytes32(amount), 0, 1, new bytes32[](0)) {
            revert("stolen");
        } catch {}
    }
}

contract InvariantTest is World {
    Handler private handler;
    uint256 private founded;

    function setUp() public {
        handler = new Handler();
        founded = uint256(GRANT) * MEMBERS;
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// The contract holds what the accounts of the neighbourhood, waiting deposits and waiting exits come to, to the wei, beside the collateral.
    function invariant_the_contract_holds_what_it_owes() public view {
        uint256 owed = handler.total() + handler.pending() + handler.leaving();
        vm.assertEq(address(handler.contracts()).balance, owed * UNIT + VALIDATORS * COLLATERAL);
        (,, uint64 totalValue,,,,) = handler.contracts().neighbourhoods(handler.neighbourhood());
        vm.assertEq(totalValue, handler.total());
    }
}
