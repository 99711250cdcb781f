//! The part of the gateway and of the validators: what stands beside their nodes.
//!
//! The gateway answers requests from its store, trims every T, closes the epoch of a certified trim and collects votes. A validator
//! follows with a node of its own, replays the epoch from its own window, and votes only for the header that it computed itself. Its
//! own node learns of the settled header through the same frames as everybody's.

use crate::founding::{Founding, START, raw_key};
use crate::platform::{SharedVerify, SimPlatform};
use iotedge_core::crypto::{SecretKey, Software};
use iotedge_core::identity::{Record, sign1};
use iotedge_core::ledger::{Deposits, Lock, MAX_LOCK, state_root};
use iotedge_core::node::{Node, Refusal, Submission, Ticket};
use iotedge_core::posp::close::{
    Before, CloseError, close_epoch, epoch_levels, epoch_root, epoch_size, header_payload,
};
use iotedge_core::posp::{
    Header, SignedHeader, Tally, header_signing_input, verify_vote, vote_message,
};
use iotedge_core::tangle::{Effect, Scratch, Work};
use iotedge_core::wire::list::{List, Raw, Vote};
use iotedge_core::wire::merkle::Levels;
use iotedge_core::wire::{Frame, Reader, Writer};
use iotedge_core::{HeaderNumber, Id, MAX_FRAME, Millis};
use std::collections::{BTreeMap, HashMap};

/// A node as the simulator runs it.
pub type SimNode<'m> = Node<'m, SimPlatform, SharedVerify>;

/// Records in one TABLE frame.
const CHUNK: usize = 5;

/// An epoch as one node computes it.
#[derive(Debug)]
pub struct Replayed {
    /// The header.
    pub header: Header,
    payload: Vec<u8>,
    /// The accepted transactions, in order.
    pub leaves: Vec<Id>,
    records: Vec<Record>,
    /// Locks that are open then.
    pub locks: Vec<Lock>,
    /// Root of the epoch tree: what validators vote on.
    pub root: Id,
}

/// Closes the epoch of a trim from what this node holds.
///
/// # Errors
/// As `close_epoch`; `None` where the node holds no table to begin with.
pub fn replay(
    node: &SimNode<'_>,
    founding: &Founding,
    open: &[Lock],
    trim: &Id,
) -> Result<Option<Replayed>, CloseError> {
    let headers = node.headers();
    let Some(records) = node.tables().records(headers.newest().opens()) else {
        return Ok(None);
    };
    let capacity = node.tangle().capacity();
    let members = usize::from(
        node.tables()
            .records(headers.newest().opens())
            .map_or(0, |r| r.len() as u16),
    );
    let mut after = vec![Record::EMPTY; founding.genesis.max_members as usize];
    let mut leaves = vec![Id::ZERO; capacity];
    let mut locks = vec![Lock::EMPTY; open.len() + made(node)];
    let mut work = vec![Work::default(); capacity];
    let mut order = vec![0; capacity];
    let mut per_member = vec![0; members.max(after.len())];
    let mut scratch = Scratch {
        work: &mut work,
        order: &mut order,
        members: &mut per_member,
    };
    let before = Before {
        genesis: &founding.genesis,
        neighbourhood: founding.neighbourhood,
        authority: &founding.authority,
        anchors: &[founding.maker],
        number: headers.newest(),
        hash: headers.hash(),
        g0: headers.g0(),
        records,
        locks: open,
        deposits: Deposits::default(),
        next_set: founding.set.hash(),
    };
    let closed = close_epoch(
        node.tangle(),
        node.tables(),
        trim,
        &before,
        &mut after,
        &mut locks,
        &mut leaves,
        &mut scratch,
        &mut |id, out| {
            let raw = node.raw(id)?;
            out.get_mut(..raw.len())?.copy_from_slice(raw);
            Some(raw.len())
        },
        &mut Software,
    )?;
    leaves.truncate(closed.header.count as usize);
    after.truncate(closed.header.members as usize);
    locks.truncate(closed.settled.locks);
    let mut buffer = vec![0; 1024];
    let payload = header_payload(&closed.header, &mut buffer)
        .map_err(CloseError::Header)?
        .to_vec();
    let root = epoch_root(&payload, &leaves).map_err(CloseError::Header)?;
    Ok(Some(Replayed {
        header: closed.header,
        payload,
        leaves,
        records: after,
        locks,
        root,
    }))
}

