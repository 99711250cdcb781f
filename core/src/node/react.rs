//! What a new vertex means: payments, readings, grades, cheats.

use super::event::{Event, Grade, Refusal, Ticket};
use super::intake::{Said, Source, body_of, split};
use super::own::{Followed, STORED_MAX, Stored};
use super::{Evidence, Node, Phase, Submission, keys};
use crate::crypto::Verify;
use crate::platform::Platform;
use crate::rules::{self, Rule};
use crate::tangle::{Change, Effect, Facts, Standing, Tables as _, TrackError};
use crate::tx::{APPROVAL, Body, MemberOp, Unverified};
use crate::{Amount, HeaderNumber, Id, MemberIndex, Millis};
use heapless::Vec;

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// What a new vertex means for this node and its application.
    pub(crate) fn after_insert(
        &mut self,
        now: Millis,
        source: Source,
        sequence: u32,
        facts: &Facts,
        parents: &[Id],
        body: &[u8],
    ) {
        self.counters.inserted = self.counters.inserted.wrapping_add(1);
        self.known.clear(sequence);
        match source {
            Source::Neighbour(_, place) => self.known.set(sequence, place),
            Source::Aside(peer) => {
                if let Some(place) = self.peers.place(peer) {
                    self.known.set(sequence, place);
                }
            }
            Source::Store => {}
        }
        self.note_value(facts);
        self.wants.done(&facts.id.prefix());
        self.aside.wake(&facts.id.prefix());
        let mine = Some(facts.issuer) == self.index;
        if mine && facts.number > self.own.highest() && source != Source::Store {
            // Signed with our key, and we do not know it: the store is older than the ledger.
            self.recover(now);
            return;
        }
        if let Effect::Trim { cut, .. } = facts.effect
            && !rules::on(Rule::Prune)
        {
            self.tangle.prune(cut);
        }
        match facts.effect {
            Effect::Transfer { to, amount, .. } if Some(to) == self.index && !mine => {
                self.on_payment(facts, parents, amount, body);
            }
            Effect::Lock { to, amount, .. } if Some(to) == self.index && !mine => {
                self.on_payment(facts, parents, amount, body);
            }
            Effect::Claim if !mine => {
                if let Some((_, Said::Claim(lock))) = self.raw.get(sequence).and_then(body_of)
                    && self.own.get(&lock).is_some_and(|followed| followed.own)
                {
                    self.tell(Event::Claimed { id: facts.id, lock });
                }
            }
            Effect::None if !mine => {
                let (id, issuer) = (facts.id, facts.issuer);
                let data = Said::Data { service: false };
                match self.raw.get(sequence).and_then(body_of) {
                    Some((body, said)) if said == data && body == APPROVAL => {}
                    Some((_, Said::Channel(op))) => self.tell(Event::Channel { id, issuer, op }),
                    other => self.tell(Event::Data {
                        id,
                        issuer,
                        service: other.is_some_and(|(_, said)| said != data),
                    }),
                }
            }
            _ => {}
        }
        if mine && self.own.get(&facts.id).is_some() {
            self.track(&facts.id);
        }
    }

    #[inline(never)]
    fn on_payment(&mut self, facts: &Facts, parents: &[Id], amount: Amount, body: &[u8]) {
        let caps = self
            .index
            .and_then(|i| self.tables.latest(i))
            .map(|r| r.caps)
            .unwrap_or_default();
        let (one, all) = self.own.claims(facts.issuer);
        let over_cap = (amount > caps.tx
            || one.saturating_add(amount.0) > caps.peer
            || all.saturating_add(amount.0) > caps.exposure)
            && rules::on(Rule::Caps);
        let followed = Followed {
            used: true,
            own: false,
            id: facts.id,
            number: facts.number,
            ticket: Ticket(0),
            time: facts.time,
            epoch: facts.epoch,
            amount,
            peer: Some(facts.issuer),
            grade: Grade::Seen,
            header: HeaderNumber(0),
            proof_due: Millis(0),
            proof_tries: 0,
        };
        if self.own.get(&facts.id).is_none() {
            let stored = Stored {
                followed,
                parents: Vec::from_slice(parents).unwrap_or_default(),
                body,
            };
            if self
                .own
                .store(&self.limits, &mut self.platform, &stored)
                .is_err()
            {
                self.tell(Event::PlatformFailed);
            }
            self.own.follow(followed);
        }
        self.track(&facts.id);
        let (id, from) = (facts.id, facts.issuer);
        self.tell(match facts.effect {
            Effect::Lock { .. } => Event::Locked {
                id,
                from,
                amount,
                time: facts.time,
                over_cap,
            },
            _ => Event::Received {
                id,
                from,
                amount,
                over_cap,
            },
        });
    }

    /// Follows the finality of a transaction; what has its Quorum makes room.
    pub(crate) fn track(&mut self, id: &Id) {
        if self.tangle.track(&self.tables, id) != Err(TrackError::Full) {
            return;
        }
        let done = self
            .own
            .iter()
            .filter(|f| f.grade != Grade::Seen && f.grade != Grade::Witnessed)
            .filter(|f| self.tangle.standing(&f.id).is_some())
            .min_by_key(|f| f.time)
            .or_else(|| {
                self.own
                    .iter()
                    .filter(|f| self.tangle.standing(&f.id).is_some())
                    .min_by_key(|f| f.time)
            })
            .map(|f| f.id);
        if let Some(done) = done {
            self.tangle.untrack(&done);
            let _ = self.tangle.track(&self.tables, id);
        }
    }

    pub(crate) fn raise(&mut self, now: Millis, id: &Id, grade: Grade) {
        let at = self.absolute(now);
        let Some(followed) = self.own.get_mut(id) else {
            return;
        };
        let rises = match (followed.grade, grade) {
            (Grade::Dead, _) => false,
            (from, Grade::Dead) => matches!(from, Grade::Seen | Grade::Witnessed),
            (from, to) => to > from,
        };
        if rises {
            followed.grade = grade;
            self.tell(Event::Graded { id: *id, grade, at });
        }
    }

    /// A settled table says which followed transactions are dead: what is at or below the cut, or of an epoch that is void from here on, and above
    /// the member's last living number never will have an effect. A later one of the same member may live, in an epoch to come: so the table
    /// of then has to be looked at, where it is still here, and not only the newest.
    pub(crate) fn bury_the_dead(&mut self, now: Millis) {
        // Of the header that opened this table, not of a newer one whose table is still on its way: what that one settled lives.
        let newest = self.tables.newest();
        let held = [0, 1, 2].map(|back| newest.saturating_sub(back));
        self.unburied = false;
        let mut place = 0usize;
        while let Some(followed) = self.own.place(place) {
            let followed = &{ *followed };
            place = place.saturating_add(1);
            let issuer = if followed.own {
                self.index
            } else {
                followed.peer
            };
            let Some(issuer) = issuer else {
                continue;
            };
            let open = followed.used && matches!(followed.grade, Grade::Seen | Grade::Witnessed);
            let is_dead = open
                && held.iter().any(|&epoch| {
                    let cut = self.tables.clock_start(epoch);
                    let over = cut.is_some_and(|cut| followed.time <= cut)
                        || followed.epoch.is_void_from(epoch);
                    over && (self.tables.read(&mut self.platform, epoch, issuer))
                        .is_ok_and(|r| r.is_some_and(|r| followed.number > r.head_number))
                });
            if !is_dead {
                continue;
            }
            // It is not told to be dead before what it said is safe in the outbox.
            if followed.own && self.reissue(followed).is_err() {
                self.unburied = true;
                continue;
            }
            self.raise(now, &followed.id, Grade::Dead);
            self.tangle.raise(&followed.id, Standing::Dead);
            self.tangle.untrack(&followed.id);
            if followed.own {
                // Kept, since what was issued on top of it is replayed after a reset; marked, so that it is not issued a second time.
                let marked = self
                    .own
                    .mark_dead(&self.limits, &mut self.platform, followed);
                if marked.is_err() {
                    self.tell(Event::PlatformFailed);
                }
            } else {
                self.own
                    .forget_stored(&self.limits, &mut self.platform, followed);
            }
        }
        self.timers.issue = self.timers.issue.min(now);
    }

    /// What a dead own transaction said goes into the outbox again: under a new number, on top of the dead one.
    ///
    /// # Errors
    /// There is no room or the store failed: it is tried again. What cannot be read any more, or says nothing by now, is no error.
    #[inline(never)]
    fn reissue(&mut self, followed: &Followed) -> Result<(), Refusal> {
        let mut buffer = [0u8; STORED_MAX];
        let key = keys::own(&self.limits, followed.number.0);
        let found = self.platform.get(key, &mut buffer);
        let Some(len) = found.map_err(|_| Refusal::Platform)? else {
            return Ok(());
        };
        let Ok(stored) = Stored::read(buffer.get(..len).unwrap_or(&[])) else {
            return Ok(());
        };
        if stored.followed.id != followed.id {
            return Ok(());
        }
        let Ok((cose, _)) = split(stored.body) else {
            return Ok(());
        };
        let Ok(tx) = Unverified::parse(cose) else {
            return Ok(());
        };
        let submission = match tx.payload().body {
            Body::Data(body) => Submission::Data(body),
            Body::Service(body) => Submission::Service(body),
            Body::Transfer { to, amount, .. } => Submission::Transfer { to, amount },
            Body::Lock {
                to,
                amount,
                term,
                terms,
                ..
            } => Submission::Lock {
                to,
                amount,
                term,
                terms,
            },
            Body::Claim { lock, last, proof } => Submission::Claim { lock, last, proof },
            Body::Exit { amount, target, .. } => Submission::Exit { amount, target },
            Body::Member(MemberOp::Leave) => Submission::Leave,
            Body::Channel(op) => Submission::Channel(op),
            // A trim is void by now, joins come again from the gateway's own list, evidence is in the ledger or found again.
            Body::Trim { .. } | Body::Member(_) | Body::Evidence { .. } => {
                return Ok(());
            }
        };
        let dead = followed.id;
        let ticket = self
            .outbox
            .push(&mut self.platform, &submission, None, Some(&dead))?;
        self.tell(Event::Reissued { dead, ticket });
        self.store_meta();
        Ok(())
    }

    /// Acts on everything that the tangle found.
    pub(crate) fn pull_changes(&mut self, now: Millis) {
        while let Some(change) = self.tangle.next_change() {
            match change {
                Change::Witnessed(id) => self.raise(now, &id, Grade::Witnessed),
                Change::Quorum(id) => {
                    self.raise(now, &id, Grade::Quorum);
                    if self.own.get(&id).is_some() {
                        self.tangle.untrack(&id);
                    }
                }
                Change::TrimCertified { id, cut } => self.tell(Event::TrimCertified { id, cut }),
                Change::Equivocation { offender, a, b } | Change::RivalTrims { offender, a, b } => {
                    self.on_equivocation(now, offender, a, b);
                }
                Change::Frozen(member) => self.tell(Event::Frozen { member }),
                Change::Evicted(_) | Change::Untracked(_) => {}
            }
        }
    }

    #[inline(never)]
    fn on_equivocation(&mut self, now: Millis, offender: MemberIndex, a: Id, b: Id) {
        self.tell(Event::Equivocation { offender, a, b });
        if Some(offender) == self.index {
            self.recover(now);
            return;
        }
        let known =
            self.tangle.frozen(offender) || self.evidence.iter().any(|e| e.offender == offender);
        if known || self.phase != Phase::Active {
            return;
        }
        // Everybody sees it at about the same time; a random wait lets one speak for all.
        let mut random = [0u8; 2];
        let wait = match self.platform.random(&mut random) {
            Ok(()) => u64::from(u16::from_le_bytes(random)) % 500,
            Err(_) => 250,
        };
        let due = now.saturating_add(wait);
        self.timers.issue = self.timers.issue.min(due);
        let _ = self.evidence.push_back(Evidence {
            offender,
            a,
            b,
            due,
        });
    }

    /// What was told, after a vertex was raised by its receipt.
    pub(crate) fn settle_grade(&mut self, now: Millis, id: &Id) {
        self.raise(now, id, Grade::Settled);
        if (self.own.get(id)).is_some_and(|followed| self.is_anchored(followed.header)) {
            self.raise(now, id, Grade::Anchored);
        }
        // Its place and its exposure are free: something that waited for them may go.
        self.timers.issue = self.timers.issue.min(now);
        self.tangle.raise(id, Standing::Quorum);
        self.tangle.untrack(id);
    }
}
