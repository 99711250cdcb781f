//! Transactions of one account: nonce, fees, and what becomes of them.
//!
//! The nonce is always the first that is in no block, so there is never a gap, and of two that were sent for one purpose by one nonce only one can be paid for.

use crate::abi::{self, Terms};
use crate::rpc::{address, quantity, uint, wide};
use crate::transaction::{Fees, Transaction};
use crate::{Account, Endpoint, Error};
use alloy_primitives::{Address, B256, Bytes, U256};
use serde_json::{Value, json};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// EIP-7825: no transaction may have more gas.
const MOST_GAS: u64 = 1 << 24;
/// Wei for who makes the block, where the node does not say what is usual.
const USUAL_TIP: u128 = 1_000_000_000;
/// Looks that must find a nonce used by nothing of ours before it is believed.
const LOOKS: u32 = 3;
/// How often a fee is raised at once for a nonce that is taken in the pool: an eighth each, a hundredfold together.
const RAISES: usize = 40;

/// How long a sender waits, and what it pays at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a transaction to be in a block.
    pub whole: Duration,
    /// Until its fees are raised.
    pub stuck: Duration,
    /// Between two looks.
    pub poll: Duration,
    /// Wei of a unit of gas.
    pub most: u128,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            whole: Duration::from_secs(600),
            stuck: Duration::from_secs(60),
            poll: Duration::from_secs(3),
            most: 500_000_000_000,
        }
    }
}

/// A transaction that is in a block, and did what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Included {
    /// Its hash.
    pub tx: B256,
    /// The block.
    pub block: u64,
    /// What it took.
    pub gas: u64,
    /// What it created.
    pub contract: Option<Address>,
}

/// An exit, and the way from it to the root of its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Whose.
    pub neighbourhood: B256,
    /// The header that it left with.
    pub number: u32,
    /// For whom.
    pub target: Address,
    /// Micro-tokens.
    pub amount: u64,
    /// Its transaction.
    pub tx: B256,
    /// Its place among the header's exits.
    pub index: u64,
    /// How many these are.
    pub size: u64,
    /// From its leaf to the root.
    pub path: Vec<B256>,
}

/// One of two votes that an account gave for one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voted {
    /// The header's hash.
    pub header: B256,
    /// Deposits credited.
    pub credited: u32,
    /// r, s, v.
    pub vote: [u8; 65],
}

/// Sends for an account, and waits. Only one sender may have an account at a time.
#[derive(Clone, Debug)]
pub struct Sender {
    pub(crate) endpoint: Endpoint,
    pub(crate) account: Account,
    pub(crate) patience: Patience,
}

/// A transaction that may be on its way.
#[derive(Clone, Debug)]
pub struct Pending {
    tx: Transaction,
    raw: Bytes,
    /// All that were sent with this nonce for this, the newest last: any of them can come.
    hashes: Vec<B256>,
    /// When the newest was, in milliseconds.
    pub at: u64,
    /// Looks, one after the other, that found its nonce used and it in no block.
    missed: u32,
}

impl Pending {
    pub fn hash(&self) -> B256 {
        self.hashes.last().copied().unwrap_or_default()
    }
}

/// What became of it.
#[derive(Debug)]
pub enum Fate {
    /// In the pool.
    Waiting,
    /// Its nonce is used, by it or by another: a node can count before it finds.
    Unsure,
    /// The node does not know it, and its nonce is free.
    Unknown,
    /// In a block.
    Included(Included),
    /// In a block, paid for, and refused.
    Failed(Error),
    /// Its nonce went to another.
    Used,
}

/// What to do about transactions of the account that are in the pool and not from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Say so.
    Wait,
    /// Take the first one's place.
    Replace,
}

impl Sender {
    /// A sender for this account.
    #[must_use]
    pub const fn new(endpoint: Endpoint, account: Account, patience: Patience) -> Self {
        Self {
            endpoint,
            account,
            patience,
        }
    }

    /// The way that it sends by.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Creates the contract that checks devices' signatures, and with it the contract itself, whose address is in what comes back.
    ///
    /// # Errors
    /// As all that send: those of the endpoint, [`Error::Revert`] before anything is paid, [`Error::Funds`], [`Error::TooDear`], [`Error::PoolBusy`],
    /// [`Error::NonceUsed`], [`Error::NotIncluded`], [`Error::Reverted`], [`Error::OutOfGas`].
    pub fn deploy(&self, terms: &Terms) -> Result<Included, Error> {
        let proofs = self.send(None, U256::ZERO, abi::proofs_creation()?.into())?;
        let what = "the receipt of a contract's creation";
        let proofs = proofs.contract.ok_or(Error::Form { what })?;
        self.send(None, U256::ZERO, abi::creation(terms, proofs)?.into())
    }