/// Locks that the window holds.
fn made(node: &SimNode<'_>) -> usize {
    let tangle = node.tangle();
    let all = tangle.since(tangle.oldest_sequence());
    all.filter(|(_, facts)| matches!(facts.effect, Effect::Lock { .. }))
        .count()
}

/// When the last trim was certified, by the times of those who did it; `None`: not yet.
fn certified_at(node: &SimNode<'_>, last: Option<Id>) -> Option<Millis> {
    let Some(trim) = last else {
        return Some(Millis(0));
    };
    let mut first = vec![Millis(0); node.tangle().members()];
    node.tangle().certified_at(node.tables(), &trim, &mut first)
}

/// A settled epoch in the gateway's store.
#[derive(Debug)]
pub struct Settled {
    /// The header.
    pub header: Header,
    /// Its payload's bytes.
    pub payload: Vec<u8>,
    /// The accepted transactions, in order.
    pub leaves: Vec<Id>,
    /// All nodes of its epoch tree: a thousand devices ask for paths.
    tree: Vec<Id>,
    /// The next table.
    pub records: Vec<Record>,
    /// Locks that are open then.
    pub locks: Vec<Lock>,
    /// HEADER and VOTES.
    frames: [Vec<u8>; 2],
}

#[derive(Debug)]
struct Proposal {
    replayed: Replayed,
    cose: Vec<u8>,
    frame: Vec<u8>,
    votes: BTreeMap<u8, Vote>,
    due: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TrimState {
    /// The next one is due when its cut is old enough, and not before this moment.
    Idle(u64),
    /// In the outbox.
    Waiting(Ticket),
    /// In the ledger.
    Issued(Id),
    /// Certified by the members.
    Certified(Id),
}

/// The gateway's process beside its node. It survives its own SIGKILL: all of it is what a gateway keeps in its database.
#[derive(Debug)]
pub struct Gateway {
    secret: SecretKey,
    trim: TrimState,
    cut: u64,
    /// The last trim: the next one may not cut before it was certified.
    last: Option<Id>,
    proposal: Option<Proposal>,
    /// Settled epochs by header number.
    pub settled: BTreeMap<u32, Settled>,
    leaves: HashMap<Id, (u32, u32)>,
    /// Trims that were refused at signing and tried again.
    pub void_trims: u32,
    /// In guilty hands: it trims no more.
    pub withholds: bool,
    /// Why an epoch could not be closed, the last time it was tried.
    pub stuck: Option<CloseError>,
}

impl Gateway {
    /// A gateway that has settled nothing.
    #[must_use]
    pub fn new(founding: &Founding) -> Self {
        Self {
            secret: founding.device(0),
            trim: TrimState::Idle(0),
            cut: START,
            last: None,
            proposal: None,
            settled: BTreeMap::new(),
            leaves: HashMap::new(),
            void_trims: 0,
            withholds: false,
            stuck: None,
        }
    }

