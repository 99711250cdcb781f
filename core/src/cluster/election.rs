//! Who is head: claims heard, one kept, the next in line ready before it is needed (decision 0020).
//!
//! Invariant: what is followed is the greatest claim heard, by [`Rank`] and then by time, so the order of arrival does not matter and all who heard the same follow
//! the same head. A lower term is never followed again. From the last word of a head until another of its hand-over list claims passes
//! less than one lease, whatever was lost since. A head has no power over the ledger.

use super::claim::{Claim, MAX_SUCCESSORS, Rank, Statement, tie};
use super::context::ContextId;
use crate::copy::gather;
use crate::types::{Epoch, Id, MemberIndex, Millis};
use heapless::Vec;

/// Candidates remembered at once, the best of those heard.
pub const MAX_CANDIDATES: usize = 8;
/// Terms that may pass in one lease: who claims a later one is refused.
const TERMS_PER_LEASE: u64 = 16;
/// Turns that somebody outside the hand-over list waits at most.
const MAX_TURNS: usize = 8;

/// What a device can bring to being a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capability {
    /// Fed from the mains.
    pub mains: bool,
    /// Free memory.
    pub free_kib: u32,
    /// Quality of the link to the gateway, 0 to 100.
    pub uplink: u8,
    /// Since the last reset.
    pub uptime: Millis,
    /// Charge, 0 to 100; not looked at on mains.
    pub battery: u8,
}

impl Capability {
    /// The score, 0 to 66, in coarse steps, so that it seldom changes; it never falls when one input grows.
    #[must_use]
    pub const fn score(&self) -> u16 {
        let memory = steps(self.free_kib as u64 / 8);
        let uplink = steps_of(self.uplink);
        let uptime = steps(self.uptime.0 / 600_000);
        let battery = if self.mains {
            7
        } else {
            steps_of(self.battery)
        };
        let mains = if self.mains { 24 } else { 0 };
        let sum = 2u16
            .saturating_mul(memory)
            .saturating_add(2u16.saturating_mul(uplink));
        sum.saturating_add(uptime)
            .saturating_add(battery)
            .saturating_add(mains)
    }
}

/// How many doublings, 0 to 7.
const fn steps(value: u64) -> u16 {
    let doublings = 64u32.saturating_sub(value.leading_zeros());
    if doublings > 7 { 7 } else { doublings as u16 }
}

/// Hundredths in eighths, 0 to 7.
const fn steps_of(percent: u8) -> u16 {
    let held = if percent > 99 { 99 } else { percent };
    (held as u16).saturating_mul(8) / 100
}

/// The times of the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// How long a head may be silent at most.
    pub length: Millis,
    /// How far clocks may differ; below an eighth of `length`.
    pub tolerance: Millis,
    /// Terms are counted from here: the start in the genesis.
    pub origin: Millis,
}

impl Lease {
    /// Whether an election can be held by these times.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub const fn check(&self) -> Result<(), LeaseError> {
        let length = self.length.0;
        if length < 64 || length > 1 << 31 || self.tolerance.0 >= length / 8 {
            return Err(LeaseError::Length);
        }
        Ok(())
    }
}

/// Why an election cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseError {
    /// Shorter than 64 ms, longer than 2^31 ms, or the tolerance is not below an eighth: give others.
    Length,
}

/// Something to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// Sign this and send it to all neighbours; keep the bytes while it is the newest of its kind.
    New(Statement),
    /// Send the newest claim of this device as head once more.
    Again,
}

/// What a claim that was heard came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is followed from now on: pass it on.
    Followed,
    /// A candidacy, noted: pass it on.
    Noted,
    /// Nothing new.
    Known,
    /// Below what is followed: send the greater one back to whoever sent it.
    Outranked,
    /// Of another cluster or of an epoch that is over.
    Elsewhere,
    /// From the future, longer than a lease or of a term that cannot have come yet: a wrong clock or a lie.
    Impossible,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    member: MemberIndex,
    score: u16,
    tie: u64,
    at: Millis,
    until: Millis,
}

