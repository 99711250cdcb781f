//! The G-Chain beside the daemon: what its contract tells, and what is brought to it (docs/decisions/0044).
//!
//! Invariant: the loop never waits for an Ethereum node. A thread of its own talks to one and tells, behind enough confirmations, of deposits, of masternodes'
//! accounts and of anchored headers; everything that follows from it is in the store before it is acted on, so it does not matter when either stops.

mod anchoring;
pub mod candidate;
#[cfg(test)]
mod tests;
mod thread;
mod voices;
mod word;

pub use anchoring::Anchoring;
pub use thread::{Role, password, start};
pub use voices::Voices;
pub use word::Word;

use crate::daemon::Shared;
use crate::epoch::hash_of;
use crate::exits::{self, ExitError};
use crate::service::Neighbourhood;
use crate::store::StoredAnchor;
use anyhow::{Result, anyhow};
use iotedge_core::identity::sign1::Sign1;
use iotedge_core::ledger::Deposit;
use iotedge_core::{Epoch, HeaderNumber, Id, Millis};
use iotedge_gchain::{Disputed, Shown};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use tracing::{error, info, warn};

/// Name of the seconds in which an exit can be disputed and shown, in the store.
const DISPUTABLE: &str = "gchain_disputable";

/// What an account votes on (EIP-712 `Vote`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// The chain's id, as the genesis names it.
    pub chain_id: u64,
    pub neighbourhood: Id,
    pub number: HeaderNumber,
    /// The header's hash.
    pub header: Id,
    /// Deposits that its settlement has credited.
    pub credited: u32,
}

impl Ballot {
    /// On a header of this neighbourhood.
    #[must_use]
    pub fn of(n: &Neighbourhood, number: HeaderNumber, header: Id, credited: u32) -> Self {
        Self {
            chain_id: n.trust.genesis.chain_id,
            neighbourhood: n.trust.neighbourhood,
            number,
            header,
            credited,
        }
    }
}

/// Makes and checks votes for the contract; needs no Ethereum node.
pub trait Ballots: Send {
    /// The own account's vote: r, s, v.
    fn vote(&self, ballot: &Ballot) -> Result<[u8; 65]>;
    /// The account whose vote this is; `None` where it is nobody's.
    fn voter(&self, ballot: &Ballot, signature: &[u8; 65]) -> Option<[u8; 20]>;
}

/// What the contract told, behind enough confirmations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tell {
    /// Deposits, the first of which has this index.
    Deposits { first: u32, list: Vec<Deposit> },
    /// The contract took a header.
    Anchored {
        number: HeaderNumber,
        hash: Id,
        block: u64,
        credited: u32,
    },
    /// The account of a validator's Ed25519 key; none where it has not joined, has left, or was slashed.
    Account {
        key: [u8; 32],
        account: Option<[u8; 20]>,
    },
    /// How long an exit can be disputed after its header, and has to be shown then, in seconds.
    Terms { window: u64, answer: u64 },
    /// Somebody demands that this exit be shown.
    Disputed(Disputed),
    /// The contract does not take a header as it was brought: bring it again, when what it lacks may be there.
    Refused { number: HeaderNumber, why: String },
    /// The Ethereum node, or what was brought to it, is in trouble; it goes on by itself.
    Trouble(String),
}

/// A settled header with its votes, to be brought to the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bring {
    pub number: HeaderNumber,
    /// The header's payload.
    pub header: Vec<u8>,
    pub hash: Id,
    /// The set that voted.
    pub set: Vec<u8>,
    pub credited: u32,
    /// Index, r, s, v of each, by rising index.
    pub votes: Vec<u8>,
}

/// What the thread is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Watch this neighbourhood and these validators' accounts from now on; of deposits so many are here already, of headers those up to this number.
    Watch {
        chain_id: u64,
        neighbourhood: Id,
        /// The genesis's payload, and what it grants to the founding members together.
        genesis: Vec<u8>,
        granted: u64,
        validators: Vec<[u8; 32]>,
        deposits: u32,
        anchored: HeaderNumber,
    },
    /// Bring this.
    Bring(Box<Bring>),
    /// Show this exit.
    Show(Box<(Disputed, Shown)>),
}

/// The daemon's end of the line to the thread.
pub struct Link {
    tells: Receiver<Tell>,
    asks: Sender<Ask>,
    ballots: Box<dyn Ballots>,
    accounts: BTreeMap<[u8; 32], [u8; 20]>,
    watching: bool,
    lost: bool,
    pub(crate) refused: Option<HeaderNumber>,
    pub(crate) troubles: u64,
}

impl Link {
    /// The line to a thread that reads `asks` and writes `tells`.
    #[must_use]
    pub fn new(tells: Receiver<Tell>, asks: Sender<Ask>, ballots: Box<dyn Ballots>) -> Self {
        Self {
            tells,
            asks,
            ballots,
            accounts: BTreeMap::new(),
            watching: false,
            lost: false,
            refused: None,
            troubles: 0,
        }
    }