    /// What devices ask of the gateway's store. `None`: not a request, it is for the node.
    #[must_use]
    pub fn answer(&self, founding: &Founding, frame: &[u8]) -> Option<Vec<Vec<u8>>> {
        let (_, frame) = Frame::parse(frame).ok()?;
        let tag = founding.tag();
        Some(match frame {
            Frame::GenesisRequest => {
                let genesis = Frame::Genesis {
                    cose: &founding.genesis_cose,
                    set: &founding.set_bytes,
                };
                vec![written(&genesis, [0; 4])]
            }
            Frame::TableRequest { epoch, first } => {
                let records = match epoch.0.checked_sub(1) {
                    Some(0) => &founding.founders,
                    Some(n) => match self.settled.get(&n) {
                        Some(settled) => &settled.records,
                        None => return Some(Vec::new()),
                    },
                    None => return Some(Vec::new()),
                };
                let chunk: Vec<Vec<u8>> = records
                    .iter()
                    .skip(usize::from(first.0))
                    .take(CHUNK)
                    .map(|record| {
                        let mut bytes = vec![0; 512];
                        let mut w = Writer::new(&mut bytes);
                        record.encode(&mut w).expect("a record of the table");
                        w.written().to_vec()
                    })
                    .collect();
                if chunk.is_empty() {
                    return Some(Vec::new());
                }
                let raw: Vec<Raw<'_>> = chunk.iter().map(|c| Raw(c)).collect();
                let records = List::of(&raw);
                vec![written(
                    &Frame::Table {
                        epoch,
                        first,
                        records,
                    },
                    tag,
                )]
            }
            Frame::HeaderRequest { header } => self
                .settled
                .get(&header.0)
                .map_or(Vec::new(), |s| s.frames.to_vec()),
            Frame::LocksRequest { header, first } => {
                let encoded: Vec<Vec<u8>> = self
                    .open_locks(header)
                    .iter()
                    .skip(first as usize)
                    .map(|lock| {
                        let mut bytes = [0; MAX_LOCK];
                        let mut w = Writer::new(&mut bytes);
                        lock.write(&mut w);
                        w.written().to_vec()
                    })
                    .collect();
                (first..)
                    .step_by(CHUNK)
                    .zip(encoded.chunks(CHUNK))
                    .map(|(first, chunk)| {
                        let raw: Vec<Raw<'_>> = chunk.iter().map(|c| Raw(c)).collect();
                        let frame = Frame::Locks {
                            header,
                            first,
                            locks: List::of(&raw),
                        };
                        written(&frame, tag)
                    })
                    .collect()
            }
            Frame::ProofRequest { ids } => {
                ids.iter().filter_map(|id| self.proof(tag, id)).collect()
            }
            Frame::Enrol { .. } | Frame::SetRequest { .. } => Vec::new(),
            _ => return None,
        })
    }

    fn proof(&self, tag: [u8; 4], id: Id) -> Option<Vec<u8>> {
        let (number, leaf) = *self.leaves.get(&id)?;
        let settled = self.settled.get(&number)?;
        let mut path = [Id::ZERO; 32];
        let size = epoch_size(&settled.leaves).ok()?;
        let tree = Levels::built(&settled.tree, size).ok()?;
        let n = tree.path(leaf, &mut path).ok()?;
        let frame = Frame::Proof {
            header: HeaderNumber(number),
            id,
            leaf,
            size,
            path: List::of(&path[..n]),
        };
        Some(written(&frame, tag))
    }

    /// Trims when it is time. `traffic`: nobody would approve a trim without.
    pub fn tick(
        &mut self,
        now: u64,
        local: Millis,
        founding: &Founding,
        traffic: bool,
        node: &mut SimNode<'_>,
    ) {
        let period = founding.genesis.period.0;
        if let TrimState::Idle(due) = self.trim
            && traffic
            && !self.withholds
            && now >= due
        {
            // The newest cut of the grid whose approvals have all come; after an outage several periods become one epoch.
            let absolute = START + now;
            let wait = period / 2 + period / 8;
            let ready = absolute.saturating_sub(wait).saturating_sub(START) / period;
            // A late certificate moves the cut instead of skipping a period.
            let grid = START + ready * period;
            if grid > self.cut {
                let cut = certified_at(node, self.last).map(|least| grid.max(least.0));
                let cut = cut.filter(|cut| *cut <= absolute.saturating_sub(wait));
                let ticket = cut.map(|cut| {
                    let cut = Submission::Trim { cut: Millis(cut) };
                    node.submit(local, &cut, None)
                });
                self.trim = match ticket {
                    Some(Ok(ticket)) => TrimState::Waiting(ticket),
                    _ => TrimState::Idle(now + 500),
                };
            }
        }
        if let TrimState::Certified(trim) = self.trim
            && self.proposal.is_none()
        {
            match replay(
                node,
                founding,
                self.open_locks(node.headers().newest()),
                &trim,
            ) {
                Ok(Some(replayed)) => {
                    self.stuck = None;
                    self.propose(founding, replayed);
                }
                Ok(None) => {}
                Err(error) => self.stuck = Some(error),
            }
        }
    }

