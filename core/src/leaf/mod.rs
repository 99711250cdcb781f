//! The leaf: a member too small for a window. It signs its own transactions, and takes nobody's word for what decides their validity.
//!
//! Invariant: once signed and stored, exactly these bytes are ever sent for their number; and nothing is signed before everything that
//! validity depends on is known: from the own store, from a header under a quorum of votes, or from q distinct neighbours besides the one that made the
//! offer (decision 0020). Sans-IO like the node: frames and time go in, frames and events come out; one frame buffer is all the memory beside the struct.
//!
//! `enrol` asks to be let in and `attest` says what runs here, `sign` waits for who holds the key, `trust` holds what is proved (genesis, headers, own record), `issue` the way from a submission to a signed transaction, `watch` what became of it,
//! `work` what to ask whom.

mod attest;
mod enrol;
mod issue;
#[cfg(test)]
mod joining;
#[cfg(test)]
mod power;
mod sign;
#[cfg(test)]
mod signer_tests;
mod state;
mod store;
#[cfg(test)]
mod tests;
mod trust;
mod watch;
mod work;

pub use sign::LeafSigner;
pub use state::{Config, Error, Event, Phase, Status, Submission};

use crate::crypto::{PublicKey, Software, Verify};
use crate::identity::CoseKey;
use crate::platform::Platform;
use crate::rollback::Guard;
use crate::types::{Epoch, Id, MemberIndex, Millis, Peer};
use crate::wire::near::Near;
use crate::wire::{Frame, FrameError};
use heapless::Deque;
use state::{Candidate, Chain, Followed, Neighbour, Opening, Pending, Terms, Trust};

/// Neighbours that a leaf knows at most.
pub const MAX_NEIGHBOURS: usize = 8;
/// Own transactions followed at once; a submission waits while none of these places is free.
pub const FOLLOWED: usize = 4;
/// Tips that a transaction stands on at most, its own previous one not counted.
pub const TIPS: usize = 2;

/// The leaf. `P` is the device's platform, `V` the verifier of signatures.
#[derive(Debug)]
pub struct Leaf<'m, P: Platform, V: Verify = Software> {
    config: Config,
    platform: P,
    verifier: V,
    signer: LeafSigner,
    key: PublicKey,
    device: Id,
    buffer: &'m mut [u8],

    terms: Option<Terms>,
    trust: Trust,
    pending: Option<Pending>,
    /// The newest first.
    openings: [Option<Opening>; 2],
    index: Option<MemberIndex>,
    phase: Phase,

    chain: Chain,
    guard: Guard,
    /// The ticket of the submission in the store.
    wish: Option<u32>,
    tickets: u32,
    candidate: Option<Candidate>,
    followed: [Option<Followed>; FOLLOWED],

    peers: [Neighbour; MAX_NEIGHBOURS],
    head: Option<usize>,
    turn: usize,
    offset: Option<i64>,
    asked: work::Timers,
    enrolment: enrol::Enrolment,
    attesting: attest::Attesting,
    signing: Option<sign::Signing>,
    /// Until then a signer that failed is left alone.
    sign_due: Millis,
    events: Deque<Event, 8>,
    lost: u32,
}

impl<'m, P: Platform, V: Verify> Leaf<'m, P, V> {
    /// Starts a leaf from its store. `buffer` has at least [`MAX_FRAME`] bytes; its contents do not matter.
    ///
    /// # Errors
    /// [`Error::Memory`] for a short buffer, [`Error::Platform`] where the store cannot be read.
    pub fn new(
        config: Config,
        signer: impl Into<LeafSigner>,
        platform: P,
        verifier: V,
        buffer: &'m mut [u8],
    ) -> Result<Self, Error> {
        let signer = signer.into();
        let device = config.device;
        let device = device.unwrap_or_else(|| CoseKey::thumbprint(&signer.public_key()));
        let mut leaf = Self::unloaded(&config, device, signer, platform, verifier, buffer);
        leaf.load()?;
        Ok(leaf)
    }