    /// Founds a neighbourhood; `value` is what its genesis grants to the founding members together, in micro-tokens.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub fn found(&self, genesis: &[u8], value: u64) -> Result<Included, Error> {
        let call = abi::foundCall {
            genesis: Bytes::copy_from_slice(genesis),
        };
        self.call(self.micro(value)?, abi::data(&call))
    }

    /// Pays wei for a neighbourhood's headers to come.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub fn fund(&self, neighbourhood: B256, wei: U256) -> Result<Included, Error> {
        self.call(wei, abi::data(&abi::fundCall { neighbourhood }))
    }

    /// Pays micro-tokens in for a device.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub fn deposit(
        &self,
        neighbourhood: B256,
        device: &[u8; 32],
        amount: u64,
    ) -> Result<Included, Error> {
        let call = abi::depositCall {
            neighbourhood,
            device: device.into(),
        };
        self.call(self.micro(amount)?, abi::data(&call))
    }

    /// Takes an exit out, for whom it names.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub fn withdraw(&self, exit: &Exit) -> Result<Included, Error> {
        let call = abi::withdrawCall {
            neighbourhood: exit.neighbourhood,
            number: exit.number,
            target: exit.target,
            amount: exit.amount,
            txId: exit.tx,
            index: U256::from(exit.index),
            size: U256::from(exit.size),
            path: exit.path.clone(),
        };
        self.call(U256::ZERO, abi::data(&call))
    }

    /// Becomes a masternode with the contract's collateral. `sign` is the Ed25519 key's signature over the bytes that it is given.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub fn join(
        &self,
        key: &[u8; 32],
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<Included, Error> {
        let message = self.endpoint.join_message(self.account.address())?;
        let call = abi::joinCall {
            key: key.into(),
            proof: Bytes::copy_from_slice(&sign(&message)),
        };
        let collateral = self.endpoint.view(&abi::COLLATERALCall {}, None)?;
        self.call(collateral, abi::data(&call))
    }

    /// Asks for the collateral back.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub fn leave(&self) -> Result<Included, Error> {
        self.call(U256::ZERO, abi::data(&abi::quitCall {}))
    }

    /// Takes the collateral, when it is free, and what was earned.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub fn take_collateral(&self) -> Result<Included, Error> {
        self.call(U256::ZERO, abi::data(&abi::takeCollateralCall {}))
    }

    /// Takes what was earned.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub fn collect(&self) -> Result<Included, Error> {
        self.call(U256::ZERO, abi::data(&abi::collectCall {}))
    }

    /// On the list again, after an absence.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub fn resume(&self) -> Result<Included, Error> {
        self.call(U256::ZERO, abi::data(&abi::resumeCall {}))
    }

    /// Shows two votes of one account for one number; a tenth of its collateral is the sender's.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub fn double_vote(
        &self,
        neighbourhood: B256,
        number: u32,
        a: &Voted,
        b: &Voted,
    ) -> Result<Included, Error> {
        let call = abi::doubleVoteCall {
            neighbourhood,
            number,
            a: a.header,
            creditedA: a.credited,
            signatureA: Bytes::copy_from_slice(&a.vote),
            b: b.header,
            creditedB: b.credited,
            signatureB: Bytes::copy_from_slice(&b.vote),
        };
        self.call(U256::ZERO, abi::data(&call))
    }

    fn micro(&self, amount: u64) -> Result<U256, Error> {
        let unit = self.endpoint.view(&abi::UNITCall {}, None)?;
        Ok(unit.saturating_mul(U256::from(amount)))
    }

    pub(crate) fn call(&self, value: U256, data: Bytes) -> Result<Included, Error> {
        self.send(Some(self.endpoint.contract()), value, data)
    }

    /// Sends and waits, through an endpoint's failures, until it is in a block or patience ends.
    pub(crate) fn send(
        &self,
        to: Option<Address>,
        value: U256,
        data: Bytes,
    ) -> Result<Included, Error> {
        let start = Instant::now();
        let now = || u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let tx = loop {
            match self.prepare(to, value, data.clone(), Pool::Wait) {
                Err(Error::PoolBusy { .. }) if start.elapsed() < self.patience.whole => {
                    sleep(self.patience.poll);
                }
                other => break other?,
            }
        };
        let mut pending = self.pending(tx, now())?;
        match self.broadcast(&mut pending) {
            Err(e) if !e.passes() => return Err(e),
            // It may be there all the same.
            _ => {}
        }
        loop {
            // From here on it can come at any time, so nothing but its fate or the end of patience ends this.
            let _ = match self.look(&mut pending) {
                Ok(Fate::Included(included)) => return Ok(included),
                Ok(Fate::Failed(e)) => return Err(e),
                Ok(Fate::Used) => return Err(self.used(pending.tx.nonce)),
                Ok(Fate::Unknown) => self.broadcast(&mut pending),
                Ok(Fate::Waiting) if self.is_stuck(&pending, now()) => {
                    self.bump(&mut pending, now())
                }
                Ok(Fate::Waiting | Fate::Unsure) => Ok(()),
                Err(e) => Err(e),
            };
            if start.elapsed() >= self.patience.whole {
                return Err(Error::NotIncluded {
                    tx: pending.hash(),
                    nonce: pending.tx.nonce,
                    after: self.patience.whole,
                });
            }
            sleep(self.patience.poll);
        }
    }

    pub(crate) fn is_stuck(&self, pending: &Pending, now: u64) -> bool {
        u128::from(now.saturating_sub(pending.at)) >= self.patience.stuck.as_millis()
    }

    /// A transaction that would succeed now, that the account can pay.
    pub(crate) fn prepare(
        &self,
        to: Option<Address>,
        value: U256,
        data: Bytes,
        pool: Pool,
    ) -> Result<Transaction, Error> {
        let chain_id = self.endpoint.chain_id()?;
        let nonce = self.count("latest")?;
        let waiting = self.count("pending")?.saturating_sub(nonce);
        if waiting > 0 && pool == Pool::Wait {
            return Err(Error::PoolBusy {
                account: self.account.address(),
                count: waiting,
            });
        }
        let has = self.balance()?;
        let fees = self.fees()?;
        let funds = |needs: U256| Error::Funds {
            account: self.account.address(),
            has,
            needs,
        };
        // Nodes word it each in their own way when even the estimate is too dear.
        let least = value.saturating_add(U256::from(21_000).saturating_mul(U256::from(fees.most)));
        if has < least {
            return Err(funds(least));
        }
        let mut call =
            json!({"from": self.account.address(), "value": quantity(value), "data": data});
        if let Some(to) = to {
            call["to"] = json!(to);
        }
        let estimate = self
            .endpoint
            .rpc
            .number("eth_estimateGas", json!([call, "latest"]))?;
        // Storage can be colder, or a vote more to count, in the block that it gets into.
        let gas = (estimate + estimate / 5 + 10_000).min(MOST_GAS);
        let needs = value.saturating_add(U256::from(gas).saturating_mul(U256::from(fees.most)));
        if has < needs {
            return Err(funds(needs));
        }
        Ok(Transaction {
            chain_id,
            nonce,
            fees,
            gas,
            to,
            value,
            data,
        })
    }

    /// Signed, and not sent: who keeps this knows what may be on its way whatever happens to the sending.
    pub(crate) fn pending(&self, tx: Transaction, now: u64) -> Result<Pending, Error> {
        let (raw, hash) = tx.signed(&self.account)?;
        Ok(Pending {
            tx,
            raw,
            hashes: vec![hash],
            at: now,
            missed: 0,
        })
    }

    /// Sends it, or sends it again. Where another has its nonce in the pool, it takes its place.
    pub(crate) fn broadcast(&self, pending: &mut Pending) -> Result<(), Error> {
        for _ in 0..RAISES {
            let answer = self
                .endpoint
                .rpc
                .call("eth_sendRawTransaction", json!([pending.raw]));
            let Err(Error::Refused {
                method,
                code,
                message,
            }) = answer
            else {
                return answer.map(drop);
            };
            let says = |part: &str| message.to_lowercase().contains(part);
            if says("already known") || says("already imported") || says("known transaction") {
                return Ok(());
            }
            if says("nonce too low") {
                return Err(self.used(pending.tx.nonce));
            }
            if says("insufficient funds") {
                let cost = U256::from(pending.tx.gas) * U256::from(pending.tx.fees.most);
                return Err(Error::Funds {
                    account: self.account.address(),
                    has: self.balance()?,
                    needs: cost.saturating_add(pending.tx.value),
                });
            }
            // The price of the pool, or that of the next block.
            if !says("underpriced") && !says("less than block base fee") {
                return Err(Error::Refused {
                    method,
                    code,
                    message,
                });
            }
            let usual = self.fees()?;
            self.raise(pending, usual)?;
        }
        Err(Error::TooDear {
            wanted: pending.tx.fees.most,
            most: self.patience.most,
        })
    }

    /// Sends it anew at a higher price.
    pub(crate) fn bump(&self, pending: &mut Pending, now: u64) -> Result<(), Error> {
        // Asked first: where the endpoint fails, nothing changes.
        let usual = self.fees()?;
        pending.at = now;
        self.raise(pending, usual)?;
        self.broadcast(pending)
    }

    fn raise(&self, pending: &mut Pending, usual: Fees) -> Result<(), Error> {
        let fees = pending.tx.fees.raised(usual);
        if fees.most > self.patience.most {
            return Err(self.too_dear(fees.most));
        }
        let tx = Transaction {
            fees,
            ..pending.tx.clone()
        };
        let (raw, hash) = tx.signed(&self.account)?;
        (pending.tx, pending.raw) = (tx, raw);
        pending.hashes.push(hash);
        Ok(())
    }

    /// What became of it. Receipts first: a nonce that is used may be used by it.
    pub(crate) fn look(&self, pending: &mut Pending) -> Result<Fate, Error> {
        let used = self.count("latest")? > pending.tx.nonce;
        for hash in pending.hashes.iter().rev() {
            let receipt = self
                .endpoint
                .rpc
                .call("eth_getTransactionReceipt", json!([hash]))?;
            if !receipt.is_null() {
                return self.verdict(pending, *hash, &receipt);
            }
        }
        if used {
            pending.missed += 1;
            let sure = pending.missed >= LOOKS;
            return Ok(if sure { Fate::Used } else { Fate::Unsure });
        }
        pending.missed = 0;
        for hash in pending.hashes.iter().rev() {
            let known = self
                .endpoint
                .rpc
                .call("eth_getTransactionByHash", json!([hash]))?;
            if !known.is_null() {
                return Ok(Fate::Waiting);
            }
        }
        Ok(Fate::Unknown)
    }

    fn verdict(&self, pending: &Pending, tx: B256, receipt: &Value) -> Result<Fate, Error> {
        let what = "eth_getTransactionReceipt";
        let field = |name: &str| uint(&receipt[name]).ok_or(Error::Form { what });
        let gas = field("gasUsed")?;
        if field("status")? == 1 {
            return Ok(Fate::Included(Included {
                tx,
                block: field("blockNumber")?,
                gas,
                contract: address(&receipt["contractAddress"]),
            }));
        }
        let limit = pending.tx.gas;
        // A call within keeps a 64th back.
        if gas >= limit - limit / 64 {
            return Ok(Fate::Failed(Error::OutOfGas { tx, limit }));
        }
        let mut call = json!({"value": quantity(pending.tx.value), "data": pending.tx.data});
        if let Some(to) = pending.tx.to {
            call["to"] = json!(to);
        }
        let why = self.endpoint.refusal(&self.account, &call)?;
        Ok(Fate::Failed(Error::Reverted { tx, why }))
    }

    fn count(&self, tag: &str) -> Result<u64, Error> {
        let params = json!([self.account.address(), tag]);
        self.endpoint.rpc.number("eth_getTransactionCount", params)
    }

    fn balance(&self) -> Result<U256, Error> {
        let what = "eth_getBalance";
        let params = json!([self.account.address(), "latest"]);
        wide(&self.endpoint.rpc.call(what, params)?).ok_or(Error::Form { what })
    }

    /// What is usual now: it holds while the base fee doubles.
    fn fees(&self) -> Result<Fees, Error> {
        let base = self.endpoint.head()?.base_fee;
        let tip = match self
            .endpoint
            .rpc
            .number("eth_maxPriorityFeePerGas", json!([]))
        {
            Ok(tip) => tip.into(),
            Err(Error::Refused { .. }) => USUAL_TIP,
            Err(e) => return Err(e),
        };
        let least = base.saturating_add(tip);
        if least > self.patience.most {
            return Err(self.too_dear(least));
        }
        let most = least.saturating_add(base).min(self.patience.most);
        Ok(Fees { most, tip })
    }

    const fn too_dear(&self, wanted: u128) -> Error {
        Error::TooDear {
            wanted,
            most: self.patience.most,
        }
    }

    const fn used(&self, nonce: u64) -> Error {
        Error::NonceUsed {
            account: self.account.address(),
            nonce,
        }
    }
}
