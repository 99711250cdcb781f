//! What the contract says: its state, and its logs behind confirmations.

use crate::abi::{
    self, ABSENCECall, ANSWERCall, BONDCall, COLLATERALCall, FEECall, Terms, UNBONDINGCall,
    UNITCall, WINDOWCall, accountOfCall, depositedCall, joinMessageCall, listedCall,
    masternodesCall, neighbourhoodsCall, takenCall,
};
use crate::rpc::{bytes, quantity, uint, word};
use crate::{Endpoint, Error};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Blocks of one question for logs. Where a node takes fewer it says so, and is asked for half.
const PAGE: u64 = 5_000;
/// Deposits of one answer.
const MOST_DEPOSITS: u32 = 10_000;

/// What was paid in for a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// Its place among the neighbourhood's, from 0.
    pub index: u32,
    /// For whom.
    pub device: [u8; 32],
    /// Micro-tokens.
    pub amount: u64,
    /// Who paid.
    pub from: [u8; 20],
}

/// A header that is anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchored {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: B256,
    /// How many deposits are credited after it.
    pub credited: u32,
    /// The block that it is in.
    pub block: u64,
}

/// A neighbourhood as the contract has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbourhood {
    /// Hash of the set that votes on the next header.
    pub set_hash: B256,
    /// Hash of the last header; the neighbourhood's id before the first.
    pub head: B256,
    /// Micro-tokens of all accounts and locks after it.
    pub total_value: u64,
    /// Its number; 0 before the first.
    pub number: u32,
    /// Deposits that were made.
    pub deposits: u32,
    /// How many of them are credited.
    pub credited: u32,
    /// Wei that pay for headers to come.
    pub fund: U256,
}

/// An account with collateral.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Masternode {
    /// The Ed25519 key that votes for devices.
    pub key: [u8; 32],
    /// When the collateral is free, in Unix seconds; 0: it stays.
    pub leaves: u64,
    /// When it last did its duty, in Unix seconds.
    pub seen: u64,
    /// Wei that it earned and did not collect.
    pub earned: u128,
    /// Whether an election may count on it.
    pub listed: bool,
}