    /// The own vote.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn vote(&self, ballot: &Ballot) -> Result<[u8; 65]> {
        self.ballots.vote(ballot)
    }

    /// Whether it is the vote of the account that this validator's key is registered with. `None` while that is not known.
    #[must_use]
    pub fn holds(&self, key: &[u8; 32], ballot: &Ballot, signature: &[u8; 65]) -> Option<bool> {
        let account = self.accounts.get(key)?;
        Some(self.ballots.voter(ballot, signature) == Some(*account))
    }

    /// Brings a header to the contract.
    pub fn bring(&self, what: Bring) {
        // Where the thread is gone the daemon says so; after a restart it is brought again.
        let _ = self.asks.send(Ask::Bring(Box::new(what)));
    }

    fn watch(&mut self, shared: &Shared) -> Result<()> {
        let (false, Some(n)) = (self.watching, &shared.neighbourhood) else {
            return Ok(());
        };
        let anchored = shared.store.newest_anchor()?;
        let ask = Ask::Watch {
            chain_id: n.trust.genesis.chain_id,
            neighbourhood: n.trust.neighbourhood,
            genesis: payload_of_genesis(&n.genesis)?,
            granted: (n.trust.genesis.grant.0).saturating_mul(n.trust.genesis.members.into()),
            validators: n.trust.set.validators().iter().map(|v| v.key).collect(),
            deposits: shared.store.deposit_count()?,
            anchored: anchored.map_or(HeaderNumber(0), |a| a.number),
        };
        self.watching = self.asks.send(ask).is_ok();
        Ok(())
    }

    fn next(&mut self) -> Option<Tell> {
        match self.tells.try_recv() {
            Ok(tell) => Some(tell),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                if !self.lost {
                    error!("the G-Chain's thread ended: restart this daemon");
                }
                self.lost = true;
                None
            }
        }
    }
}

/// What the authority signed.
fn payload_of_genesis(cose: &[u8]) -> Result<Vec<u8>> {
    let genesis = Sign1::parse(cose);
    let genesis = genesis.map_err(|e| anyhow!("the stored genesis is damaged: {e:?}"))?;
    Ok(genesis.payload.to_vec())
}

impl Shared {
    /// Takes what the G-Chain told since the last turn: into the store. Called in each turn.
    ///
    /// # Errors
    /// The store failed.
    pub fn hear_gchain(&mut self) -> Result<()> {
        let Some(mut link) = self.gchain.take() else {
            return Ok(());
        };
        let heard = self.hear_from(&mut link);
        self.gchain = Some(link);
        heard
    }

    fn hear_from(&mut self, link: &mut Link) -> Result<()> {
        link.watch(self)?;
        while let Some(tell) = link.next() {
            match tell {
                Tell::Deposits { first, list } => {
                    info!(first, count = list.len(), "deposits");
                    self.store.put_deposits(first, &list)?;
                }
                Tell::Anchored {
                    number,
                    hash,
                    block,
                    credited,
                } => {
                    self.check_anchor(number, &hash)?;
                    info!(header = number.0, block, credited, "anchored");
                    self.store.put_credited(number, credited)?;
                    let anchor = StoredAnchor {
                        number,
                        hash,
                        block,
                    };
                    let now = self.clock.absolute(self.clock.now());
                    self.store.put_anchor(&anchor, now)?;
                }
                Tell::Terms { window, answer } => {
                    let seconds = if window == 0 {
                        0
                    } else {
                        window.saturating_add(answer)
                    };
                    self.store.put_meta(DISPUTABLE, &seconds.to_be_bytes())?;
                }
                Tell::Disputed(disputed) => self.show(link, disputed)?,
                Tell::Account { key, account } => match account {
                    Some(account) => drop(link.accounts.insert(key, account)),
                    None => drop(link.accounts.remove(&key)),
                },
                Tell::Refused { number, why } => {
                    link.troubles += 1;
                    error!(header = number.0, why, "the contract refuses a header");
                    link.refused = Some(number);
                }
                Tell::Trouble(why) => {
                    link.troubles += 1;
                    warn!(why, "G-Chain");
                }
            }
        }
        Ok(())
    }

    /// An exit is disputed: what shows it goes to the contract, if it is one of the header that is settled here.
    fn show(&mut self, link: &mut Link, disputed: Disputed) -> Result<()> {
        let (number, id) = (HeaderNumber(disputed.number), Id(disputed.tx.0));
        let neighbourhood = Id(disputed.neighbourhood.0);
        match exits::shown(&self.store, &neighbourhood, number, &id) {
            Ok(shown) => {
                info!(header = number.0, exit = %id, left = disputed.left, "a disputed exit is shown");
                let _ = link.asks.send(Ask::Show(Box::new((disputed, shown))));
            }
            Err(ExitError::Store(error)) => return Err(error.into()),
            Err(why) => {
                link.troubles += 1;
                error!(header = number.0, exit = %id, left = disputed.left, %why, "a disputed exit cannot be shown from here");
            }
        }
        Ok(())
    }

    /// The oldest epoch whose data a dispute can still need at an absolute time; `None` where none can. Until the contract has told how long that is, all is kept.
    ///
    /// # Errors
    /// The store failed.
    pub fn disputable(&self, now: Millis) -> Result<Option<Epoch>> {
        if self.gchain.is_none() {
            return Ok(None);
        }
        let seconds = self.store.meta(DISPUTABLE)?;
        let Some(seconds) = seconds.and_then(|s| Some(u64::from_be_bytes(s.try_into().ok()?)))
        else {
            return Ok(Some(Epoch(0)));
        };
        if seconds == 0 {
            return Ok(None);
        }
        let before = Millis(now.0.saturating_sub(seconds.saturating_mul(1_000)));
        let safe = self.store.anchored_by(before)?;
        // The header after it settled what is of the two epochs before it.
        Ok(Some(Epoch(safe.0.saturating_sub(1))))
    }

    /// A contract that took another header than this daemon knows as settled: a stake quorum signed two. Nothing can be done here but to say so.
    fn check_anchor(&self, number: HeaderNumber, hash: &Id) -> Result<()> {
        let own = self.store.header(number)?.filter(|h| h.settled);
        let own = own.and_then(|h| hash_of(&h.cose));
        if own.is_some_and(|own| own != *hash) {
            error!(
                header = number.0,
                "the contract took another header of this number than a quorum of stake settled here"
            );
        }
        Ok(())
    }
}
