//! What is proved to a leaf: the genesis by the authority, headers by votes, its own record by a path.
//!
//! Invariant: an opening exists only for the genesis or for a header under votes of more than two thirds of the stake, and a standing only for a record
//! under its table root. Votes are checked one by one against the set in the store; no set is ever in memory (protocol sections 6, 7 and 7.5).

use super::state::{Chain, Opening, Pending, Standing, Terms, Trust};
use super::store::{GENESIS, SET};
use super::{Error, Event, Leaf, Phase};
use crate::crypto::{Verify, sha256};
use crate::identity::{Genesis, Record, UnverifiedGenesis};
use crate::platform::Platform;
use crate::posp::{SignedHeader, two_thirds, verify_vote};
use crate::tx::{Outline, signing_input};
use crate::types::{Epoch, HeaderNumber, Id, MemberIndex, Millis, Number};
use crate::wire::list::{List, Vote};
use crate::wire::{Reader, WireError, merkle};

const SET_DOMAIN: &str = "iotedge/set/1";

/// The head of a validator set as encoded; the reader stands before the first validator.
struct SetHead<'a> {
    term: u32,
    start: HeaderNumber,
    count: usize,
    validators: Reader<'a>,
}

fn set_head(bytes: &[u8]) -> Result<SetHead<'_>, WireError> {
    let mut r = Reader::new(bytes);
    r.take_array_of(3);
    let (term, start) = (r.take_u32(), HeaderNumber(r.take_u32()));
    let count = r.take_array();
    r.intact()?;
    Ok(SetHead {
        term,
        start,
        count,
        validators: r,
    })
}

fn validator(r: &mut Reader<'_>) -> Result<([u8; 32], u64), WireError> {
    r.take_array_of(2);
    let found = (*r.take_bytes_of(), r.take_uint());
    r.intact()?;
    Ok(found)
}

fn set_hash(bytes: &[u8]) -> Id {
    Id(sha256(&[SET_DOMAIN.as_bytes(), bytes]))
}