impl Endpoint {
    /// The neighbourhood, after the newest block. Nothing: nobody founded it.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub fn neighbourhood(&self, id: B256) -> Result<Option<Neighbourhood>, Error> {
        self.neighbourhood_at(id, None)
    }

    pub(crate) fn neighbourhood_at(
        &self,
        id: B256,
        block: Option<u64>,
    ) -> Result<Option<Neighbourhood>, Error> {
        let n = self.view(&neighbourhoodsCall { neighbourhood: id }, block)?;
        Ok((!n.setHash.is_zero()).then(|| Neighbourhood {
            set_hash: n.setHash,
            head: n.head,
            total_value: n.totalValue,
            number: n.number,
            deposits: n.deposits,
            credited: n.credited,
            fund: n.fund.to(),
        }))
    }

    /// The account that votes with an Ed25519 key's stake. Nothing: none has joined with it.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub fn account_of(&self, key: &[u8; 32]) -> Result<Option<Address>, Error> {
        let account = self.view(&accountOfCall { key: key.into() }, None)?;
        Ok((!account.is_zero()).then_some(account))
    }

    /// A masternode. Nothing: the account has no collateral here.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub fn masternode(&self, account: Address) -> Result<Option<Masternode>, Error> {
        let node = self.view(&masternodesCall { account }, None)?;
        if node.key.is_zero() {
            return Ok(None);
        }
        Ok(Some(Masternode {
            key: node.key.0,
            leaves: node.leaves,
            seen: node.seen,
            earned: node.earned,
            listed: self.view(&listedCall { account }, None)?,
        }))
    }

    /// What the Ed25519 key of an account signs to join.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub fn join_message(&self, account: Address) -> Result<Vec<u8>, Error> {
        Ok(self.view(&joinMessageCall { account }, None)?.to_vec())
    }

    /// Whether an exit was paid out.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub fn taken(&self, neighbourhood: B256, tx: B256) -> Result<bool, Error> {
        let call = takenCall {
            neighbourhood,
            txId: tx,
        };
        self.view(&call, None)
    }

    /// What the contract was deployed with.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub fn terms(&self) -> Result<Terms, Error> {
        Ok(Terms {
            unit: self.view(&UNITCall {}, None)?,
            fee: self.view(&FEECall {}, None)?,
            collateral: self.view(&COLLATERALCall {}, None)?,
            unbonding: self.view(&UNBONDINGCall {}, None)?.saturating_to(),
            absence: self.view(&ABSENCECall {}, None)?.saturating_to(),
            window: self.view(&WINDOWCall {}, None)?.saturating_to(),
            answer: self.view(&ANSWERCall {}, None)?.saturating_to(),
            bond: self.view(&BONDCall {}, None)?,
        })
    }

    /// The deposits from `first` on that have so many blocks over them, without a gap, 10,000 at most: for more, ask again from behind the last. Their amounts
    /// together are what the contract counts for them.
    ///
    /// # Errors
    /// Those of the endpoint; [`Error::Gap`] where its logs are not all that the contract counts, [`Error::Differs`] where they say something else.
    pub fn deposits(
        &self,
        neighbourhood: B256,
        first: u32,
        confirmations: u64,
    ) -> Result<Vec<Deposit>, Error> {
        let Some((safe, state)) = self.settled(neighbourhood, confirmations)? else {
            return Ok(Vec::new());
        };
        let end = state.deposits.min(first.saturating_add(MOST_DEPOSITS));
        let wanted = end.saturating_sub(first) as usize;
        let mut found = BTreeMap::new();
        if wanted > 0 {
            self.logs_down::<abi::Deposited>(neighbourhood, safe, |event, _| {
                if (first..end).contains(&event.index) {
                    let deposit = Deposit {
                        index: event.index,
                        device: event.device.0,
                        amount: event.amount,
                        from: event.from.into_array(),
                    };
                    found.insert(event.index, deposit);
                }
                found.len() == wanted || event.index < first
            })?;
        }
        let deposits = complete(found, (first..end).collect(), "deposit")?;
        if let Some(last) = deposits.last() {
            let at = |count| {
                let call = depositedCall {
                    neighbourhood,
                    count,
                };
                self.view(&call, Some(safe))
            };
            let (before, after) = (at(first)?, at(end)?);
            let paid = after.sum.checked_sub(before.sum);
            if !adds_up(&deposits, paid) || after.from != last.from {
                return Err(Error::Differs {
                    what: format!("deposits {first} to {}", last.index),
                });
            }
        }
        Ok(deposits)
    }

    /// All headers of a neighbourhood after number `after` that have so many blocks over them, without a gap.
    ///
    /// # Errors
    /// As [`Self::deposits`].
    pub fn anchored(
        &self,
        neighbourhood: B256,
        after: u32,
        confirmations: u64,
    ) -> Result<Vec<Anchored>, Error> {
        let Some((safe, state)) = self.settled(neighbourhood, confirmations)? else {
            return Ok(Vec::new());
        };
        let wanted: Vec<u32> = (after.saturating_add(1)..=state.number)
            .filter(|number| *number > after)
            .collect();
        let found = self.anchors_of(neighbourhood, &wanted, safe)?;
        complete(found, wanted, "header")
    }

    /// The logs of these headers up to a block; those that are not there are left out.
    pub(crate) fn anchors_of(
        &self,
        neighbourhood: B256,
        numbers: &[u32],
        to: u64,
    ) -> Result<BTreeMap<u32, Anchored>, Error> {
        let mut found = BTreeMap::new();
        let Some(least) = numbers.iter().min() else {
            return Ok(found);
        };
        self.logs_down::<abi::Anchored>(neighbourhood, to, |event, block| {
            if numbers.contains(&event.number) {
                let anchored = Anchored {
                    number: event.number,
                    hash: event.hash,
                    credited: event.credited,
                    block,
                };
                found.insert(event.number, anchored);
            }
            found.len() == numbers.len() || event.number < *least
        })?;
        Ok(found)
    }

    /// Whether a header's log is in this block still.
    pub(crate) fn is_anchored(&self, neighbourhood: B256, a: &Anchored) -> Result<bool, Error> {
        let topics = json!([abi::Anchored::SIGNATURE_HASH, neighbourhood]);
        for log in &self.logs(&topics, a.block, a.block)? {
            let event: abi::Anchored = decoded(log)?;
            if event.number == a.number && event.hash == a.hash {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The newest block with so many over it, and the neighbourhood after it. Nothing where it was not founded by then.
    fn settled(
        &self,
        neighbourhood: B256,
        confirmations: u64,
    ) -> Result<Option<(u64, Neighbourhood)>, Error> {
        let Some(safe) = self.head()?.number.checked_sub(confirmations) else {
            return Ok(None);
        };
        match self.neighbourhood_at(neighbourhood, Some(safe)) {
            Ok(state) => Ok(state.map(|state| (safe, state))),
            // Deployed later.
            Err(Error::NoContract { .. }) => {
                self.check()?;
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    /// Logs of one kind from a block downwards, since what is looked for is mostly new, until `take` has enough or the neighbourhood begins. Within a page
    /// they rise.
    fn logs_down<E: SolEvent>(
        &self,
        neighbourhood: B256,
        to: u64,
        mut take: impl FnMut(E, u64) -> bool,
    ) -> Result<(), Error> {
        let kinds = [E::SIGNATURE_HASH, abi::Founded::SIGNATURE_HASH];
        let topics = json!([kinds, neighbourhood]);
        let (mut to, mut page) = (to, PAGE);
        while to >= self.since {
            let from = to.saturating_sub(page - 1).max(self.since);
            let logs = match self.logs(&topics, from, to) {
                Err(Error::Refused { .. }) if page > 1 => {
                    page /= 2;
                    continue;
                }
                other => other?,
            };
            let mut enough = from <= self.since;
            for log in &logs {
                let form = Error::Form {
                    what: "eth_getLogs",
                };
                if word(&log["topics"][0]) == Some(abi::Founded::SIGNATURE_HASH) {
                    enough = true;
                    continue;
                }
                let block = uint(&log["blockNumber"]).ok_or(form)?;
                enough |= take(decoded(log)?, block);
            }
            if enough {
                break;
            }
            to = from - 1;
        }
        Ok(())
    }

    /// Logs of one kind between two blocks, rising.
    pub(crate) fn logs_up<E: SolEvent>(
        &self,
        neighbourhood: B256,
        from: u64,
        to: u64,
    ) -> Result<Vec<E>, Error> {
        let topics = json!([E::SIGNATURE_HASH, neighbourhood]);
        let (mut from, mut page, mut found) = (from, PAGE, Vec::new());
        while from <= to {
            let end = from.saturating_add(page - 1).min(to);
            let logs = match self.logs(&topics, from, end) {
                Err(Error::Refused { .. }) if page > 1 => {
                    page /= 2;
                    continue;
                }
                other => other?,
            };
            for log in &logs {
                found.push(decoded(log)?);
            }
            from = end + 1;
        }
        Ok(found)
    }

    fn logs(&self, topics: &Value, from: u64, to: u64) -> Result<Vec<Value>, Error> {
        let filter = json!([{
            "address": self.contract(),
            "fromBlock": quantity(from),
            "toBlock": quantity(to),
            "topics": topics,
        }]);
        match self.rpc.call("eth_getLogs", filter)? {
            Value::Array(logs) => Ok(logs),
            _ => Err(Error::Form {
                what: "eth_getLogs",
            }),
        }
    }
}

fn decoded<E: SolEvent>(log: &Value) -> Result<E, Error> {
    let form = || Error::Form {
        what: "eth_getLogs",
    };
    let topics: Option<Vec<B256>> = log["topics"]
        .as_array()
        .map(|topics| topics.iter().filter_map(word).collect());
    let data = bytes(&log["data"]).ok_or_else(form)?;
    E::decode_raw_log(topics.ok_or_else(form)?, &data).map_err(|_| form())
}

/// Whether they are so many micro-tokens together.
fn adds_up(deposits: &[Deposit], paid: Option<u64>) -> bool {
    let add = |sum: u64, deposit: &Deposit| sum.checked_add(deposit.amount);
    paid.is_some() && deposits.iter().try_fold(0, add) == paid
}

fn complete<T>(mut found: BTreeMap<u32, T>, wanted: Vec<u32>, what: &str) -> Result<Vec<T>, Error> {
    let take = |number: u32| {
        found.remove(&number).ok_or_else(|| Error::Gap {
            what: format!("{what} {number}"),
        })
    };
    wanted.into_iter().map(take).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_those_that_the_contract_counts() {
        let deposit = |amount| Deposit {
            index: 0,
            device: [1; 32],
            amount,
            from: [2; 20],
        };
        let two = [deposit(30), deposit(12)];
        assert!(adds_up(&two, Some(42)));
        assert!(!adds_up(&two, Some(41)));
        assert!(!adds_up(&two, None));
        assert!(!adds_up(&[deposit(u64::MAX), deposit(1)], Some(0)));
        assert!(!adds_up(&[deposit(u64::MAX), deposit(1)], None));
    }

    #[test]
    fn a_missing_log_is_said() {
        let found: BTreeMap<u32, u8> = [(3, 0), (5, 0)].into();
        let gap = complete(found, vec![3, 4, 5], "deposit").unwrap_err();
        assert!(gap.to_string().contains("lack deposit 4"), "{gap}");
    }
}