impl Candidate {
    const fn rank(&self) -> Rank {
        Rank {
            term: 0,
            score: self.score,
            tie: self.tie,
            member: self.member,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Own {
    member: MemberIndex,
    device: Id,
    /// `None`: takes no part, only follows.
    score: Option<u16>,
    /// When it said last that it is ready.
    said: Option<Millis>,
    repeated: bool,
}

/// The election as one device sees it.
#[derive(Clone, Debug)]
pub struct Election {
    lease: Lease,
    neighbourhood: Id,
    /// The newest epoch's name, and the one before: epochs do not change everywhere at once.
    names: [(Epoch, ContextId); 2],
    own: Own,
    started: Millis,
    best: Option<Claim>,
    /// When the newest word of `best` counts as said: its own time, but not later than it was heard.
    spoke: Millis,
    candidates: Vec<Candidate, MAX_CANDIDATES>,
}

impl Election {
    /// An election in the cluster named `context` in `epoch`. With `score` the device may become head.
    pub fn new(
        lease: Lease,
        neighbourhood: Id,
        (epoch, context): (Epoch, ContextId),
        (member, device): (MemberIndex, Id),
        score: Option<u16>,
        now: Millis,
    ) -> Result<Self, LeaseError> {
        lease.check()?;
        Ok(Self {
            lease,
            neighbourhood,
            names: [(epoch, context); 2],
            own: Own {
                member,
                device,
                score,
                said: None,
                repeated: true,
            },
            started: now,
            best: None,
            spoke: Millis(0),
            candidates: Vec::new(),
        })
    }

    /// A new epoch gives the cluster a new name. Terms go on.
    pub fn set_epoch(&mut self, epoch: Epoch, context: ContextId) {
        let [(newest, _), _] = self.names;
        if epoch > newest {
            let [last, _] = self.names;
            self.names = [(epoch, context), last];
        }
    }

    /// The device became more or less able, or (`None`) wants to be head no more. As head it keeps its score for the term.
    pub fn set_score(&mut self, score: Option<u16>) {
        if self.own.score != score {
            self.own.score = score;
            self.own.said = None;
        }
    }

    /// The newest epoch whose name is used.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        let [(epoch, _), _] = self.names;
        epoch
    }

    /// The head, while its lease runs.
    #[must_use]
    pub fn head(&self, now: Millis) -> Option<MemberIndex> {
        let claim = self.best.as_ref()?.statement();
        (now < self.ends(claim)).then_some(claim.member)
    }

    /// Whether this device is head now.
    #[must_use]
    pub fn is_head(&self, now: Millis) -> bool {
        self.head(now) == Some(self.own.member)
    }

    /// The greatest term heard.
    #[must_use]
    pub fn term(&self) -> u32 {
        self.best.as_ref().map_or(0, |c| c.statement().term)
    }

    /// Who takes over from the head, in this order.
    #[must_use]
    pub fn successors(&self) -> &[MemberIndex] {
        self.best
            .as_ref()
            .map_or(&[], |c| c.statement().successors.as_slice())
    }

    /// The place of a member in the line: 0 for the head, then by the hand-over list.
    #[must_use]
    pub fn place(&self, member: MemberIndex) -> Option<u8> {
        let claim = self.best.as_ref()?.statement();
        if claim.member == member {
            return Some(0);
        }
        let at = claim.successors.iter().position(|m| *m == member)?;
        u8::try_from(at.saturating_add(1)).ok()
    }

    /// The lease ends by the clock of whoever looks, and is never longer than a lease after it was heard.
    fn ends(&self, claim: &Statement) -> Millis {
        let length = claim.until.0.saturating_sub(claim.at.0);
        self.spoke.saturating_add(length)
    }

    /// Takes a claim whose signature was verified.
    pub fn hear(&mut self, now: Millis, claim: &Claim) -> Heard {
        let s = claim.statement();
        let named = self
            .names
            .iter()
            .any(|(epoch, context)| *epoch == s.epoch && *context == s.context);
        if s.neighbourhood != self.neighbourhood || !named {
            return Heard::Elsewhere;
        }
        let late = s.at > now.saturating_add(self.lease.tolerance.0);
        let long = s.until > s.at.saturating_add(self.lease.length.0);
        let most = self.last_term(now.saturating_add(self.lease.tolerance.0));
        if late || long || u64::from(s.term) > most {
            return Heard::Impossible;
        }
        let noted = self.note(now, claim);
        if s.term == 0 {
            return if noted { Heard::Noted } else { Heard::Known };
        }
        let Some(best) = &self.best else {
            return self.follow(now, claim);
        };
        let newer = match claim.rank().cmp(&best.rank()) {
            core::cmp::Ordering::Greater => true,
            core::cmp::Ordering::Less => return Heard::Outranked,
            core::cmp::Ordering::Equal => later(s, best.statement()),
        };
        match newer {
            true => self.follow(now, claim),
            false => Heard::Known,
        }
    }

    fn follow(&mut self, now: Millis, claim: &Claim) -> Heard {
        self.spoke = claim.statement().at.min(now);
        self.best = Some(claim.clone());
        Heard::Followed
    }

    /// Remembers who is ready to be head, the best of them. True where it is news.
    fn note(&mut self, now: Millis, claim: &Claim) -> bool {
        let s = claim.statement();
        if s.member == self.own.member {
            return false;
        }
        let one = Candidate {
            member: s.member,
            score: s.score,
            tie: claim.turn(),
            at: s.at,
            until: s.until.min(now.saturating_add(self.lease.length.0)),
        };
        if let Some(known) = self.candidates.iter_mut().find(|c| c.member == s.member) {
            let news = one.at > known.at;
            if news {
                *known = one;
            }
            return news;
        }
        self.candidates.retain(|c| c.until > now);
        if self.candidates.is_full() {
            let worst = self.candidates.iter().map(Candidate::rank).min();
            if worst.is_some_and(|w| w >= one.rank()) {
                return false;
            }
            self.candidates.retain(|c| Some(c.rank()) != worst);
        }
        self.candidates.push(one).is_ok()
    }

    /// The greatest term that can have come by then.
    fn last_term(&self, at: Millis) -> u64 {
        let passed = at.0.saturating_sub(self.lease.origin.0);
        let terms = passed
            .saturating_mul(TERMS_PER_LEASE)
            .checked_div(self.lease.length.0);
        terms.unwrap_or(0).saturating_add(1)
    }

    /// What is due to be said now. Call it until `None`, after `hear` and at every [`Election::deadline`].
    pub fn tick(&mut self, now: Millis) -> Option<Say> {
        let score = self.own.score?;
        if self.is_head(now) {
            return self.renew(now);
        }
        if now >= self.claims_at(now, score) {
            let term = u32::try_from(u64::from(self.term()).saturating_add(1)).ok()?;
            return Some(self.claim(now, term, score, self.lease.length));
        }
        if now >= self.ready_at() {
            self.own.said = Some(now);
            return Some(Say::New(self.statement(now, 0, score, self.lease.length)));
        }
        None
    }

    fn renew(&mut self, now: Millis) -> Option<Say> {
        let best = self.best.as_ref()?;
        let (term, score) = (best.statement().term, best.statement().score);
        if now >= self.spoke.saturating_add(self.renewal()) {
            return Some(self.claim(now, term, score, self.lease.length));
        }
        if !self.own.repeated && now >= self.spoke.saturating_add(self.renewal() / 2) {
            self.own.repeated = true;
            return Some(Say::Again);
        }
        None
    }

    /// A quarter of the lease, a little less, so that two renewals and a repetition come before half of it.
    const fn renewal(&self) -> u64 {
        let length = self.lease.length.0;
        (length / 4).saturating_sub(length / 32)
    }

    /// Lays the lease down: the first of the list may claim at once. `None` where this device is not head.
    pub fn resign(&mut self, now: Millis) -> Option<Say> {
        if !self.is_head(now) {
            return None;
        }
        let best = self.best.as_ref()?.statement();
        let (term, score) = (best.term, best.score);
        // Only a later word of the same term replaces the one before.
        let at = now.max(best.at.saturating_add(1));
        Some(self.claim(at, term, score, Millis(0)))
    }

    fn claim(&mut self, now: Millis, term: u32, score: u16, length: Millis) -> Say {
        let statement = self.statement(now, term, score, length);
        self.best = Some(Claim::own(statement.clone(), &self.own.device));
        self.spoke = now;
        self.own.repeated = false;
        Say::New(statement)
    }

    fn statement(&self, now: Millis, term: u32, score: u16, length: Millis) -> Statement {
        let [(epoch, context), _] = self.names;
        let mut successors = Vec::new();
        if term > 0 {
            let mut ranks: Vec<Rank, MAX_CANDIDATES> = gather(self.live(now).map(Candidate::rank));
            crate::order::sort_few(&mut ranks, |a, b| a > b);
            for rank in ranks.iter().take(MAX_SUCCESSORS) {
                let _ = successors.push(rank.member);
            }
        }
        Statement {
            neighbourhood: self.neighbourhood,
            context,
            epoch,
            member: self.own.member,
            term,
            score,
            at: now,
            until: now.saturating_add(length.0),
            successors,
        }
    }

    fn live(&self, now: Millis) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter().filter(move |c| c.until > now)
    }

    /// When this device claims if nothing more is heard.
    fn claims_at(&self, now: Millis, score: u16) -> Millis {
        let length = self.lease.length.0;
        // After a start it listens first: a renewal comes every quarter, twice.
        let heard = self.started.saturating_add(length / 4);
        let due = match (self.best.as_ref(), self.turn()) {
            (Some(claim), Some(turn)) => {
                let laid_down = claim.statement().until == claim.statement().at;
                let wait = if laid_down {
                    u64::from(turn).saturating_mul(length / 4)
                } else {
                    let rest = length.checked_shr(u32::from(turn).saturating_add(1));
                    length.saturating_sub(rest.unwrap_or(0))
                };
                self.spoke.saturating_add(wait)
            }
            (claim, _) => {
                let free = claim.map_or(self.started, |c| self.ends(c.statement()));
                let own = Rank {
                    term: 0,
                    score,
                    tie: tie(self.epoch().0, &self.own.device),
                    member: self.own.member,
                };
                let before = self.live(now).filter(|c| c.rank() > own).count();
                let turns = u64::try_from(before.min(MAX_TURNS)).unwrap_or(0);
                free.max(self.started)
                    .saturating_add(length / 2)
                    .saturating_add(turns.saturating_mul(length / 4))
            }
        };
        // A liar may have used up the terms of the moment: then the next one is a sixteenth of a lease away.
        let open = u64::from(self.term())
            .saturating_mul(length)
            .div_ceil(TERMS_PER_LEASE);
        due.max(heard).max(self.lease.origin.saturating_add(open))
    }

    fn turn(&self) -> Option<u8> {
        self.place(self.own.member)?.checked_sub(1)
    }

    fn ready_at(&self) -> Millis {
        let half = self.lease.length.0 / 2;
        self.own
            .said
            .map_or(self.started, |said| said.saturating_add(half))
    }

    /// When `tick` has something to do next, if nothing is heard before.
    #[must_use]
    pub fn deadline(&self, now: Millis) -> Option<Millis> {
        let score = self.own.score?;
        if self.is_head(now) {
            let wait = match self.own.repeated {
                true => self.renewal(),
                false => self.renewal() / 2,
            };
            return Some(self.spoke.saturating_add(wait));
        }
        Some(self.claims_at(now, score).min(self.ready_at()))
    }
}

/// Whether `a` is the later word of one claimant in one term.
fn later(a: &Statement, b: &Statement) -> bool {
    // At one time two different words are a claimant's own fault; the greater bytes are followed, as everywhere.
    let key = |s: &Statement| (s.at, s.until, s.epoch);
    let order = key(a).cmp(&key(b));
    order.then_with(|| a.successors.cmp(&b.successors)) == core::cmp::Ordering::Greater
}

#[cfg(test)]
mod tests;
