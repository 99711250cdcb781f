//! The validator's part: follow, recompute, and sign only what came out the same.
//!
//! Invariant: a vote leaves only for a header that this validator computed itself, byte for byte, of a trim that is certified in
//! its own view; what it votes for is in the store before the vote leaves, and one number gets one vote for ever. A header
//! that differs is refused, counted and logged with the first field in which it differs.

use crate::check::Trust;
use crate::config::Config;
use crate::daemon::{Part, Shared};
use crate::epoch::{self, Closed, EpochError};
use crate::gchain::Word;
use crate::metrics::Exposition;
use crate::service::{Neighbourhood, vote_frames, write};
use crate::store::StoredHeader;
use crate::transport::Address;
use anyhow::Result;
use iotedge_core::crypto::{PublicKey, SecretKey, Software};
use iotedge_core::node::Event;
use iotedge_core::posp::{Header, MAX_VOTE_MESSAGE, SignedHeader, verify_vote, vote_message};
use iotedge_core::wire::Frame;
use iotedge_core::wire::merkle;
use iotedge_core::{HeaderNumber, Id, Millis};
use std::collections::BTreeMap;
use tracing::{debug, error, info, warn};

/// Headers from outside that wait for their votes.
const KEPT: usize = 4;

/// Locks that are taken from outside at most: what is more is no answer but an attack.
const MAX_LOCKS: usize = 1 << 20;

/// Why a proposal got no vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoVote {
    /// Not a header of the GL-node for this neighbourhood.
    Forged,
    /// Not the next number here: this validator is behind, or the proposal is old.
    NotNext,
    /// The trim is not certified here (yet).
    NotCertified,
    /// The epoch cannot be closed here (yet).
    CannotClose,
    /// Deposits that it credits are not confirmed here (yet).
    NoDeposits,
    /// Locks that are open after this header are not here: they are asked for.
    NoLocks(HeaderNumber),
    /// It came out otherwise here.
    Differs(&'static str),
    /// Another header of this number has this validator's word.
    AlreadyVoted,
}

/// See the module.
pub struct Voter {
    secret: SecretKey,
    key: [u8; 32],
    anchors: Vec<PublicKey>,
    closed: Option<Closed>,
    room: epoch::Room,
    /// Locks that are open after a header, as far as they came, and whether any did since the last proposal.
    gathered: Option<(HeaderNumber, Vec<Vec<u8>>, bool)>,
    seen: BTreeMap<u32, (Vec<u8>, Vec<Id>)>,
    word: Word,
    votes: u64,
    refused: u64,
    waiting: u64,
}

impl Voter {
    /// The part of a validator with this key.
    ///
    /// # Errors
    /// The key is not Ed25519.
    pub fn new(config: &Config, secret: SecretKey, anchors: Vec<PublicKey>) -> Result<Self> {
        let key = <[u8; 32]>::try_from(secret.public_key().bytes())
            .map_err(|_| anyhow::anyhow!("validators sign with Ed25519"))?;
        Ok(Self {
            secret,
            key,
            anchors,
            closed: None,
            room: epoch::Room::new(config),
            gathered: None,
            seen: BTreeMap::new(),
            word: Word::default(),
            votes: 0,
            refused: 0,
            waiting: 0,
        })
    }