impl<P: Platform, V: Verify> Leaf<'_, P, V> {
    #[inline(never)]
    pub(super) fn on_genesis(&mut self, cose: &[u8], set: &[u8]) -> Result<(), Error> {
        if self.terms.is_some() {
            return Ok(());
        }
        UnverifiedGenesis::parse(cose)
            .and_then(|g| g.check(&self.config.authority, &mut self.verifier, self.buffer))
            .map_err(|_| Error::Forged)?;
        self.take_genesis(cose, set)
    }

    /// The signature holds.
    #[inline(never)]
    fn take_genesis(&mut self, cose: &[u8], set: &[u8]) -> Result<(), Error> {
        let (genesis, id) = UnverifiedGenesis::parse(cose)
            .and_then(|g| g.read())
            .map_err(|_| Error::Forged)?;
        if set_hash(set) != genesis.validator_set || set_head(set)?.start > HeaderNumber(1) {
            return Err(Error::Forged);
        }
        // The set first: a genesis in the store means that both are there.
        self.platform.put(SET, set).map_err(|_| Error::Platform)?;
        self.platform
            .put(GENESIS, cose)
            .map_err(|_| Error::Platform)?;
        self.found(&genesis, id);
        self.open_first();
        self.tell(Event::Joined { neighbourhood: id });
        Ok(())
    }

    /// The genesis was verified: from here on headers are followed.
    #[inline(never)]
    pub(super) fn found(&mut self, genesis: &Genesis, neighbourhood: Id) {
        self.terms = Some(Terms {
            neighbourhood,
            start: genesis.start,
            period: genesis.period,
            parent_age: genesis.parent_age,
            neighbours: genesis.neighbours,
            members: genesis.members,
            table_root: genesis.table_root,
            set_age: genesis.set_age,
        });
        self.trust = Trust {
            hash: neighbourhood,
            fresh: genesis.start,
            ..Trust::default()
        };
        self.phase = Phase::Following;
    }

    /// The epoch that the genesis opens.
    #[inline(never)]
    pub(super) fn open_first(&mut self) {
        let Some(terms) = &self.terms else { return };
        if self.trust.newest == HeaderNumber(0) {
            self.openings = [
                Some(Opening {
                    epoch: Epoch(1),
                    clock: terms.start,
                    members: terms.members,
                    table: terms.table_root,
                    tree: Id::ZERO,
                    size: 0,
                    standing: None,
                }),
                None,
            ];
        }
    }

    /// A header: its votes are to come. Who sends one again begins the count anew.
    #[inline(never)]
    pub(super) fn on_header(
        &mut self,
        now: Millis,
        cose: &[u8],
        path: List<'_, Id>,
    ) -> Result<(), Error> {
        let signed = SignedHeader::parse(cose).map_err(|_| Error::Forged)?;
        let header = signed.header();
        let terms = self.terms.as_ref().ok_or(Error::NotForMe)?;
        if header.neighbourhood != terms.neighbourhood {
            return Err(Error::Neighbourhood);
        }
        if self.opening(header.number.opens()).is_some() {
            return Ok(());
        }
        // The one before the newest is wanted too: tips of its epoch are still about after a settlement.
        if header.number.saturating_add(1) < self.trust.newest {
            return Err(Error::OutOfOrder);
        }
        if header.number > self.trust.newest {
            if self.trust.next.is_some() {
                return Err(Error::OutOfOrder);
            }
            if self.is_stale(now) {
                self.tell(Event::Stale);
                return Err(Error::OutOfOrder);
            }
        }
        let leaf = merkle::leaf_hash(signed.payload());
        let root = merkle::root_from_path(&leaf, 0, header.tree_size(), path)
            .map_err(|_| Error::Forged)?;
        self.pending = Some(Pending {
            number: header.number,
            hash: signed.hash(),
            previous: header.previous,
            set_hash: header.set_hash,
            opening: Opening {
                epoch: header.number.opens(),
                clock: header.cut,
                members: header.members,
                table: header.table_root,
                tree: root,
                size: header.tree_size(),
                standing: None,
            },
            last: None,
            signed: 0,
        });
        Ok(())
    }

    fn is_stale(&self, now: Millis) -> bool {
        let (Some(now), Some(terms)) = (self.absolute(now), &self.terms) else {
            return false;
        };
        now.saturating_sub(self.trust.fresh.0) > terms.set_age
    }

    /// Votes for the header that waits; they may come in several frames, by rising index.
    #[inline(never)]
    pub(super) fn on_votes(
        &mut self,
        now: Millis,
        number: HeaderNumber,
        votes: List<'_, Vote>,
    ) -> Result<(), Error> {
        let waits = self.pending.as_ref().is_some_and(|p| p.number == number);
        if !waits {
            return Ok(());
        }
        let (term, quorum) = self.count_votes(number, votes)?;
        match quorum {
            Some(set) => self.on_quorum(now, term, &set),
            None => {
                // Perhaps a term ended meanwhile: the next set says where.
                if self.pending.as_ref().is_some_and(|p| p.signed == 0) {
                    self.asked.set = Some(term.saturating_add(1));
                }
                Ok(())
            }
        }
    }

    /// Counts the votes that hold; gives the term and, under a quorum, the hash of the set. Apart from what follows, whose stack is not to stand above the
    /// check of a signature.
    #[inline(never)]
    fn count_votes(
        &mut self,
        number: HeaderNumber,
        votes: List<'_, Vote>,
    ) -> Result<(u32, Option<Id>), Error> {
        let pending = self.pending.as_mut().ok_or(Error::NotForMe)?;
        let terms = self.terms.as_ref().ok_or(Error::NotForMe)?;
        let len = self
            .platform
            .get(SET, self.buffer)
            .map_err(|_| Error::Platform)?
            .ok_or(Error::Platform)?;
        let set = self.buffer.get(..len).unwrap_or(&[]);
        let head = set_head(set)?;
        if number < head.start {
            return Err(Error::OutOfOrder);
        }
        let (mut total, mut r) = (0u128, head.validators.clone());
        for _ in 0..head.count {
            total = total.wrapping_add(validator(&mut r)?.1.into());
        }
        let (mut r, mut next) = (head.validators, 0u8);
        for vote in votes {
            if pending.last >= Some(vote.index) {
                continue;
            }
            let mut found = None;
            while next <= vote.index && usize::from(next) < head.count {
                found = Some(validator(&mut r)?);
                next = next.saturating_add(1);
            }
            let Some((key, stake)) = found else { break };
            let valid = verify_vote(
                &key,
                &terms.neighbourhood,
                number,
                &pending.opening.tree,
                &vote.signature,
                &mut self.verifier,
            );
            if valid.is_ok() {
                pending.last = Some(vote.index);
                pending.signed = pending.signed.wrapping_add(stake.into());
            }
        }
        let quorum = two_thirds(pending.signed, total);
        Ok((head.term, quorum.then(|| set_hash(set))))
    }

    #[inline(never)]
    fn on_quorum(&mut self, now: Millis, term: u32, set: &Id) -> Result<(), Error> {
        let Some(pending) = self.pending.take() else {
            return Ok(());
        };
        self.on_settled(now, &pending, set)?;
        if self.trust.next.is_some() {
            self.asked.set = Some(term.saturating_add(1));
        }
        Ok(())
    }

    #[inline(never)]
    fn on_settled(&mut self, now: Millis, header: &Pending, set: &Id) -> Result<(), Error> {
        let trust = &self.trust;
        let follows = trust.newest.checked_add(1) == Some(header.number);
        let fork = (follows && header.previous != trust.hash)
            || (header.number == trust.newest && header.hash != trust.hash);
        if fork {
            self.phase = Phase::Stopped;
            self.candidate = None;
            self.tell(Event::Fork);
            return Err(Error::Forged);
        }
        if header.number > trust.newest {
            self.trust = Trust {
                newest: header.number,
                hash: header.hash,
                fresh: trust.fresh.max(header.opening.clock),
                next: (header.set_hash != *set).then_some(header.set_hash),
                hint: HeaderNumber(0),
            };
            self.store_trust();
        }
        let [newest, _] = self.openings;
        let later = newest.is_none_or(|o| header.opening.epoch > o.epoch);
        self.openings = match later {
            true => [Some(header.opening), newest],
            false => [newest, Some(header.opening)],
        };
        self.asked.soon(now);
        Ok(())
    }

    #[inline(never)]
    pub(super) fn on_set(&mut self, set: &[u8]) -> Result<(), Error> {
        let head = set_head(set)?;
        let follows = self.trust.newest.checked_add(1) == Some(head.start);
        match self.trust.next {
            Some(wanted) if set_hash(set) == wanted && follows => {
                self.platform.put(SET, set).map_err(|_| Error::Platform)?;
                self.trust.next = None;
                self.asked.set = None;
                self.store_trust();
            }
            Some(_) => return Err(Error::OutOfOrder),
            None => {
                // Not trusted: it tells only which header may have ended the term that is known here.
                self.trust.hint = head.start.saturating_sub(1);
                self.asked.set = None;
            }
        }
        Ok(())
    }

    /// A record and its path.
    #[inline(never)]
    pub(super) fn on_record(
        &mut self,
        now: Millis,
        epoch: Epoch,
        bytes: &[u8],
        path: List<'_, Id>,
    ) -> Result<(), Error> {
        let record = Record::decode(bytes)?;
        let place = self
            .openings
            .iter()
            .position(|o| o.is_some_and(|o| o.epoch == epoch));
        let place = place.ok_or(Error::NotForMe)?;
        let opening = self.openings.get(place).copied().flatten();
        let mut opening = opening.ok_or(Error::NotForMe)?;
        if record.device != self.device || opening.standing.is_some() {
            return Err(Error::NotForMe);
        }
        // One record has one encoding, so the bytes that came are those under the root.
        merkle::verify_inclusion(
            &merkle::leaf_hash(bytes),
            record.index.0.into(),
            opening.members,
            path,
            &opening.table,
        )
        .map_err(|_| Error::Forged)?;
        opening.standing = Some(Standing {
            head: record.head_number,
            head_id: record.head_id,
            credits: record.credits,
            debits: record.debits,
            caps: record.caps,
            may_issue: record.may_issue() && record.key == self.key,
        });
        if let Some(slot) = self.openings.get_mut(place) {
            *slot = Some(opening);
        }
        if self.index.replace(record.index).is_none() {
            self.tell(Event::Member {
                index: record.index,
            });
        }
        if self.phase == Phase::Following {
            self.phase = Phase::Recovering;
        }
        self.learn_chain(&opening);
        self.judge();
        self.asked.soon(now);
        Ok(())
    }

    /// What a proved record says of the own chain.
    #[inline(never)]
    fn learn_chain(&mut self, opening: &Opening) {
        let Some(standing) = opening.standing else {
            return;
        };
        let chain = &mut self.chain;
        if chain.number == standing.head && chain.number > Number(0) {
            if chain.id != standing.head_id {
                self.double();
                return;
            }
            chain.debits = Some(standing.debits);
        } else if chain.number < standing.head || chain.number == Number(0) {
            let number = standing.head;
            *chain = Chain {
                number,
                id: standing.head_id,
                // It was settled by this header: not later than its cut, of no epoch after it.
                time: opening.clock,
                epoch: Epoch(opening.header().0.max(1)),
                exact: false,
                debits: Some(standing.debits),
            };
        }
    }

    /// Our key signed what our store does not know and the order of numbers forbids.
    #[inline(never)]
    pub(super) fn double(&mut self) {
        if self.phase != Phase::Stopped {
            self.phase = Phase::Stopped;
            self.candidate = None;
            self.tell(Event::Doubled);
        }
    }

    /// A neighbour shows our newest transaction that it holds.
    #[inline(never)]
    pub(super) fn on_show(
        &mut self,
        now: Millis,
        place: usize,
        member: MemberIndex,
        number: Number,
        proof: Option<(&[u8], Id)>,
    ) -> Result<(), Error> {
        if Some(member) != self.index || self.phase != Phase::Recovering {
            return Err(Error::NotForMe);
        }
        if number > self.chain.number {
            // Without proof it does not count: it is asked again, and others are.
            let (cose, parents) = proof.ok_or(Error::Forged)?;
            self.adopt(now, cose, &parents, number)?;
        }
        if let Some(peer) = self.peers.get_mut(place) {
            peer.answered = true;
        }
        let answers = self.peers.iter().filter(|p| p.used && p.answered).count();
        if u32::try_from(answers).unwrap_or(0) >= self.needed() {
            self.phase = Phase::Active;
            self.tell(Event::Recovered {
                number: self.chain.number,
            });
            self.asked.soon(now);
        }
        Ok(())
    }

    /// Goes on from a transaction that bears our own signature.
    #[inline(never)]
    fn adopt(
        &mut self,
        now: Millis,
        cose: &[u8],
        parents_hash: &Id,
        number: Number,
    ) -> Result<(), Error> {
        let terms = self.terms.as_ref().ok_or(Error::NotForMe)?;
        let tx = Outline::parse(cose, self.key.suite()).map_err(|_| Error::Forged)?;
        if Some(tx.issuer) != self.index || tx.number != number {
            return Err(Error::Forged);
        }
        let message = signing_input(
            &terms.neighbourhood,
            self.key.suite(),
            tx.payload,
            parents_hash,
            self.buffer,
        )
        .map_err(|_| Error::Forged)?;
        self.verifier
            .verify(&self.key, message, &tx.signature)
            .map_err(|_| Error::Forged)?;
        let clock = self.opening(tx.epoch).map(|o| o.clock);
        let ahead = self.absolute(now).ok_or(Error::Busy)?;
        let ahead = ahead.saturating_add(self.config.tolerance.0);
        self.chain = Chain {
            number,
            id: tx.id(&terms.neighbourhood),
            // Nobody took it from further ahead than the tolerance.
            time: clock.map_or(ahead, |c| c.saturating_add(tx.offset.into())),
            epoch: tx.epoch,
            exact: true,
            debits: tx.debits,
        };
        Ok(())
    }
}