    pub(crate) fn propose(&mut self, founding: &Founding, replayed: Replayed) {
        let protected = sign1::protected(&self.secret.public_key());
        let mut message = vec![0; 2048];
        let message = header_signing_input(
            &protected,
            &founding.neighbourhood,
            &replayed.payload,
            &mut message,
        )
        .expect("a header fits");
        let signature = self.secret.sign(message);
        let mut cose = vec![0; 2048];
        let len = sign1::assemble(&protected, &replayed.payload, &signature, &mut cose)
            .expect("a header fits");
        cose.truncate(len);
        let frame = written(
            &Frame::Proposal {
                cose: &cose,
                credited: 0,
            },
            founding.tag(),
        );
        self.proposal = Some(Proposal {
            replayed,
            cose,
            frame,
            votes: BTreeMap::new(),
            due: 0,
        });
    }

    /// The proposal, when it is due to be sent to the validators that did not vote yet.
    pub fn proposal_due(&mut self, now: u64) -> Option<(&[u8], Vec<u8>)> {
        let proposal = self.proposal.as_mut().filter(|p| now >= p.due)?;
        proposal.due = now + 400;
        let missing = (0..crate::scenario::VALIDATORS as u8)
            .filter(|v| !proposal.votes.contains_key(v))
            .collect();
        Some((&proposal.frame, missing))
    }

    /// A validator's vote. True when it made the quorum: then the newest of `settled` is to be spread.
    pub fn on_votes(
        &mut self,
        founding: &Founding,
        number: HeaderNumber,
        votes: List<'_, Vote>,
    ) -> bool {
        let Some(proposal) = self.proposal.as_mut() else {
            return false;
        };
        let replayed = &proposal.replayed;
        if replayed.header.number != number {
            return false;
        }
        for vote in votes.iter() {
            let Ok(validator) = founding.set.get(vote.index) else {
                continue;
            };
            let good = verify_vote(
                &validator.key,
                &founding.neighbourhood,
                number,
                &replayed.root,
                &vote.signature,
                &mut Software,
            );
            if good.is_ok() {
                proposal.votes.insert(vote.index, vote);
            }
        }
        let mut tally = Tally::new(&founding.set);
        for index in proposal.votes.keys() {
            let _ = tally.add(*index);
        }
        if !tally.is_quorum() {
            return false;
        }
        if let Some(proposal) = self.proposal.take() {
            self.settle(founding, proposal);
        }
        true
    }