    /// Checks a proposal and, where it holds, writes the word down and gives the vote's frame.
    fn consider(
        &mut self,
        shared: &mut Shared,
        cose: &[u8],
        credited: u32,
    ) -> Result<Result<Vec<Vec<u8>>, NoVote>> {
        let Some(n) = &shared.neighbourhood else {
            return Ok(Err(NoVote::NotNext));
        };
        let Ok(signed) = SignedHeader::parse(cose) else {
            return Ok(Err(NoVote::Forged));
        };
        let gl_node = shared
            .node
            .tables()
            .latest(n.trust.genesis.gl_node)
            .map(|r| r.key);
        let Some(gl_node) = gl_node else {
            return Ok(Err(NoVote::NotNext));
        };
        if signed
            .verify(&n.trust.neighbourhood, &gl_node, &mut Software)
            .is_err()
        {
            return Ok(Err(NoVote::Forged));
        }
        let header = *signed.header();
        if header.number.0 != shared.node.headers().newest().0 + 1 {
            return Ok(Err(NoVote::NotNext));
        }
        let Some(index) = n.trust.set.index_of(&self.key) else {
            return Ok(Err(NoVote::NotNext));
        };
        let same = self.closed.as_ref().is_some_and(|c| {
            (c.header.trim, c.header.number, c.credited) == (header.trim, header.number, credited)
        });
        if !same {
            if !shared.node.tangle().certified(&header.trim) {
                return Ok(Err(NoVote::NotCertified));
            }
            let closed = epoch::close(
                &mut self.room,
                &shared.node,
                &shared.store,
                &n.trust,
                &shared.authority,
                &self.anchors,
                &header.trim,
                credited,
            );
            match closed {
                Ok(closed) => self.closed = Some(closed),
                Err(EpochError::NoLocks(of)) => return Ok(Err(NoVote::NoLocks(of))),
                Err(EpochError::NoDeposits(_)) => return Ok(Err(NoVote::NoDeposits)),
                Err(error) => {
                    debug!(%error, "cannot close yet");
                    return Ok(Err(NoVote::CannotClose));
                }
            }
        }
        let Some(closed) = &self.closed else {
            return Ok(Err(NoVote::CannotClose));
        };
        if let Some(field) = epoch::first_difference(&closed.payload, signed.payload()) {
            return Ok(Err(NoVote::Differs(field)));
        }
        let hash = Header::hash(&closed.payload);
        if !shared.store.vote_once(header.number, &hash, &closed.root)? {
            return Ok(Err(NoVote::AlreadyVoted));
        }
        let settled = shared
            .store
            .header(header.number)?
            .is_some_and(|h| h.settled);
        if !settled {
            let stored = StoredHeader {
                number: header.number,
                cose: cose.to_vec(),
                path0: closed.path0.clone(),
                leaves: header.tree_size(),
                settled: false,
            };
            shared.store.put_header(&stored, &closed.accepted)?;
            let locks = closed.locks.iter().map(Vec::as_slice);
            shared.store.put_locks(header.number, locks)?;
            shared.store.put_credited(header.number, credited)?;
        }
        let mut buffer = [0; MAX_VOTE_MESSAGE];
        let message = vote_message(
            &self.key,
            &n.trust.neighbourhood,
            header.number,
            &closed.root,
            &mut buffer,
        )
        .map_err(|e| anyhow::anyhow!("a vote cannot be written: {e:?}"))?;
        let signature = self.secret.sign(message);
        shared
            .store
            .put_vote(header.number, index.into(), &signature.0)?;
        let mut frames = vote_frames(n, header.number, &[(index.into(), signature.0)]);
        frames.extend(Word::account_vote(shared, header.number, index)?);
        Ok(Ok(frames))
    }

    /// A settled header is proposed again: the gateway wants the account's vote for it, which this validator gives where it voted for this header.
    fn again(&self, shared: &Shared, number: HeaderNumber, cose: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some(index) = (shared.neighbourhood.as_ref())
            .filter(|_| number <= shared.node.headers().newest())
            .and_then(|n| n.trust.set.index_of(&self.key))
        else {
            return Ok(None);
        };
        let hash = epoch::hash_of(cose);
        if hash.is_none() || shared.store.voted(number)? != hash {
            return Ok(None);
        }
        Word::account_vote(shared, number, index)
    }

