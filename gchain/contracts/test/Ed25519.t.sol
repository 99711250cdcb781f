// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.sol";
import {Ed25519} from "../src/Ed25519.sol";
import {Sha512} from "../src/Sha512.sol";

contract Verifier {
    function verify(bytes32 key, bytes calldata message, bytes calldata signature) external view returns (bool) {
        return Ed25519.verify(key, message, signature);
    }

    function sha512(bytes calldata message) external pure returns (bytes32, bytes32) {
        return Sha512.hash(message);
    }
}

contract Ed25519Test is Base {
    Verifier private verifier = new Verifier();

    /// FIPS 180-4's examples: one block, two blocks; and the lengths at which the padding turns.
    function test_the_hash() public view {
        check(
            "abc",
            hex"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        );
        check(
            "",
            hex"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
        );
        check(
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            hex"8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"
        );
    }

    /// Every vector has the verdict that devices give it.
    function test_the_vectors_of_the_devices() public view {
        string memory json = vm.readFile("../../vectors/ed25519.json");
        uint256 held;
        uint256 refused;
        for (uint256 row = 0; vm.keyExistsJson(json, place(row, "key")); ++row) {
            bytes memory key = hexAt(json, row, "key");
            bool valid = abi.decode(vm.parseJson(json, place(row, "valid")), (bool));
            // A key of another length is no argument here.
            bool found = key.length == 32
                && verifier.verify(bytes32(key), hexAt(json, row, "message"), hexAt(json, row, "signature"));
            vm.assertTrue(found == valid);
            if (valid) ++held;
            else ++refused;
        }
        vm.assertEq(held, 195);
        vm.assertEq(refused, 641);
    }

    function test_another_length_is_refused() public view {
        vm.assertTrue(!verifier.verify(bytes32(uint256(1)), "", new bytes(63)));
        vm.assertTrue(!verifier.verify(bytes32(uint256(1)), "", new bytes(65)));
    }

    function check(string memory message, bytes memory wanted) private view {
        (bytes32 low, bytes32 high) = verifier.sha512(bytes(message));
        vm.assertEq(abi.encodePacked(low, high), wanted);
    }
}
