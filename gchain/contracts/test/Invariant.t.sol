// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Handler} from "./Handler.sol";
import {World} from "./World.sol";
import {GChain} from "../src/GChain.sol";
import {Gateways} from "../src/Gateways.sol";
import {Services} from "../src/Services.sol";

contract InvariantTest is World {
    Handler private handler;

    function setUp() public {
        handler = new Handler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// The contracts hold, to the wei, what they owe: the accounts of the neighbourhood, waiting deposits and exits, the collateral, what was earned and slashed and pays for headers; bonds; prices in escrow.
    function invariant_the_contracts_hold_what_they_owe() public view {
        GChain held = handler.contracts();
        bytes32 where = handler.neighbourhood();
        (,, uint64 totalValue,,,, uint96 fund) = held.neighbourhoods(where);
        vm.assertEq(totalValue, handler.total());
        uint256 owed = (handler.total() + handler.pending() + handler.leaving()) * UNIT;
        (,,, uint256 earned) = held.masternodes(address(handler));
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            (,,, uint128 more) = held.masternodes(vm.addr(secret(i)));
            earned += more + held.shareOf(vm.addr(secret(i)));
        }
        vm.assertEq(address(held).balance, owed + VALIDATORS * COLLATERAL + held.slashed() + fund + earned);
        Gateways gateways = handler.gateways();
        (,, uint96 bond,,,,, uint96 prize) = gateways.bonds(where);
        vm.assertEq(address(gateways).balance, uint256(bond) + prize);
        Services services = handler.services();
        uint256 escrow;
        for (uint256 id = 1; id <= services.count(); ++id) {
            (,, uint96 price, uint96 paid,,) = services.services(id);
            escrow += price - paid;
        }
        vm.assertEq(address(services).balance, escrow);
    }
}