    /// A leaf that has not read its store yet, of this account: for who builds it where it stays, since it is too large for a small stack. [`Leaf::load`] before anything else.
    #[inline(never)]
    pub fn unloaded(
        config: &Config,
        device: Id,
        signer: LeafSigner,
        platform: P,
        verifier: V,
        buffer: &'m mut [u8],
    ) -> Self {
        let key = signer.public_key();
        Self {
            offset: config.clock,
            config: *config,
            platform,
            verifier,
            signer,
            key,
            device,
            buffer,
            terms: None,
            trust: Trust::default(),
            pending: None,
            openings: [None, None],
            index: None,
            phase: Phase::Outside,
            chain: Chain::default(),
            guard: Guard::default(),
            wish: None,
            tickets: 0,
            candidate: None,
            followed: nothing_followed(),
            peers: nobody(),
            head: None,
            turn: 0,
            asked: work::Timers::default(),
            enrolment: enrol::Enrolment::default(),
            attesting: attest::Attesting::default(),
            signing: None,
            sign_due: Millis(0),
            events: Deque::new(),
            lost: 0,
        }
    }

    /// Gives back the platform.
    pub fn into_platform(self) -> P {
        self.platform
    }

    /// The platform.
    pub const fn platform_mut(&mut self) -> &mut P {
        &mut self.platform
    }

    /// Adds a neighbour. `uplink`: a gateway or validator, which can prove single transactions.
    ///
    /// # Errors
    /// [`Error::Busy`] where all places are taken.
    #[inline(never)]
    pub fn add_peer(&mut self, peer: Peer, uplink: bool) -> Result<(), Error> {
        let known = self.peers.iter().position(|p| p.is(peer));
        let free = || self.peers.iter().position(|p| !p.used);
        let place = known.or_else(free).ok_or(Error::Busy)?;
        let slot = self.peers.get_mut(place).ok_or(Error::Busy)?;
        *slot = Neighbour {
            used: true,
            uplink,
            handle: peer.0,
            ..Neighbour::NOBODY
        };
        Ok(())
    }

    /// Forgets a neighbour.
    #[inline(never)]
    pub fn remove_peer(&mut self, peer: Peer) {
        let Some(place) = self.peers.iter().position(|p| p.is(peer)) else {
            return;
        };
        if let Some(slot) = self.peers.get_mut(place) {
            *slot = Neighbour::NOBODY;
        }
        let bit = !bit(place);
        for followed in self.followed.iter_mut().flatten() {
            followed.held &= bit;
            followed.approved &= bit;
        }
        if self.head == Some(place) {
            self.head = None;
        }
        if self.candidate.as_ref().is_some_and(|c| c.by == place) {
            self.candidate = None;
        }
    }

    /// Takes one frame from a neighbour.
    ///
    /// # Errors
    /// Why it was refused; nothing changed then.
    #[inline(never)]
    pub fn receive(&mut self, now: Millis, from: Peer, bytes: &[u8]) -> Result<(), Error> {
        let place = self.peers.iter().position(|p| p.is(from));
        let place = place.ok_or(Error::NotForMe)?;
        let (tag, frame) = Frame::parse_leaf(bytes).map_err(|e| match e {
            FrameError::UnknownType => Error::NotForMe,
            other => Error::Frame(other),
        })?;
        let ours = self.terms.as_ref().map(|t| t.neighbourhood.tag());
        let unbound = frame.frame_type().may_be_unbound();
        if !unbound && ours != Some(tag) {
            return Err(Error::Neighbourhood);
        }
        match frame {
            Frame::Genesis { cose, set } => self.on_genesis(cose, set),
            Frame::EnrolResult { device, status, .. } => self.on_enrol_result(device, status),
            Frame::Challenge { device, challenge } => self.on_challenge(now, &device, challenge),
            Frame::Beacon {
                now: time, header, ..
            } => {
                self.on_standing(now, place, time, header);
                Ok(())
            }
            Frame::Header { cose, path } => self.on_header(now, cose, path),
            Frame::Votes { header, votes } => self.on_votes(now, header, votes),
            Frame::Set(set) => self.on_set(set),
            Frame::Proof {
                header,
                id,
                leaf,
                size,
                path,
            } => self.on_proof(header, &id, (leaf, size), path),
            Frame::Request(prefixes) => {
                self.on_request(place, prefixes);
                Ok(())
            }
            Frame::Near(near) => self.on_near(now, place, near),
            _ => Err(Error::NotForMe),
        }
    }

