//! EIP-1559 transactions: the one form that is sent.

use crate::{Account, Error};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::{Encodable, Header};

/// The type byte of EIP-2718.
const TYPE: u8 = 2;

/// What a unit of gas may cost, in wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// At most, all together.
    pub most: u128,
    /// Of it for who makes the block.
    pub tip: u128,
}

impl Fees {
    /// The least that nodes take in place of these, an eighth more (they want a tenth), or what is usual now where that is more.
    pub fn raised(self, usual: Self) -> Self {
        let more = |fee: u128| fee.saturating_add(fee / 8).saturating_add(1);
        Self {
            most: more(self.most).max(usual.most),
            tip: more(self.tip).max(usual.tip),
        }
    }
}

/// An unsigned transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    pub chain_id: u64,
    pub nonce: u64,
    pub fees: Fees,
    pub gas: u64,
    /// Nothing: it creates a contract.
    pub to: Option<Address>,
    /// Wei.
    pub value: U256,
    pub data: Bytes,
}

impl Transaction {
    /// As it is sent, and its hash.
    pub fn signed(&self, account: &Account) -> Result<(Bytes, B256), Error> {
        let digest = keccak256(self.encode(None));
        let signature = account.sign(&digest)?;
        let raw = self.encode(Some((signature.v(), signature.r(), signature.s())));
        let hash = keccak256(&raw);
        Ok((raw.into(), hash))
    }

    fn encode(&self, signature: Option<(bool, U256, U256)>) -> Vec<u8> {
        let mut fields = Vec::with_capacity(self.data.len() + 256);
        self.chain_id.encode(&mut fields);
        self.nonce.encode(&mut fields);
        self.fees.tip.encode(&mut fields);
        self.fees.most.encode(&mut fields);
        self.gas.encode(&mut fields);
        match &self.to {
            Some(to) => to.encode(&mut fields),
            None => Bytes::new().encode(&mut fields),
        }
        self.value.encode(&mut fields);
        self.data.encode(&mut fields);
        // No access list.
        let empty = Header {
            list: true,
            payload_length: 0,
        };
        empty.encode(&mut fields);
        if let Some((odd, r, s)) = signature {
            odd.encode(&mut fields);
            r.encode(&mut fields);
            s.encode(&mut fields);
        }
        let mut out = vec![TYPE];
        let list = Header {
            list: true,
            payload_length: fields.len(),
        };
        list.encode(&mut out);
        out.extend_from_slice(&fields);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{address, hex};

    /// As Foundry's `cast mktx` makes it.
    #[test]
    fn the_bytes_are_those_of_another_implementation() {
        let transaction = Transaction {
            chain_id: 31_337,
            nonce: 5,
            fees: Fees {
                most: 3_000_000_000,
                tip: 1_000_000_000,
            },
            gas: 100_000,
            to: Some(address!("5FbDB2315678afecb367f032d93F642f64180aa3")),
            value: U256::from(7),
            data: crate::abi::data(&crate::abi::fundCall {
                neighbourhood: B256::repeat_byte(1),
            }),
        };
        let account = Account::from_secret(&[7; 32]).unwrap();
        let (raw, hash) = transaction.signed(&account).unwrap();
        let theirs = hex!(
            "02f891827a6905843b9aca0084b2d05e00830186a0945fbdb2315678afecb367f032d93f642f64180aa307a4bf14c119"
            "0101010101010101010101010101010101010101010101010101010101010101"
            "c001a06ac15b97cdc4e9c318322ad80537ef58466e42a68266b3a2db220a8e89f07cb2a039657466b9202f5fbded9fee0b9fd85362571c250a55a039770a6c93d89165b0"
        );
        assert_eq!(raw[..], theirs);
        assert_eq!(hash, keccak256(theirs));
    }

    #[test]
    fn a_raise_is_taken_in_place_of_what_it_raises() {
        let fees = |most, tip| Fees { most, tip };
        assert_eq!(fees(80, 8).raised(fees(10, 1)), fees(91, 10));
        assert_eq!(fees(80, 8).raised(fees(200, 1)), fees(200, 10));
        assert_eq!(fees(0, 0).raised(fees(0, 0)), fees(1, 1));
    }
}
