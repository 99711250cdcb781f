//! Elections (docs/protocol.md section 7.8): what the contracts say of each term, and who is elected by it.
//!
//! Invariant: an outcome is a function of the chain behind the confirmations. A proof that does not hold, or a key that is none, counts as none; what a term adds to
//! the seed of the next is kept once its last block is confirmed.

use crate::abi::{
    self, ATTEMPTSCall, FIRSTCall, IDCall, LENGTHCall, ROUNDCall, SEATSCall, SEEDSCall,
    candidatesCall, countCall, dropCall, fixSeedCall, heightOfCall, randomnessCall, registerCall,
    revealCall, revealsCall,
};
use crate::rpc::{bytes, quantity, uint, word};
use crate::{Endpoint, Error, Included, Sender};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::{BufMut, Encodable, Header};
use iotedge_core::Id;
use iotedge_core::crypto::sha256;
use iotedge_core::crypto::vrf::{Proof, PublicKey};
use iotedge_core::posp::Validator;
use iotedge_core::posp::election::{
    Candidate, Elected, Election, ElectionCheck, ElectionError, Entry, Fresh, MAX_ENTRY, Seed,
    encode_record, list_hash,
};
use iotedge_core::wire::Writer;
use serde_json::{Value, json};

/// Candidates, or proofs, of one question.
const PAGE: usize = 256;
/// The first term that is elected.
const FIRST_ELECTED: u32 = 3;
/// Seats of the largest committee.
const MOST_SEATS: usize = 64;

/// The contracts of the elections, and what of them never changes.
#[derive(Clone, Debug)]
pub struct Elections {
    board: Endpoint,
    seeds: Endpoint,
    /// What seeds and inputs name as their chain.
    pub chain: Id,
    /// Of the committee.
    pub seats: u8,
    /// Height of the seed of term 0.
    pub first: u64,
    /// Blocks of a term.
    pub length: u64,
    /// Blocks of an attempt.
    pub round: u64,
    attempts: u8,
    /// Terms from 0 on whose outcome is known.
    past: Vec<Decided>,
}

/// A term that is decided.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The seed of the attempt that counted, or of the last.
    pub seed: Seed,
    /// What it adds to the next seed; zeros where nobody is elected.
    pub merge: [u8; 32],
    /// The committee in its order, each with its seats.
    pub members: Vec<Validator>,
    /// The record of section 7.7; empty where nobody is elected.
    pub record: Vec<u8>,
    /// The hash of its list.
    pub list: Id,
}

/// An attempt that waits for proofs.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What is proved.
    pub election: Election,
    /// From 0.
    pub number: u8,
    /// Blocks in which it is revealed, the second one excluded.
    pub blocks: (u64, u64),
    /// Who stands, and what was revealed by the block that was looked at.
    pub entries: Vec<Entry>,
}

/// How far a term is.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Over.
    Decided(Decided),
    /// An attempt is open, or not behind the confirmations yet.
    Open(Attempt),
    /// The randomness of this term, itself or one before it, is not fixed: [`Elections::fix_seed`] does, from the block after this height on.
    Unseeded {
        /// Whose.
        term: u32,
        /// Of which block.
        height: u64,
    },
}

impl Elections {
    /// The elections by the contract at this address, through an endpoint.
    ///
    /// # Errors
    /// Those of the endpoint; [`Error::Form`] where it is no such contract.
    pub fn open(endpoint: &Endpoint, contract: Address) -> Result<Self, Error> {
        let board = endpoint.at(contract)?;
        let seeds = endpoint.at(board.view(&SEEDSCall {}, None)?)?;
        let number = |value: U256, what| u64::try_from(value).map_err(|_| Error::Form { what });
        let mut named = b"iotedge/elections/1".to_vec();
        named.extend(U256::from(board.chain_id()?).to_be_bytes::<32>());
        named.extend(contract);
        let chain = Id(sha256(&[&named]));
        if board.view(&IDCall {}, None)? != B256::from(chain.0) {
            let what = "the id of the elections";
            return Err(Error::Form { what });
        }
        let seats = number(board.view(&SEATSCall {}, None)?, "SEATS")?;
        let attempts = number(board.view(&ATTEMPTSCall {}, None)?, "ATTEMPTS")?;
        Ok(Self {
            chain,
            seats: u8::try_from(seats).map_err(|_| Error::Form { what: "SEATS" })?,
            attempts: u8::try_from(attempts).map_err(|_| Error::Form { what: "ATTEMPTS" })?,
            first: number(seeds.view(&FIRSTCall {}, None)?, "FIRST")?,
            length: number(seeds.view(&LENGTHCall {}, None)?, "LENGTH")?.max(1),
            round: number(board.view(&ROUNDCall {}, None)?, "ROUND")?,
            board,
            seeds,
            past: Vec::new(),
        })
    }