    fn on_proposal(
        &mut self,
        shared: &mut Shared,
        from: Address,
        cose: &[u8],
        credited: u32,
    ) -> Result<()> {
        let number = SignedHeader::parse(cose).map_or(0, |s| s.header().number.0);
        if let Some(vote) = self.again(shared, HeaderNumber(number), cose)? {
            shared.out.push((from, vote));
            return Ok(());
        }
        match self.consider(shared, cose, credited)? {
            Ok(frames) => {
                self.votes += 1;
                info!(header = number, "voted");
                shared.out.extend(frames.into_iter().map(|f| (from, f)));
            }
            Err(
                reason @ (NoVote::NotNext
                | NoVote::NotCertified
                | NoVote::CannotClose
                | NoVote::NoDeposits),
            ) => {
                self.waiting += 1;
                debug!(header = number, ?reason, "not yet");
            }
            Err(NoVote::NoLocks(of)) => {
                self.waiting += 1;
                self.ask_for_locks(shared, from, of)?;
            }
            Err(NoVote::Differs(field)) => {
                self.refused += 1;
                // What comes later may change the view of a trim that was certified too early here: look again next time.
                self.closed = None;
                error!(
                    header = number,
                    field, "the proposed header differs from the own one; no vote"
                );
            }
            Err(reason) => {
                self.refused += 1;
                warn!(header = number, ?reason, %from, "no vote");
            }
        }
        Ok(())
    }

    /// Asks who proposed for the locks that are open after a header. What came since it proposed last is tried first: a list that is not the header's whole goes, and it begins
    /// anew.
    fn ask_for_locks(
        &mut self,
        shared: &mut Shared,
        from: Address,
        of: HeaderNumber,
    ) -> Result<()> {
        match self.gathered.take() {
            Some((header, locks, true)) if header == of => {
                self.gathered = Some((of, locks, false));
            }
            Some((header, locks, false)) if header == of && !locks.is_empty() => {
                // The next proposal is judged by them, and comes back here where they are wrong.
                let list = locks.iter().map(Vec::as_slice);
                shared.store.put_locks(of, list)?;
                return Ok(());
            }
            _ => self.gathered = Some((of, Vec::new(), false)),
        }
        self.ask_on(shared, from);
        Ok(())
    }

    fn ask_on(&self, shared: &mut Shared, to: Address) {
        if let (Some((header, locks, _)), Some(n)) = (&self.gathered, &shared.neighbourhood) {
            let frame = Frame::LocksRequest {
                header: *header,
                first: u32::try_from(locks.len()).unwrap_or(u32::MAX),
            };
            let frame = write(&frame, n.trust.neighbourhood.tag());
            shared.out.push((to, frame));
        }
    }

    /// Locks came: the next ones are asked for until none comes any more.
    fn on_locks(
        &mut self,
        shared: &mut Shared,
        from: Address,
        of: HeaderNumber,
        first: u32,
        locks: impl Iterator<Item = Vec<u8>>,
    ) {
        let Some((header, list, fresh)) = &mut self.gathered else {
            return;
        };
        let next = u32::try_from(list.len()).ok() == Some(first);
        if *header != of || !next || list.len() >= MAX_LOCKS {
            return;
        }
        list.extend(locks);
        *fresh = true;
        self.ask_on(shared, from);
    }

    /// Keeps the votes of others that hold, to serve them later.
    fn keep_votes(
        &self,
        shared: &mut Shared,
        number: HeaderNumber,
        frame: &Frame<'_>,
    ) -> Result<()> {
        let (Frame::Votes { votes, .. }, Some(n)) = (frame, &shared.neighbourhood) else {
            return Ok(());
        };
        let Some((cose, path)) = self.seen.get(&number.0) else {
            return Ok(());
        };
        let Ok(signed) = SignedHeader::parse(cose) else {
            return Ok(());
        };
        let leaf = merkle::leaf_hash(signed.payload());
        let Ok(root) = merkle::root_from_path(&leaf, 0, signed.header().tree_size(), path) else {
            return Ok(());
        };
        for vote in votes.iter() {
            let Ok(validator) = n.trust.set.get(vote.index) else {
                continue;
            };
            if verify_vote(
                &validator.key,
                &n.trust.neighbourhood,
                number,
                &root,
                &vote.signature,
                &mut Software,
            )
            .is_ok()
            {
                shared
                    .store
                    .put_vote(number, vote.index.into(), &vote.signature.0)?;
            }
        }
        Ok(())
    }