    fn settle(&mut self, founding: &Founding, proposal: Proposal) {
        let Proposal {
            replayed,
            cose,
            votes,
            ..
        } = proposal;
        let number = replayed.header.number;
        let votes: Vec<Vote> = votes.into_values().collect();
        let size = epoch_size(&replayed.leaves).expect("it fits");
        let mut tree = vec![Id::ZERO; Levels::memory(size).expect("it fits")];
        let mut path = [Id::ZERO; 32];
        let levels = epoch_levels(&replayed.payload, &replayed.leaves, &mut tree).expect("it fits");
        let n = levels.path(0, &mut path).expect("leaf 0 is there");
        let header = Frame::Header {
            cose: &cose,
            path: List::of(&path[..n]),
        };
        let ballots = Frame::Votes {
            header: number,
            votes: List::of(&votes),
        };
        let frames = [
            written(&header, founding.tag()),
            written(&ballots, founding.tag()),
        ];
        for (leaf, id) in (1..).zip(&replayed.leaves) {
            self.leaves.insert(*id, (number.0, leaf));
        }
        self.cut = replayed.header.cut.0;
        self.trim = TrimState::Idle(0);
        self.settled.insert(
            number.0,
            Settled {
                header: replayed.header,
                payload: replayed.payload,
                leaves: replayed.leaves,
                tree,
                records: replayed.records,
                locks: replayed.locks,
                frames,
            },
        );
    }

    /// Locks that are open after a header.
    #[must_use]
    pub fn open_locks(&self, header: HeaderNumber) -> &[Lock] {
        self.settled.get(&header.0).map_or(&[], |s| &s.locks)
    }

    /// HEADER and VOTES of the newest settled epoch.
    #[must_use]
    pub fn news(&self) -> Option<&[Vec<u8>; 2]> {
        self.settled.last_key_value().map(|(_, s)| &s.frames)
    }

    /// The node says that the trim is in the ledger.
    pub fn on_sent(&mut self, ticket: Ticket, id: Id) {
        if self.trim == TrimState::Waiting(ticket) {
            self.trim = TrimState::Issued(id);
            self.last = Some(id);
        }
    }

    /// The node refused to sign the trim: too early. It is tried again.
    pub fn on_rejected(&mut self, now: u64, ticket: Ticket, _reason: Refusal) {
        if self.trim == TrimState::Waiting(ticket) {
            self.void_trims += 1;
            self.trim = TrimState::Idle(now + 500);
        }
    }

    /// The members certified a trim.
    pub fn on_certified(&mut self, id: Id) {
        if self.trim == TrimState::Issued(id) {
            self.trim = TrimState::Certified(id);
        }
    }

    /// What the gateway waits for, in words.
    #[must_use]
    pub fn waits_for(&self) -> String {
        match (&self.proposal, self.trim) {
            (Some(p), _) => format!(
                "votes for header {} ({} of 4)",
                p.replayed.header.number,
                p.votes.len()
            ),
            (None, TrimState::Idle(_)) => "the next cut".into(),
            (None, TrimState::Waiting(_)) => "its node to sign the trim".into(),
            (None, TrimState::Issued(_)) => "the members to certify the trim".into(),
            (None, TrimState::Certified(_)) => format!("its own replay: {:?}", self.stuck),
        }
    }
}

/// A validator's process beside its node.
#[derive(Debug)]
pub struct Validator {
    index: u8,
    secret: SecretKey,
    /// What it voted for, by header number: never a second header.
    voted: BTreeMap<u32, Id>,
    /// Locks open after a header, by their places: its own replay's, or what the gateway told of them.
    locks: BTreeMap<(u32, u32), Lock>,
    /// State roots of the headers that it heard, by their hashes.
    roots: BTreeMap<Id, Id>,
}

/// What a validator makes of a proposal.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The VOTES frame.
    Vote(Vec<u8>),
    /// A LOCKS_REQUEST frame: it lacks locks that the gateway has.
    Ask(Vec<u8>),
    /// It does not hold enough yet, or the header is not the next: the gateway asks again.
    NotYet,
    /// Its own replay gives another header.
    Differs(String),
}

impl Validator {
    /// A validator that has not voted.
    #[must_use]
    pub fn new(founding: &Founding, index: u16) -> Self {
        Self {
            index: index as u8,
            secret: founding.validator(index),
            voted: BTreeMap::new(),
            locks: BTreeMap::new(),
            roots: BTreeMap::new(),
        }
    }