    /// Deploys the two contracts for a G-Chain, and opens them.
    ///
    /// # Errors
    /// As [`Sender::deploy`].
    pub fn deploy(sender: &Sender, terms: &abi::Electing) -> Result<Self, Error> {
        let what = "the receipt of a contract's creation";
        let seeds = sender.send(None, U256::ZERO, abi::seeds_creation(terms)?.into())?;
        let seeds = seeds.contract.ok_or(Error::Form { what })?;
        let chain = sender.endpoint().contract();
        let code = abi::elections_creation(terms, chain, seeds)?;
        let board = sender.send(None, U256::ZERO, code.into())?;
        let board = board.contract.ok_or(Error::Form { what })?;
        Self::open(sender.endpoint(), board)
    }

    /// The contract.
    #[must_use]
    pub const fn contract(&self) -> Address {
        self.board.contract()
    }

    /// The height of the seed of a term: the term before begins there.
    #[must_use]
    pub fn height(&self, term: u32) -> u64 {
        self.first
            .saturating_add(u64::from(term).saturating_mul(self.length))
    }

    /// The height at which a term begins.
    #[must_use]
    pub fn begins(&self, term: u32) -> u64 {
        self.height(term.saturating_add(1))
    }

    /// The height from which on the elected set must be named.
    #[must_use]
    pub fn grace(&self, term: u32) -> u64 {
        self.begins(term).saturating_add(self.length / 8)
    }

    /// The term that a block is in.
    #[must_use]
    pub fn term_of(&self, block: u64) -> u32 {
        let terms = block.saturating_sub(self.first) / self.length;
        u32::try_from(terms.saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// The blocks in which proofs of an attempt are taken, the second one excluded.
    #[must_use]
    pub fn window(&self, term: u32, attempt: u8) -> (u64, u64) {
        let after = |n: u8| {
            self.height(term)
                .saturating_add(u64::from(n).saturating_mul(self.round))
        };
        (after(attempt), after(attempt.saturating_add(1)))
    }

    /// What a term came to, after a block, which should be behind the confirmations: the terms before it are kept.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub fn outcome(&mut self, term: u32, block: u64) -> Result<Outcome, Error> {
        while let Ok(next) = u32::try_from(self.past.len())
            && next <= term
        {
            match self.decide(next, block)? {
                Outcome::Decided(decided) => self.past.push(decided),
                open => return Ok(open),
            }
        }
        let decided = self.past.get(term as usize).cloned();
        decided
            .map(Outcome::Decided)
            .ok_or(Error::Form { what: "a term" })
    }

    /// One term after those that are known.
    fn decide(&self, term: u32, block: u64) -> Result<Outcome, Error> {
        let seed = match self.past.last() {
            None => Seed::genesis(&self.chain),
            Some(before) => {
                let call = randomnessCall { term: term.into() };
                let randomness = self.seeds.view(&call, Some(block))?;
                if randomness.is_zero() {
                    let height = self.height(term);
                    return Ok(Outcome::Unseeded { term, height });
                }
                let fresh = Fresh {
                    merge: before.merge,
                    randomness: randomness.0,
                };
                before.seed.next(Some(&fresh))
            }
        };
        let mut election = Election {
            chain: self.chain,
            term,
            seats: self.seats,
            seed,
        };
        let nobody = |seed| Decided {
            seed,
            merge: [0; 32],
            members: Vec::new(),
            record: Vec::new(),
            list: Id([0; 32]),
        };
        if term < FIRST_ELECTED {
            return Ok(Outcome::Decided(nobody(election.seed)));
        }
        let list = self.list(term, block)?;
        for number in 0..self.attempts {
            if number > 0 {
                election.seed = election.seed.again();
            }
            let blocks = self.window(term, number);
            let closed = blocks.1.saturating_sub(1) <= block;
            if closed && list.is_empty() {
                continue;
            }
            let entries = self.entries(&election, &list, number, block)?;
            if !closed {
                return Ok(Outcome::Open(Attempt {
                    election,
                    number,
                    blocks,
                    entries,
                }));
            }
            if let Some(elected) = run(&election, &entries)? {
                return Ok(Outcome::Decided(Decided {
                    seed: election.seed,
                    merge: elected.merge(),
                    members: elected.members().collect(),
                    record: record(&election, &entries)?,
                    list: hash_of(&election, &list)?,
                }));
            }
        }
        Ok(Outcome::Decided(nobody(election.seed)))
    }

    /// Who stands for a term, in the order of their keys. What it says after the height of the seed of the term before never changes.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub fn list(&self, term: u32, block: u64) -> Result<Vec<Candidate>, Error> {
        let what = "candidates";
        let count = self.board.view(&countCall {}, Some(block))?;
        let count = usize::try_from(count).map_err(|_| Error::Form { what })?;
        let mut list = Vec::new();
        for from in (0..count).step_by(PAGE) {
            let call = candidatesCall {
                from: U256::from(from),
                most: U256::from(PAGE),
            };
            let page = self.board.view(&call, Some(block))?;
            if page.len() != PAGE.min(count.saturating_sub(from)) {
                return Err(Error::Form { what });
            }
            list.extend(page.iter().filter_map(|c| standing(c, term)));
        }
        list.sort_by_key(|candidate| candidate.key);
        Ok(list)
    }