    /// A header is under a stake quorum: it can be served from here.
    fn on_settled(&mut self, shared: &mut Shared, number: HeaderNumber) -> Result<()> {
        let Some((cose, path)) = self.seen.remove(&number.0) else {
            return Ok(());
        };
        let own = shared.store.header(number)?;
        let payload = |cose: &[u8]| epoch::payload_of(cose);
        match own {
            Some(own) if payload(&own.cose) == payload(&cose) => {
                shared.store.settle_header(number)?
            }
            other => {
                if other.is_some() {
                    error!(
                        header = number.0,
                        "a quorum of stake settled another header than this validator's"
                    );
                }
                let leaves = SignedHeader::parse(&cose).map_or(0, |s| s.header().tree_size());
                let header = StoredHeader {
                    number,
                    cose,
                    path0: path,
                    leaves,
                    settled: true,
                };
                // Without the own view of the epoch there are no leaves: its proofs are asked for elsewhere.
                shared.store.put_header(&header, &[])?;
                // Nor is it known how many deposits it credited: the contract tells. Without one there are none.
                if shared.gchain.is_none() {
                    shared.store.put_credited(number, 0)?;
                }
            }
        }
        self.closed = None;
        Ok(())
    }
}

impl Part for Voter {
    fn on_frame(
        &mut self,
        shared: &mut Shared,
        from: Address,
        _now: Millis,
        frame: &Frame<'_>,
    ) -> Result<bool> {
        match frame {
            Frame::Proposal { cose, credited } => {
                self.on_proposal(shared, from, cose, *credited)?;
                return Ok(true);
            }
            Frame::Locks {
                header,
                first,
                locks,
            } => {
                let locks = locks.iter().map(|raw| raw.0.to_vec());
                self.on_locks(shared, from, *header, *first, locks);
                return Ok(true);
            }
            Frame::Enrol { .. } => return Ok(true),
            Frame::Genesis { cose, set } if shared.neighbourhood.is_none() => {
                // The node checks it too; both check the pinned authority's signature.
                if let Ok(trust) = Trust::new(cose, set, &shared.authority) {
                    shared.adopt(Neighbourhood {
                        trust,
                        genesis: cose.to_vec(),
                        set: set.to_vec(),
                    })?;
                }
            }
            Frame::Header { cose, path } => {
                let gl_node = shared.neighbourhood.as_ref().and_then(|n| {
                    let key = shared.node.tables().latest(n.trust.genesis.gl_node)?.key;
                    Some((n.trust.neighbourhood, key))
                });
                if let (Some((id, key)), Ok(signed)) = (gl_node, SignedHeader::parse(cose))
                    && signed.verify(&id, &key, &mut Software).is_ok()
                {
                    self.seen.insert(
                        signed.header().number.0,
                        (cose.to_vec(), path.iter().collect()),
                    );
                    if self.seen.len() > KEPT {
                        self.seen.pop_first();
                    }
                }
            }
            Frame::Votes { header, .. } => self.keep_votes(shared, *header, frame)?,
            _ => {}
        }
        Ok(false)
    }

    fn on_event(&mut self, shared: &mut Shared, _now: Millis, event: &Event) -> Result<()> {
        match event {
            Event::HeaderSettled { header, .. } => self.on_settled(shared, *header),
            _ => Ok(()),
        }
    }

    fn tick(&mut self, shared: &mut Shared, now: Millis) -> Result<()> {
        self.word.tick(shared, &self.secret, &self.key, now)
    }

    fn metrics(&self, page: &mut Exposition) {
        page.counter(
            "votes_total",
            "Votes sent, repeated ones included.",
            self.votes,
        );
        page.counter(
            "proposals_refused_total",
            "Proposals that are forged, differ, or come second.",
            self.refused,
        );
        page.counter(
            "proposals_early_total",
            "Proposals of trims that are not certified here yet.",
            self.waiting,
        );
    }
}