    /// A header goes by, to its node.
    pub fn on_header(&mut self, cose: &[u8]) {
        if let Ok(signed) = SignedHeader::parse(cose) {
            self.roots.insert(signed.hash(), signed.header().state_root);
        }
    }

    /// The gateway tells of open locks.
    pub fn on_locks(&mut self, header: HeaderNumber, first: u32, locks: List<'_, Raw<'_>>) {
        for (place, raw) in (first..).zip(locks.iter()) {
            if let Ok(lock) = Lock::read(&mut Reader::new(raw.0)) {
                self.locks.insert((header.0, place), lock);
            }
        }
    }

    /// All that are open after the newest header of its node; `None` where some are missing: the header's state root says.
    fn open_locks(&self, node: &SimNode<'_>) -> Option<Vec<Lock>> {
        let newest = node.headers().newest();
        if newest == HeaderNumber(0) {
            return Some(Vec::new());
        }
        let wanted = *self.roots.get(&node.headers().hash())?;
        let locks: Vec<Lock> = self
            .locks
            .range((newest.0, 0)..(newest.0 + 1, 0))
            .map(|(_, lock)| *lock)
            .collect();
        let records = node.tables().records(newest.opens())?;
        (state_root(records, &locks) == Ok(wanted)).then_some(locks)
    }

    /// Checks a proposal against the own replay.
    ///
    /// # Panics
    /// Never with the simulator's sizes.
    pub fn judge(&mut self, founding: &Founding, cose: &[u8], node: &SimNode<'_>) -> Verdict {
        let Ok(signed) = SignedHeader::parse(cose) else {
            return Verdict::NotYet;
        };
        let header = signed.header();
        let gl_key = founding.device(0).public_key();
        let by_gateway = signed.verify(&founding.neighbourhood, &gl_key, &mut Software);
        let next = node.headers().newest().checked_add(1) == Some(header.number);
        if by_gateway.is_err() || !next || !node.tangle().certified(&header.trim) {
            return Verdict::NotYet;
        }
        let newest = node.headers().newest();
        let Some(open) = self.open_locks(node) else {
            let frame = Frame::LocksRequest {
                header: newest,
                first: 0,
            };
            return Verdict::Ask(written(&frame, founding.tag()));
        };
        let replayed = match replay(node, founding, &open, &header.trim) {
            Ok(Some(replayed)) => replayed,
            Ok(None) => return Verdict::NotYet,
            Err(error) => return Verdict::Differs(format!("cannot replay: {error:?}")),
        };
        if replayed.payload != signed.payload() {
            return Verdict::Differs(format!("mine {:?}, proposed {header:?}", replayed.header));
        }
        let hash = signed.hash();
        if *self.voted.entry(header.number.0).or_insert(hash) != hash {
            return Verdict::Differs("a second header for one number".into());
        }
        self.locks.retain(|(of, _), _| *of >= newest.0);
        for (place, lock) in (0..).zip(&replayed.locks) {
            self.locks.insert((header.number.0, place), *lock);
        }
        let key = raw_key(&self.secret);
        let mut message = vec![0; 512];
        let message = vote_message(
            &key,
            &founding.neighbourhood,
            header.number,
            &replayed.root,
            &mut message,
        )
        .expect("a vote fits");
        let votes = [Vote {
            index: self.index,
            signature: self.secret.sign(message),
        }];
        let frame = Frame::Votes {
            header: header.number,
            votes: List::of(&votes),
        };
        Verdict::Vote(written(&frame, founding.tag()))
    }
}

/// A frame's bytes.
///
/// # Panics
/// Where it does not fit a frame: the simulator builds none such.
#[must_use]
pub fn written(frame: &Frame<'_>, tag: [u8; 4]) -> Vec<u8> {
    let mut out = vec![0; MAX_FRAME];
    let len = frame.write(tag, &mut out).expect("a frame that fits");
    out.truncate(len);
    out
}