    /// The list with what was revealed and holds.
    fn entries(
        &self,
        election: &Election,
        list: &[Candidate],
        attempt: u8,
        block: u64,
    ) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::with_capacity(list.len());
        for page in list.chunks(PAGE) {
            let call = revealsCall {
                term: election.term,
                attempt: U256::from(attempt),
                keys: page.iter().map(|c| B256::from(c.key)).collect(),
            };
            let found = self.board.view(&call, Some(block))?;
            if found.len() != page.len() {
                return Err(Error::Form { what: "proofs" });
            }
            for (candidate, reveal) in page.iter().zip(&found) {
                let proof = (!reveal.gamma.is_zero()).then(|| {
                    let parts = [&reveal.gamma[..], &reveal.c[..], &reveal.s[..]].concat();
                    parts.try_into().map(Proof)
                });
                let proof = proof
                    .transpose()
                    .map_err(|_| Error::Form { what: "a proof" })?;
                let proof = proof.filter(|proof| holds(election, candidate, proof));
                entries.push(Entry {
                    candidate: *candidate,
                    proof,
                });
            }
        }
        Ok(entries)
    }

    /// The time of a block, in milliseconds; nothing where there is none yet.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub fn time_of(&self, block: u64) -> Result<Option<u64>, Error> {
        let what = "eth_getBlockByNumber";
        let found = self.board.rpc.call(what, json!([quantity(block), false]))?;
        if found.is_null() {
            return Ok(None);
        }
        let time = uint(&found["timestamp"]).ok_or(Error::Form { what })?;
        Ok(Some(time.saturating_mul(1_000)))
    }

    /// Stands for election, from the third term after this one on, with this key of the account's function.
    ///
    /// # Errors
    /// As [`Sender::deploy`].
    pub fn register(&self, sender: &Sender, function: &PublicKey) -> Result<Included, Error> {
        let call = registerCall {
            vrf: function.0.into(),
        };
        sender.send(Some(self.contract()), U256::ZERO, abi::data(&call))
    }

    /// Ends standing with a key, from the third term after this one on.
    ///
    /// # Errors
    /// As [`Sender::deploy`].
    pub fn withdraw(&self, sender: &Sender, key: &[u8; 32]) -> Result<Included, Error> {
        let call = dropCall { key: key.into() };
        sender.send(Some(self.contract()), U256::ZERO, abi::data(&call))
    }

    /// Reveals a proof.
    ///
    /// # Errors
    /// As [`Sender::deploy`].
    pub fn reveal(
        &self,
        sender: &Sender,
        term: u32,
        attempt: u8,
        proof: &Proof,
    ) -> Result<Included, Error> {
        let what = "a proof";
        let part = |from: usize, to| proof.0.get(from..to).ok_or(Error::Form { what });
        let call = revealCall {
            term,
            attempt: U256::from(attempt),
            gamma: B256::from_slice(part(0, 32)?),
            c: alloy_primitives::FixedBytes::from_slice(part(32, 48)?),
            s: B256::from_slice(part(48, 80)?),
        };
        sender.send(Some(self.contract()), U256::ZERO, abi::data(&call))
    }

    /// Whether a term's randomness is fixed, after a block.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub fn is_seeded(&self, term: u32, block: u64) -> Result<bool, Error> {
        let call = randomnessCall { term: term.into() };
        Ok(!self.seeds.view(&call, Some(block))?.is_zero())
    }

    /// Brings the block that has a term's randomness.
    ///
    /// # Errors
    /// As [`Sender::deploy`]; [`Error::Form`] where the block cannot be written as its hash wants it, since this build does not know all of its fields.
    pub fn fix_seed(&self, sender: &Sender, term: u32) -> Result<Included, Error> {
        let height = self.seeds.view(&heightOfCall { term: term.into() }, None)?;
        let call = fixSeedCall {
            term: term.into(),
            blockHeaderRlp: self
                .header(u64::try_from(height).unwrap_or(u64::MAX))?
                .into(),
        };
        sender.send(Some(self.seeds.contract()), U256::ZERO, abi::data(&call))
    }

    /// A block's header in RLP, whose hash is the block's.
    fn header(&self, height: u64) -> Result<Vec<u8>, Error> {
        let what = "a block's header";
        let block = self
            .board
            .rpc
            .call("eth_getBlockByNumber", json!([quantity(height), false]))?;
        let encoded = header_rlp(&block).ok_or(Error::Form { what })?;
        match word(&block["hash"]) == Some(keccak256(&encoded)) {
            true => Ok(encoded),
            false => Err(Error::Form { what }),
        }
    }
}