    #[inline(never)]
    fn on_near(&mut self, now: Millis, place: usize, near: Near<'_>) -> Result<(), Error> {
        match near {
            Near::Offer {
                place: line,
                term,
                now: time,
                header,
                tips,
            } => {
                self.on_standing(now, place, time, header);
                self.on_offer(now, place, (term, line), tips);
                Ok(())
            }
            Near::Witness(seen) => {
                for sighting in seen {
                    self.on_sighting(now, place, &sighting);
                }
                Ok(())
            }
            Near::Record {
                epoch,
                record,
                path,
            } => self.on_record(now, epoch, record.0, path),
            Near::Show {
                member,
                number,
                proof,
            } => self.on_show(now, place, member, number, proof),
            _ => Err(Error::NotForMe),
        }
    }

    /// The next thing the application may act on. Pull until `None` after every other call.
    #[inline(never)]
    pub fn next_event(&mut self) -> Option<Event> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        let count = core::mem::take(&mut self.lost);
        (count > 0).then_some(Event::Lost { count })
    }

    #[inline(never)]
    fn tell(&mut self, event: Event) {
        if self.events.push_back(event).is_err() {
            self.lost = self.lost.saturating_add(1);
        }
    }

    /// What the leaf says of itself.
    #[must_use]
    #[inline(never)]
    pub fn status(&self) -> Status {
        let newest = self.openings.first().and_then(Option::as_ref);
        let standing = newest.and_then(|o| o.standing);
        Status {
            phase: self.phase,
            device: self.device,
            neighbourhood: self.terms.as_ref().map_or(Id::ZERO, |t| t.neighbourhood),
            index: self.index,
            epoch: newest.map_or(Epoch(0), |o| o.epoch),
            credits: standing.map_or_else(Default::default, |s| s.credits),
            debits: self.chain.debits,
            number: self.chain.number,
            waiting: self.wish.is_some(),
            unsettled: u8::try_from(self.open().count()).unwrap_or(u8::MAX),
            head: self.head_peer(),
        }
    }

    fn head_peer(&self) -> Option<Peer> {
        let peer = self.peers.get(self.head?)?;
        peer.used.then_some(Peer(peer.handle))
    }

    /// Absolute time, once it is known.
    fn absolute(&self, now: Millis) -> Option<Millis> {
        let offset = self.offset?;
        Some(Millis(now.0.saturating_add_signed(offset)))
    }

    /// q of the neighbourhood, at least 1.
    fn needed(&self) -> u32 {
        let q = self.terms.as_ref().map_or(1, |t| t.neighbours);
        u32::from(q.max(1))
    }

    /// Own transactions whose end is awaited.
    fn open(&self) -> impl Iterator<Item = &Followed> {
        self.followed.iter().flatten().filter(|f| !f.over)
    }

    fn opening(&self, epoch: Epoch) -> Option<&Opening> {
        self.openings.iter().flatten().find(|o| o.epoch == epoch)
    }
}

// Called, so that what they give is made where it stays and not on the stack first.
#[inline(never)]
const fn nothing_followed() -> [Option<Followed>; FOLLOWED] {
    [const { None }; FOLLOWED]
}

#[inline(never)]
const fn nobody() -> [Neighbour; MAX_NEIGHBOURS] {
    [const { Neighbour::NOBODY }; MAX_NEIGHBOURS]
}

/// The bit of a neighbour's place.
fn bit(place: usize) -> u8 {
    u32::try_from(place)
        .ok()
        .and_then(|shift| 1u8.checked_shl(shift))
        .unwrap_or(0)
}
