//! What a node knows of each neighbour: what it has, what it asked for, and how much of us it may use.

use super::bucket::{Bucket, Rate};
use super::event::Peer;
use super::round_trip::RoundTrip;
use super::tune::Pace;
use crate::{HeaderNumber, Millis};

/// Frames per second and burst that one neighbour may send.
pub(crate) const PEER_RATE: Rate = Rate {
    per_second: 2000,
    burst: 4000,
};

/// The same for an uplink: a node of our own choice, which may pass on what a whole neighbourhood says.
pub(crate) const UPLINK_RATE: Rate = Rate {
    per_second: 20_000,
    burst: 40_000,
};

/// State of one neighbour. The bits "has this vertex" are kept beside, per window slot.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeerState {
    pub(crate) used: bool,
    pub(crate) uplink: bool,
    /// It gets every transaction unasked.
    pub(crate) fed: bool,
    /// It holds no window: nothing is announced or pushed to it, and it counts for nobody's `Quorum`.
    pub(crate) leaf: bool,
    pub(crate) handle: u16,
    pub(crate) bucket: Bucket,
    pub(crate) heard: Millis,
    pub(crate) ever_heard: bool,
    /// Next sequence number to look at for announcements.
    pub(crate) cursor: u32,
    /// Next sequence number to look at for pushes of own transactions.
    pub(crate) pushed: u32,
    pub(crate) announced: Millis,
    pub(crate) beacon: Millis,
    /// Beacons since the last news, and the insertion number up to which the last one told.
    pub(crate) calm: u8,
    pub(crate) told: u32,
    pub(crate) header: HeaderNumber,
    /// What its last beacon says about absolute minus local time.
    pub(crate) clock: Option<i64>,
    /// How long it takes to answer.
    pub(crate) round_trip: RoundTrip,
}

/// The neighbours over caller memory. A neighbour's place is its bit in the "has" sets.
#[derive(Debug)]
pub struct Peers<'m> {
    places: &'m mut [PeerState],
}

impl PeerState {
    pub(crate) const fn rate(&self) -> Rate {
        match self.uplink {
            true => UPLINK_RATE,
            false => PEER_RATE,
        }
    }

    /// When it is to get the next beacon, `next` being the next insertion number. What was announced to it a moment ago needs none.
    pub(crate) fn beacon_due(&self, pace: Pace, next: u32) -> Millis {
        let calm = match self.told == next {
            true => self.calm,
            false => 0,
        };
        let heard = self.beacon.max(self.announced);
        let due = heard.saturating_add(pace.after(calm).0);
        // Time and header number are told by beacons only.
        due.min(self.beacon.saturating_add(pace.longest().0))
    }
}

impl<'m> Peers<'m> {
    pub(crate) fn new(places: &'m mut [PeerState]) -> Self {
        places.fill(PeerState::default());
        Self { places }
    }

    pub(crate) fn into_inner(self) -> &'m mut [PeerState] {
        self.places
    }

    /// The place of a neighbour.
    pub(crate) fn place(&self, peer: Peer) -> Option<usize> {
        self.places
            .iter()
            .position(|p| p.used && p.handle == peer.0)
    }

    pub(crate) fn get(&self, place: usize) -> Option<&PeerState> {
        self.places.get(place).filter(|p| p.used)
    }

    pub(crate) fn get_mut(&mut self, place: usize) -> Option<&mut PeerState> {
        self.places.get_mut(place).filter(|p| p.used)
    }

    /// Adds or updates a neighbour; `None` where there is no room.
    pub(crate) fn add(
        &mut self,
        now: Millis,
        peer: Peer,
        uplink: bool,
        cursor: u32,
    ) -> Option<usize> {
        if let Some(place) = self.place(peer) {
            if let Some(state) = self.places.get_mut(place) {
                state.uplink = uplink;
            }
            return Some(place);
        }
        let place = self.places.iter().position(|p| !p.used)?;
        *self.places.get_mut(place)? = PeerState {
            used: true,
            uplink,
            fed: false,
            leaf: false,
            handle: peer.0,
            bucket: Bucket::full(now, PEER_RATE),
            heard: now,
            ever_heard: false,
            cursor,
            pushed: cursor,
            announced: now,
            beacon: Millis(0),
            calm: 0,
            told: cursor,
            header: HeaderNumber(0),
            clock: None,
            round_trip: RoundTrip::default(),
        };
        Some(place)
    }

    pub(crate) fn remove(&mut self, peer: Peer) -> Option<usize> {
        let place = self.place(peer)?;
        if let Some(state) = self.places.get_mut(place) {
            state.used = false;
        }
        Some(place)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &PeerState)> {
        self.places.iter().enumerate().filter(|(_, p)| p.used)
    }

    pub(crate) fn capacity(&self) -> usize {
        self.places.len()
    }

    /// Another neighbour to ask than `peer`: first one through which the gateway is reached, which has what everybody else forgot; then another
    /// that was heard, else itself.
    pub(crate) fn other(&self, peer: Peer, turn: u8) -> Peer {
        let count = self.iter().filter(|(_, p)| p.ever_heard).count();
        if count == 0 {
            return peer;
        }
        let mut uplinks = self.iter().filter(|(_, p)| p.uplink && p.ever_heard);
        if turn == 1
            && let Some((_, uplink)) = uplinks.find(|(_, p)| p.handle != peer.0)
        {
            return Peer(uplink.handle);
        }
        let at = self
            .iter()
            .filter(|(_, p)| p.ever_heard)
            .position(|(_, p)| p.handle == peer.0)
            .unwrap_or(0);
        let step = at
            .saturating_add(usize::from(turn))
            .checked_rem(count)
            .unwrap_or(0);
        self.iter()
            .filter(|(_, p)| p.ever_heard)
            .nth(step)
            .map_or(peer, |(_, p)| Peer(p.handle))
    }

    /// Whether it is a neighbour through which the gateway is reached.
    pub(crate) fn is_uplink(&self, peer: Peer) -> bool {
        let state = self.place(peer).and_then(|place| self.get(place));
        state.is_some_and(|p| p.uplink)
    }

    /// A neighbour through which the gateway is reached: in turn over all of them.
    pub(crate) fn uplink(&self, turn: u32) -> Option<Peer> {
        let count = self.iter().filter(|(_, p)| p.uplink).count();
        let step = (turn as usize).checked_rem(count)?;
        self.iter()
            .filter(|(_, p)| p.uplink)
            .nth(step)
            .map(|(_, p)| Peer(p.handle))
    }

    /// What it says only a node says: it follows the window after all.
    pub(crate) fn is_no_leaf(&mut self, place: usize) {
        if let Some(state) = self.get_mut(place) {
            state.leaf = false;
        }
    }

    /// How many neighbours that follow the window were heard after `since`.
    pub(crate) fn heard_since(&self, since: Millis) -> usize {
        self.iter()
            .filter(|(_, p)| p.ever_heard && !p.leaf && p.heard >= since)
            .count()
    }
}

