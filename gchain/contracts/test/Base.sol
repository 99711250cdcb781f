// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// The cheat codes of Foundry that the tests use (https://getfoundry.sh, reference of cheat codes). forge-std is on npm only as an unofficial copy that lacks a file.
interface Vm {
    function prank(address sender) external;
    function startPrank(address sender) external;
    function stopPrank() external;
    function deal(address account, uint256 balance) external;
    function warp(uint256 timestamp) external;
    function chainId(uint256 id) external;
    function roll(uint256 number) external;
    function expectRevert(bytes4 selector) external;
    function expectRevert(bytes calldata data) external;
    function expectEmit() external;
    function addr(uint256 privateKey) external pure returns (address);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function signP256(uint256 privateKey, bytes32 digest) external pure returns (bytes32 r, bytes32 s);
    function publicKeyP256(uint256 privateKey) external pure returns (uint256 x, uint256 y);
    function setBlockhash(uint256 number, bytes32 hash) external;
    function mockCall(address callee, bytes calldata data, bytes calldata answer) external;
    function clearMockedCalls() external;
    function snapshotState() external returns (uint256 id);
    function revertToState(uint256 id) external returns (bool);
    function etch(address target, bytes calldata code) external;
    function assume(bool condition) external pure;
    function readFile(string calldata path) external view returns (string memory);
    function keyExistsJson(string calldata json, string calldata key) external view returns (bool);
    function parseJson(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonString(string calldata json, string calldata key) external pure returns (string memory);
    function parseJsonStringArray(string calldata json, string calldata key) external pure returns (string[] memory);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function parseBytes(string calldata text) external pure returns (bytes memory);
    function toString(uint256 value) external pure returns (string memory);
    function assertEq(uint256 left, uint256 right) external pure;
    function assertEq(bytes32 left, bytes32 right) external pure;
    function assertEq(address left, address right) external pure;
    function assertEq(bytes calldata left, bytes calldata right) external pure;
    function assertTrue(bool condition) external pure;
    function assertLe(uint256 left, uint256 right) external pure;
    function snapshotGasLastCall(string calldata name) external returns (uint256 gasUsed);
}

/// What each test stands on.
abstract contract Base {
    bool public constant IS_TEST = true;
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function place(uint256 row, string memory field) internal pure returns (string memory) {
        return string.concat("$[", vm.toString(row), "].", field);
    }

    function hexAt(string memory json, uint256 row, string memory field) internal pure returns (bytes memory) {
        return vm.parseBytes(string.concat("0x", vm.parseJsonString(json, place(row, field))));
    }

    /// Whether the field is this text.
    function same(string memory json, uint256 row, string memory field, string memory wanted)
        internal
        pure
        returns (bool)
    {
        return keccak256(bytes(vm.parseJsonString(json, place(row, field)))) == keccak256(bytes(wanted));
    }
}