/// A candidate that stands for a term, with a key that can be one.
fn standing(c: &abi::Standing, term: u32) -> Option<Candidate> {
    let stands =
        c.registered.saturating_add(FIRST_ELECTED) <= term && (c.until == 0 || term < c.until);
    let candidate = Candidate {
        key: c.key.0,
        function: PublicKey(c.vrf.0),
        units: 1,
        registered: c.registered,
    };
    (stands && candidate.function.check().is_ok()).then_some(candidate)
}

fn holds(election: &Election, candidate: &Candidate, proof: &Proof) -> bool {
    let mut buffer = [0; iotedge_core::posp::election::MAX_ALPHA];
    let alpha = election.alpha(&candidate.key, &mut buffer);
    alpha.is_ok_and(|alpha| candidate.function.verify(alpha, proof).is_ok())
}

/// Who is elected by these; nobody, where not more than half revealed.
fn run(election: &Election, entries: &[Entry]) -> Result<Option<Elected<MOST_SEATS>>, Error> {
    let form = |_| Error::Form {
        what: "an election",
    };
    let mut check = ElectionCheck::new(election, entries.len()).map_err(form)?;
    for entry in entries {
        check.add(entry).map_err(form)?;
    }
    let list: Vec<Candidate> = entries.iter().map(|entry| entry.candidate).collect();
    match check.finish(&hash_of(election, &list)?) {
        Ok(elected) => Ok(Some(elected)),
        Err(ElectionError::Unrevealed) => Ok(None),
        Err(e) => Err(form(e)),
    }
}

fn hash_of(election: &Election, list: &[Candidate]) -> Result<Id, Error> {
    let hash = list_hash(&election.chain, election.term, list);
    hash.map_err(|_| Error::Form {
        what: "a list of candidates",
    })
}

fn record(election: &Election, entries: &[Entry]) -> Result<Vec<u8>, Error> {
    let mut buffer = vec![0; 128 + MAX_ENTRY * entries.len()];
    let mut w = Writer::new(&mut buffer);
    let written = encode_record(election, entries, &mut w);
    written.map_err(|_| Error::Form { what: "a record" })?;
    Ok(w.into_written().to_vec())
}

/// Fields of a header in their order, as endpoints name them; those after the nonce came with forks, and are there up to some one.
const FIELDS: [(&str, Kind); 23] = [
    ("parentHash", Kind::Bytes),
    ("sha3Uncles", Kind::Bytes),
    ("miner", Kind::Bytes),
    ("stateRoot", Kind::Bytes),
    ("transactionsRoot", Kind::Bytes),
    ("receiptsRoot", Kind::Bytes),
    ("logsBloom", Kind::Bytes),
    ("difficulty", Kind::Number),
    ("number", Kind::Number),
    ("gasLimit", Kind::Number),
    ("gasUsed", Kind::Number),
    ("timestamp", Kind::Number),
    ("extraData", Kind::Bytes),
    ("mixHash", Kind::Bytes),
    ("nonce", Kind::Bytes),
    ("baseFeePerGas", Kind::Number),
    ("withdrawalsRoot", Kind::Bytes),
    ("blobGasUsed", Kind::Number),
    ("excessBlobGas", Kind::Number),
    ("parentBeaconBlockRoot", Kind::Bytes),
    ("requestsHash", Kind::Bytes),
    ("blockAccessListHash", Kind::Bytes),
    ("slotNumber", Kind::Number),
];

#[derive(Clone, Copy)]
enum Kind {
    Bytes,
    Number,
}

fn header_rlp(block: &Value) -> Option<Vec<u8>> {
    let mut fields = Vec::new();
    for (name, kind) in FIELDS {
        let value = &block[name];
        if value.is_null() {
            break;
        }
        match kind {
            Kind::Bytes => Bytes::from(bytes(value)?).encode(&mut fields),
            Kind::Number => crate::rpc::wide(value)?.encode(&mut fields),
        }
    }
    let mut out = Vec::new();
    let head = Header {
        list: true,
        payload_length: fields.len(),
    };
    head.encode(&mut out);
    out.put_slice(&fields);
    Some(out)
}