/// Which neighbours have which vertex: one bit per neighbour and window slot.
#[derive(Debug)]
pub struct Known<'m> {
    words: &'m mut [u32],
    per_slot: usize,
    slots: usize,
}

/// Words per window slot for this many neighbours.
#[must_use]
pub const fn known_words(peers: usize) -> usize {
    peers.div_ceil(32)
}

impl<'m> Known<'m> {
    pub(crate) fn new(words: &'m mut [u32], peers: usize, slots: usize) -> Self {
        words.fill(0);
        Self {
            words,
            per_slot: known_words(peers),
            slots,
        }
    }

    pub(crate) fn into_inner(self) -> &'m mut [u32] {
        self.words
    }

    fn at(&self, seq: u32, place: usize) -> Option<(usize, u32)> {
        let slot = (seq as usize).checked_rem(self.slots)?;
        let word = slot
            .checked_mul(self.per_slot)?
            .checked_add(place.checked_div(32)?)?;
        let bit = 1u32.checked_shl(u32::try_from(place.checked_rem(32)?).ok()?)?;
        Some((word, bit))
    }

    /// A new vertex took this slot: nobody has it yet.
    pub(crate) fn clear(&mut self, seq: u32) {
        if let Some((word, _)) = self.at(seq, 0)
            && let Some(words) = self.words.get_mut(word..word.saturating_add(self.per_slot))
        {
            words.fill(0);
        }
    }

    pub(crate) fn set(&mut self, seq: u32, place: usize) {
        if let Some((word, bit)) = self.at(seq, place)
            && let Some(w) = self.words.get_mut(word)
        {
            *w |= bit;
        }
    }

    pub(crate) fn has(&self, seq: u32, place: usize) -> bool {
        self.at(seq, place)
            .and_then(|(word, bit)| self.words.get(word).map(|w| w & bit != 0))
            .unwrap_or(false)
    }

    /// A place was given to another neighbour: it has nothing.
    pub(crate) fn clear_place(&mut self, place: usize) {
        for slot in 0..self.slots {
            if let Ok(seq) = u32::try_from(slot)
                && let Some((word, bit)) = self.at(seq, place)
                && let Some(w) = self.words.get_mut(word)
            {
                *w &= !bit;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_kept_and_reused() {
        let mut places = vec![PeerState::default(); 2];
        let mut peers = Peers::new(&mut places);
        assert_eq!(peers.add(Millis(0), Peer(7), true, 0), Some(0));
        assert_eq!(peers.add(Millis(0), Peer(8), false, 0), Some(1));
        assert_eq!(peers.add(Millis(0), Peer(9), false, 0), None);
        assert_eq!(peers.add(Millis(0), Peer(8), true, 0), Some(1));
        assert_eq!(peers.uplink(1), Some(Peer(8)));
        assert_eq!(peers.remove(Peer(7)), Some(0));
        assert_eq!(peers.place(Peer(7)), None);
        assert_eq!(peers.add(Millis(0), Peer(9), false, 0), Some(0));
    }

    #[test]
    fn known_bits_follow_slot_and_place() {
        let mut words = vec![0; 8 * known_words(40)];
        let mut known = Known::new(&mut words, 40, 8);
        known.set(3, 33);
        known.set(3, 1);
        assert!(known.has(3, 33) && known.has(11, 33) && !known.has(3, 32));
        known.clear_place(33);
        assert!(!known.has(3, 33) && known.has(3, 1));
        known.clear(11);
        assert!(!known.has(3, 1));
    }
}
