// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Ed25519Signer} from "./Ed25519Signer.sol";
import {Usage} from "./Usage.sol";
import {Exits} from "../src/Exits.sol";
import {GChain} from "../src/GChain.sol";
import {Gateways} from "../src/Gateways.sol";
import {Services} from "../src/Services.sol";

/// What happens to a neighbourhood, in any order: value comes in, epochs credit some of it and let some out, what left is taken or disputed; masternodes earn, leave, and are slashed; a gateway stalls; a service is used.
contract Handler is Usage {
    uint40 private constant DEADLINE = 1 hours;
    /// After the cut of all headers here.
    uint40 private constant END = 1_760_000_011;
    address payable private constant PAYEE = payable(address(0xfee));

    Exit[] private waiting;
    uint32[] private under;
    uint256[] private amounts;
    uint32 private credited;
    /// Micro-tokens of deposits that are not credited yet, and of exits that are not taken.
    uint256 public pending;
    uint256 public leaving;
    Gateways public gateways;
    Services public services;
    uint64 private used;

    receive() external payable {}

    constructor() {
        build();
        gateways = new Gateways(chain, proofs, 1 ether, 1 days);
        services = new Services(chain, 1 days);
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
        depositFor(1 + amount % 1_000_000);
    }

    function epoch(uint256 credits, uint256 out) external {
        uint256 had = credit(credits % (amounts.length - credited + 1));
        out = out % 3 == 0 ? 0 : out % (had + 1);
        Exit memory exit = Exit(address(uint160(0xe0000 + number)), uint64(out), keccak256(abi.encode(number)));
        anchor(uint64(had - out), leafOf(exit), credited);
        if (out != 0) wait(exit);
    }

    function take(uint256 which) external {
        if (waiting.length == 0) return;
        which %= waiting.length;
        Exit memory exit = waiting[which];
        vm.warp(block.timestamp + WINDOW);
        chain.withdraw(here, under[which], payable(exit.target), exit.amount, exit.id, 0, 1, new bytes32[](0));
        leaving -= exit.amount;
        (waiting[which], under[which]) = (waiting[waiting.length - 1], under[under.length - 1]);
        waiting.pop();
        under.pop();
    }

    /// An exit that nobody signed is void: its value is the neighbourhood's again. Its voters are slashed and join again.
    function lie(uint256 out) external {
        out = 1 + out % value;
        bytes memory opener = last;
        Exits.Exit memory e =
            Exits.Exit(here, number + 1, payable(address(1)), uint64(out), keccak256(abi.encode("lie", number)));
        uint64 had = value;
        anchor(uint64(had - out), leafOf(Exit(e.target, e.amount, e.txId)), credited);
        dispute(e);
        vm.warp(block.timestamp + ANSWER + 1);
        chain.void(e);
        value = had;
        chain.convict(e, opener, set);
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            rejoin(i);
        }
    }

    /// A deposit whose device is no member goes back; who doubts it pays who shows it.
    function giveBack(uint256 amount) external {
        depositFor(1 + amount % 1_000_000);
        amount = amounts[amounts.length - 1];
        bytes32 id = sha256(abi.encodePacked("iotedge/deposit/1", here, uint32(amounts.length - 1)));
        Exits.Exit memory e = Exits.Exit(here, number + 1, payable(address(this)), uint64(amount), id);
        uint256 had = credit(amounts.length - credited);
        anchor(uint64(had - amount), leafOf(Exit(e.target, e.amount, id)), credited);
        dispute(e);
        chain.showDeposit(e, uint32(amounts.length - 1));
        wait(Exit(e.target, e.amount, id));
    }

    function pay(uint256 amount) external {
        amount %= 10 * FEE;
        vm.deal(address(this), amount);
        chain.fund{value: amount}(here);
    }

    /// Two outcomes of one number.
    function cheat(uint256 i) external {
        i %= VALIDATORS;
        bytes memory one = signature(i, chain.digestOf(here, number, here, 0));
        bytes memory two = signature(i, chain.digestOf(here, number, here, 1));
        chain.doubleVote(here, number, here, 0, one, here, 1, two);
        rejoin(i);
    }

    function collect(uint256 i) external {
        vm.prank(vm.addr(secret(i % VALIDATORS)));
        chain.collect();
    }

    function leave_(uint256 i) external {
        i %= VALIDATORS;
        vm.startPrank(vm.addr(secret(i)));
        chain.quit();
        vm.warp(block.timestamp + UNBONDING);
        chain.takeCollateral();
        vm.stopPrank();
        rejoin(i);
    }

    /// The gateway's bond, and what a stalled epoch takes of it.
    function stall(bool close) external {
        (bytes32 key,,,,,,,) = gateways.bonds(here);
        if (key == 0) bond();
        vm.warp(block.timestamp + DEADLINE + 1);
        gateways.stall(here);
        if (!close) return;
        bytes memory payload = header(value, 0, setHash(set));
        bytes memory five = votes(payload, credited, 5);
        vm.prank(vm.addr(secret(0)));
        gateways.close(here, payload, set, credited, five);
        (head, last) = (hashOf(payload), payload);
        ++number;
    }

    function unbond() external {
        (bytes32 key,,,,,,,) = gateways.bonds(here);
        if (key == 0) return;
        gateways.quit(here);
        vm.warp(block.timestamp + 1 days);
        gateways.take(here);
    }

    function serve(uint64 price, uint64 usage, bool finish) external {
        Services.State memory state = stateOf(used, used);
        state.header = header(value, 0, setHash(set));
        anchor(value, 0, credited);
        uint64 units = 1 + price % 1_000;
        vm.deal(address(this), uint256(price) + 1);
        Services.Terms memory terms = Services.Terms(here, CONSUMER, PROVIDER, PAYEE, units, END);
        uint256 id = services.open{value: uint256(price) + 1}(terms, state);
        used += usage % 1_500;
        state = stateOf(used, used);
        state.header = header(value, 0, setHash(set));
        anchor(value, 0, credited);
        try services.release(id, state) {} catch {}
        if (!finish) return;
        vm.prank(PAYEE);
        services.finish(id);
    }

    /// More than what is in a neighbourhood and what came in never is.
    function forge(uint256 more) external {
        uint64 made = uint64(value + pending + 1 + more % 1_000);
        bytes memory payload = header(made, 0, setHash(set));
        bytes memory seven = votes(payload, uint32(amounts.length), VALIDATORS);
        try chain.anchor(payload, set, uint32(amounts.length), seven) {
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

    function depositFor(uint256 amount) private {
        vm.deal(address(this), amount * UNIT);
        chain.deposit{value: amount * UNIT}(here, bytes32(amount));
        amounts.push(amount);
        pending += amount;
    }

    /// Credits the next so many deposits: what the neighbourhood has then.
    function credit(uint256 count) private returns (uint256 had) {
        had = value;
        for (uint256 i = 0; i < count; ++i) {
            had += amounts[credited + i];
            pending -= amounts[credited + i];
        }
        credited += uint32(count);
    }

    function wait(Exit memory exit) private {
        waiting.push(exit);
        under.push(number);
        leaving += exit.amount;
    }

    function dispute(Exits.Exit memory e) private {
        vm.deal(address(this), BOND);
        chain.challenge{value: BOND}(e, 0, 1, new bytes32[](0));
    }

    function rejoin(uint256 i) private {
        (bytes32 key,,,) = chain.masternodes(vm.addr(secret(i)));
        if (key == 0) join(i);
    }

    function bond() private {
        bytes memory proof = Ed25519Signer.sign(deviceSeed(0), gateways.bondMessage(here, address(this), DEADLINE));
        vm.deal(address(this), 1 ether);
        gateways.bond{value: 1 ether}(genesis(setHash(set)), record(0), pathIn(table, 0), DEADLINE, proof);
    }
}
