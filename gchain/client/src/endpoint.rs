//! An Ethereum node, seen to be of the right chain and to have the contract.

use crate::rpc::{Rpc, bytes, quantity, uint};
use crate::{Account, Domain, Error};
use alloy_primitives::{Address, hex};
use alloy_sol_types::SolCall;
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::time::Duration;

/// A way to the contract on its chain. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub(crate) rpc: Rpc,
    /// Zero: none yet.
    contract: Address,
    wanted: Option<u64>,
    chain: OnceLock<u64>,
    pub(crate) since: u64,
}

/// The newest block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// Wei of a unit of gas that nobody gets.
    pub base_fee: u128,
    /// Unix seconds.
    pub time: u64,
}

impl Endpoint {
    /// An endpoint that is not asked yet: for who starts before the node does. `timeout` is for each call.
    #[must_use]
    pub fn new(url: &str, chain_id: Option<u64>, contract: Address, timeout: Duration) -> Self {
        Self {
            rpc: Rpc::new(url, timeout),
            contract,
            wanted: chain_id,
            chain: OnceLock::new(),
            since: 0,
        }
    }

    /// An endpoint that is there, of this chain (of any, where none is named), and has the contract.
    ///
    /// # Errors
    /// [`Error::Down`], [`Error::Timeout`], [`Error::NotJsonRpc`], [`Error::WrongChain`], [`Error::NoContract`].
    pub fn connect(
        url: &str,
        chain_id: Option<u64>,
        contract: Address,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let endpoint = Self::new(url, chain_id, contract, timeout);
        endpoint.check()?;
        Ok(endpoint)
    }

    /// An endpoint of this chain for who deploys the contract; then [`Self::at`].
    ///
    /// # Errors
    /// As [`Self::connect`], without the last.
    pub fn without_contract(
        url: &str,
        chain_id: Option<u64>,
        timeout: Duration,
    ) -> Result<Self, Error> {
        Self::connect(url, chain_id, Address::ZERO, timeout)
    }

    /// The contract at this address, by the same way.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn at(&self, contract: Address) -> Result<Self, Error> {
        let endpoint = Self {
            contract,
            ..self.clone()
        };
        endpoint.check()?;
        Ok(endpoint)
    }

    /// Logs are looked for from this block on: that of the contract's creation, or nobody's first.
    #[must_use]
    pub const fn since(mut self, block: u64) -> Self {
        self.since = block;
        self
    }

    /// Asks again whether chain and contract are what they should be: another node can answer at this address by now.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn check(&self) -> Result<(), Error> {
        let found = self.rpc.number("eth_chainId", json!([]))?;
        let wanted = *self.chain.get_or_init(|| self.wanted.unwrap_or(found));
        if found != wanted {
            return Err(Error::WrongChain {
                url: self.rpc.origin(),
                found,
                wanted,
            });
        }
        if self.contract == Address::ZERO {
            return Ok(());
        }
        let code = self
            .rpc
            .call("eth_getCode", json!([self.contract, "latest"]))?;
        if bytes(&code).is_none_or(|code| code.is_empty()) {
            return Err(self.no_contract());
        }
        Ok(())
    }

    /// The chain.
    ///
    /// # Errors
    /// Those of the endpoint, where it was not asked before.
    pub fn chain_id(&self) -> Result<u64, Error> {
        match self.chain.get().or(self.wanted.as_ref()) {
            Some(id) => Ok(*id),
            None => {
                self.check()?;
                Ok(self.chain.get().copied().unwrap_or_default())
            }
        }
    }

    /// The contract.
    #[must_use]
    pub const fn contract(&self) -> Address {
        self.contract
    }

    /// What votes are signed for.
    ///
    /// # Errors
    /// As [`Self::chain_id`].
    pub fn domain(&self) -> Result<Domain, Error> {
        Ok(Domain {
            chain_id: self.chain_id()?,
            contract: self.contract,
        })
    }

    /// The newest block.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub fn head(&self) -> Result<Head, Error> {
        let what = "eth_getBlockByNumber";
        let block = self.rpc.call(what, json!(["latest", false]))?;
        let field = |name: &str| uint(&block[name]).ok_or(Error::Form { what });
        Ok(Head {
            number: field("number")?,
            base_fee: field("baseFeePerGas")?.into(),
            time: field("timestamp")?,
        })
    }

    /// What a view of the contract says, after a block or after the newest.
    pub(crate) fn view<C: SolCall>(
        &self,
        call: &C,
        block: Option<u64>,
    ) -> Result<C::Return, Error> {
        let what = "eth_call";
        let tag = block.map_or(json!("latest"), quantity);
        let data = hex::encode_prefixed(call.abi_encode());
        let params = json!([{"to": self.contract, "data": data}, tag]);
        let answer = bytes(&self.rpc.call(what, params)?).ok_or(Error::Form { what })?;
        // All of them give something back: nothing is what an address without code says.
        if answer.is_empty() {
            return Err(self.no_contract());
        }
        C::abi_decode_returns(&answer).map_err(|_| Error::Form { what })
    }

    /// Whether an account's call is refused now, and why.
    pub(crate) fn refusal(
        &self,
        from: &Account,
        call: &Value,
    ) -> Result<Option<crate::Revert>, Error> {
        let mut call = call.clone();
        call["from"] = json!(from.address());
        match self.rpc.call("eth_call", json!([call, "latest"])) {
            Ok(_) => Ok(None),
            Err(Error::Revert(why)) => Ok(Some(why)),
            Err(e) => Err(e),
        }
    }

    fn no_contract(&self) -> Error {
        Error::NoContract {
            contract: self.contract,
            chain_id: self.chain.get().copied().unwrap_or_default(),
        }
    }
}
