//! Exits that somebody demands to be shown (docs/decisions/0041), and what shows them.

use crate::abi::{self, ExitProof, Leaving};
use crate::rpc::{quantity, uint};
use crate::sender::{Exit, Included};
use crate::{Endpoint, Error, Sender};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::SolValue;
use serde_json::json;

/// Blocks that are looked at again: what a reorganisation brings, it brings within them.
const AGAIN: u64 = 64;
/// Blocks of one step back in time.
const STEP: u64 = 5_000;

/// An exit that is disputed and not shown yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disputed {
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
    /// The last second in which it can be shown, in Unix seconds.
    pub until: u64,
    /// Seconds from the newest block to that one.
    pub left: u64,
}

/// What shows an exit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A member signed it.
    Signed {
        /// Its COSE_Sign1.
        cose: Vec<u8>,
        /// SHA-256 of the full ids of its parents.
        parents: B256,
        /// Payload of the header that opened its epoch, or of the genesis.
        opener: Vec<u8>,
        /// The issuer's record in the table that this names.
        record: Vec<u8>,
        /// From this record to the table's root.
        path: Vec<B256>,
    },
    /// It gives a deposit back, which has this index.
    Deposit(u32),
}

/// What became of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nobody disputes it.
    None,
    /// It has to be shown.
    Open,
    /// It was, and can be withdrawn.
    Shown,
    /// It was not in time: it is no exit any more.
    Void,
}

impl Disputed {
    fn leaving(&self) -> Leaving {
        Leaving {
            neighbourhood: self.neighbourhood,
            number: self.number,
            target: self.target,
            amount: self.amount,
            txId: self.tx,
        }
    }
}

impl Exit {
    fn leaving(&self) -> Leaving {
        Leaving {
            neighbourhood: self.neighbourhood,
            number: self.number,
            target: self.target,
            amount: self.amount,
            txId: self.tx,
        }
    }
}

impl Endpoint {
    /// What became of the dispute over an exit.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub fn verdict(&self, exit: &Exit) -> Result<Verdict, Error> {
        self.verdict_of(&exit.leaving())
    }

    fn verdict_of(&self, leaving: &Leaving) -> Result<Verdict, Error> {
        let exit = keccak256(leaving.abi_encode());
        let what = "a dispute's verdict";
        match self.view(&abi::disputesCall { exit }, None)?.verdict {
            0 => Ok(Verdict::None),
            1 => Ok(Verdict::Open),
            2 => Ok(Verdict::Shown),
            3 => Ok(Verdict::Void),
            _ => Err(Error::Form { what }),
        }
    }

    /// A neighbourhood's exits that have to be shown now, of disputes from block `from` on, or of all that can be open where it is 0; and from which block on to ask the next time.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub fn disputed(&self, neighbourhood: B256, from: u64) -> Result<(Vec<Disputed>, u64), Error> {
        let head = self.head()?;
        let from = match from {
            0 => {
                let answer = self.view(&abi::ANSWERCall {}, None)?.saturating_to();
                self.block_before(head.number, head.time.saturating_sub(answer))?
            }
            from => from.min(head.number),
        };
        let events = self.logs_up::<abi::Challenged>(neighbourhood, from, head.number)?;
        let mut open: Vec<Disputed> = Vec::new();
        for event in events {
            let until = event.until.saturating_to();
            let Some(left) = u64::checked_sub(until, head.time) else {
                continue;
            };
            let disputed = Disputed {
                neighbourhood,
                number: event.exit.number,
                target: event.exit.target,
                amount: event.exit.amount,
                tx: event.exit.txId,
                until,
                left,
            };
            if self.verdict_of(&event.exit)? == Verdict::Open {
                open.push(disputed);
            }
        }
        // An open one is asked for until it is none: it may have come before this.
        let next = match open.is_empty() {
            true => head.number.saturating_sub(AGAIN).max(self.since),
            false => from,
        };
        Ok((open, next.max(1)))
    }

    /// A block that is not younger than `time`, or the first that counts.
    fn block_before(&self, mut at: u64, time: u64) -> Result<u64, Error> {
        loop {
            at = at.saturating_sub(STEP).max(self.since);
            let what = "eth_getBlockByNumber";
            let block = self.rpc.call(what, json!([quantity(at), false]))?;
            let then = uint(&block["timestamp"]).ok_or(Error::Form { what })?;
            if at <= self.since || then <= time {
                return Ok(at);
            }
        }
    }
}

impl Sender {
    /// Demands, with the contract's bond, that an exit be shown.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub fn challenge(&self, exit: &Exit) -> Result<Included, Error> {
        let call = abi::challengeCall {
            e: exit.leaving(),
            index: U256::from(exit.index),
            size: U256::from(exit.size),
            path: exit.path.clone(),
        };
        let bond = self.endpoint.view(&abi::BONDCall {}, None)?;
        self.call(bond, abi::data(&call))
    }

    /// Shows a disputed exit; the bond is the sender's.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub fn show(&self, disputed: &Disputed, shown: &Shown) -> Result<Included, Error> {
        let e = disputed.leaving();
        let data = match shown {
            Shown::Signed {
                cose,
                parents,
                opener,
                record,
                path,
            } => abi::data(&abi::showCall {
                e,
                proof: ExitProof {
                    cose: Bytes::copy_from_slice(cose),
                    parents: *parents,
                    opener: Bytes::copy_from_slice(opener),
                    record: Bytes::copy_from_slice(record),
                    path: path.clone(),
                },
            }),
            Shown::Deposit(index) => abi::data(&abi::showDepositCall { e, index: *index }),
        };
        self.call(U256::ZERO, data)
    }

    /// Makes a disputed exit void that was not shown in time.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub fn void(&self, exit: &Exit) -> Result<Included, Error> {
        let call = abi::voidCall { e: exit.leaving() };
        self.call(U256::ZERO, abi::data(&call))
    }
}
