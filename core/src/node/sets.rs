//! The validator set in office: followed over term ends, kept over resets, found again after an absence (protocol sections 7.2 and 7.5).
//!
//! Invariant: a set counts only by a header that the set before it signed. What is stored is written before it is used: the new set, then how
//! far the chain of sets has come, so a power cut leaves either the old state or the new one. Headers of the term before are checked by
//! that term's set, which lies in the store only.

use super::event::{Event, Peer, Refusal};
use super::gossip::Control;
use super::headers::posp_refusal;
use super::{Node, keys};
use crate::crypto::Verify;
use crate::platform::Platform;
use crate::posp::{MAX_SET, Trusted, ValidatorSet};
use crate::wire::{Frame, Reader, WireError, Writer};
use crate::{HeaderNumber, Id, MAX_FRAME, Millis};

const VERSION: u64 = 1;
/// Longest stored form of how far the chain of sets has come.
const STORED_TRUST: usize = 3 + 5 + 34 + 9 + 34 + 34;
/// How often the header that ended a term is asked for before its set is taken for a false hint.
const HINT_TRIES: u8 = 8;

/// What is not known of the term ends that went by.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Search {
    /// Votes came that would be a quorum and do not verify: perhaps another set's.
    suspect: bool,
    /// The last header of the term, by a later set's own word, and how often it may still be asked for.
    last: Option<(HeaderNumber, u8)>,
}

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// A validator set: the one that the newest header hands over to, or a later one that tells where this term ended.
    #[inline(never)]
    pub(crate) fn on_set(&mut self, now: Millis, set: &[u8]) -> Result<(), Refusal> {
        let set = ValidatorSet::decode(set).map_err(posp_refusal)?;
        let newest = self.headers.newest();
        let chain = self.headers.chain.as_mut().ok_or(Refusal::Busy)?;
        if chain.trusted().next.is_none() {
            let last = set.start().saturating_sub(1);
            if set.term() <= chain.in_office().term() || last <= newest {
                return Err(Refusal::WrongValidatorSet);
            }
            // Nothing is believed of it: the header that it names has to hand over by itself.
            self.search.last = Some((last, HINT_TRIES));
            self.timers.header = now;
            return Ok(());
        }
        let mut before = [0u8; MAX_SET];
        let mut w = Writer::new(&mut before);
        chain
            .in_office()
            .encode(&mut w)
            .map_err(|_| Refusal::Malformed)?;
        let len = w.len();
        chain.hand_over(set).map_err(posp_refusal)?;
        self.store_sets(before.get(..len).unwrap_or(&[]));
        self.search = Search::default();
        self.timers.header = now;
        Ok(())
    }

    /// Whoever has it passes a set on: it proves itself by the header that names it.
    pub(crate) fn on_set_request(&mut self, from: Peer, term: u64) -> Result<(), Refusal> {
        let chain = self.headers.chain.as_ref().ok_or(Refusal::NotForMe)?;
        if u64::from(chain.in_office().term()) < term {
            return Err(Refusal::NotForMe);
        }
        self.say(from, Control::Set { term });
        Ok(())
    }

    /// Writes the first set of this term or later that is here.
    #[inline(never)]
    pub(crate) fn write_set(&mut self, term: u64, out: &mut [u8]) -> Option<usize> {
        let before = self.stored_set(keys::SET_BEFORE);
        let now = self.headers.chain.as_ref()?.in_office();
        let set = before
            .as_ref()
            .filter(|set| u64::from(set.term()) >= term)
            .unwrap_or(now);
        let mut bytes = [0u8; MAX_FRAME];
        let mut w = Writer::new(&mut bytes);
        set.encode(&mut w).ok()?;
        Frame::Set(w.written())
            .write(self.neighbourhood.tag(), out)
            .ok()
    }

    /// Votes that would be a quorum do not verify: if it is not the sender who lies, a term ended unseen.
    pub(crate) fn suspect_set(&mut self, now: Millis, number: HeaderNumber) {
        if number > self.headers.newest() && !self.search.suspect {
            self.search.suspect = true;
            self.timers.set = self.timers.set.min(now);
        }
    }

    /// Asks for the next set while the newest header hands over, or where a term may have ended unseen.
    pub(crate) fn ask_for_set(&mut self, now: Millis) {
        let Some(chain) = self.headers.chain.as_ref() else {
            return;
        };
        let wanted = chain.trusted().next.is_some() || self.search.suspect;
        if !wanted || now < self.timers.set {
            return;
        }
        let term = u64::from(chain.in_office().term()).saturating_add(1);
        self.timers.set = now.saturating_add(self.request_timeout.0.saturating_mul(2));
        // Votes that do not verify say it again, if it is so.
        self.search.suspect = false;
        if let Some(peer) = self.whom_to_ask() {
            self.say(peer, Control::SetRequest { term });
        }
    }

    /// The header that ended the term, where a later set has told of it.
    pub(crate) fn last_of_term(&mut self) -> Option<HeaderNumber> {
        let newest = self.headers.newest();
        let (header, tries) = self.search.last.as_mut()?;
        let header = *header;
        let left = tries.checked_sub(1).filter(|_| header > newest);
        match left {
            Some(left) => *tries = left,
            None => self.search.last = None,
        }
        left.map(|_| header)
    }

    /// The set of the term before this one, for its headers. `None` for those of this term.
    #[inline(never)]
    pub(crate) fn past_set(&mut self, number: HeaderNumber) -> Option<ValidatorSet> {
        if number >= self.headers.chain.as_ref()?.in_office().start() {
            return None;
        }
        self.stored_set(keys::SET_BEFORE)
    }

    #[inline(never)]
    fn stored_set(&mut self, key: u16) -> Option<ValidatorSet> {
        let mut buffer = [0u8; MAX_SET];
        let len = self.platform.get(key, &mut buffer).ok()??;
        ValidatorSet::decode(buffer.get(..len)?).ok()
    }

    #[inline(never)]
    fn store_sets(&mut self, before: &[u8]) {
        let Some(chain) = self.headers.chain.as_ref() else {
            return;
        };
        let mut buffer = [0u8; MAX_SET];
        let mut w = Writer::new(&mut buffer);
        let written = chain.in_office().encode(&mut w).is_ok();
        let stored = written
            && self.platform.put(keys::SET_BEFORE, before).is_ok()
            && self.platform.put(keys::SET, w.written()).is_ok();
        if !stored {
            self.tell(Event::PlatformFailed);
        }
        self.store_trust();
    }

    /// Keeps how far the chain of sets has come.
    #[inline(never)]
    pub(crate) fn store_trust(&mut self) {
        let Some(chain) = self.headers.chain.as_ref() else {
            return;
        };
        let mut buffer = [0u8; STORED_TRUST];
        let mut w = Writer::new(&mut buffer);
        let written = encode(chain.trusted(), &chain.in_office().hash(), &mut w);
        if written.is_err() || self.platform.put(keys::TRUST, w.written()).is_err() {
            self.tell(Event::PlatformFailed);
        }
    }

    /// Goes on from the store. What does not fit together is left out: then the pinned set stands, and the rest comes from the neighbours.
    #[inline(never)]
    pub(crate) fn restore_trust(&mut self) {
        let mut buffer = [0u8; STORED_TRUST];
        let Ok(Some(len)) = self.platform.get(keys::TRUST, &mut buffer) else {
            return;
        };
        let Ok((trusted, hash)) = decode(buffer.get(..len).unwrap_or(&[])) else {
            return;
        };
        // One set at a time: each is as large as a small device's stack.
        let resumed = self.resume_with(keys::SET, &trusted, &hash)
            || self.resume_with(keys::SET_BEFORE, &trusted, &hash)
            || self.resume_as_pinned(&trusted, &hash);
        // Or the power was cut after the new set was stored.
        if resumed && trusted.next.is_some() {
            self.hand_over_to_stored(&trusted);
        }
    }

    /// The stored set is the one that was in office.
    #[inline(never)]
    fn resume_with(&mut self, key: u16, trusted: &Trusted, hash: &Id) -> bool {
        let set = self.stored_set(key).filter(|set| set.hash() == *hash);
        match (self.headers.chain.as_mut(), set) {
            (Some(chain), Some(set)) => {
                chain.go_on(Some(set), *trusted);
                true
            }
            _ => false,
        }
    }

    fn resume_as_pinned(&mut self, trusted: &Trusted, hash: &Id) -> bool {
        let chain = self.headers.chain.as_mut();
        let Some(chain) = chain.filter(|chain| chain.in_office().hash() == *hash) else {
            return false;
        };
        chain.go_on(None, *trusted);
        true
    }

    #[inline(never)]
    fn hand_over_to_stored(&mut self, trusted: &Trusted) {
        let newer = self.stored_set(keys::SET);
        let newer = newer.filter(|set| trusted.next == Some(set.hash()));
        if let (Some(chain), Some(newer)) = (self.headers.chain.as_mut(), newer) {
            let _ = chain.hand_over(newer);
        }
    }
}

fn encode(trusted: &Trusted, set: &Id, w: &mut Writer<'_>) -> Result<(), WireError> {
    w.array(6)?;
    w.uint(VERSION)?;
    w.uint(u64::from(trusted.newest.0))?;
    w.id(&trusted.hash)?;
    w.uint(trusted.fresh.0)?;
    w.id(&trusted.next.unwrap_or(Id::ZERO))?;
    w.id(set)
}

fn decode(bytes: &[u8]) -> Result<(Trusted, Id), WireError> {
    let mut r = Reader::new(bytes);
    r.array_of(6)?;
    if r.uint()? != VERSION {
        return Err(WireError::Range);
    }
    let (newest, hash, fresh) = (HeaderNumber(r.u32()?), r.id()?, Millis(r.uint()?));
    let (next, set) = (r.id()?, r.id()?);
    r.finish()?;
    let next = (next != Id::ZERO).then_some(next);
    let trusted = Trusted {
        newest,
        hash,
        fresh,
        next,
    };
    Ok((trusted, set))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::event::Event;
    use crate::node::harness::{Network, PERIOD, START, secret};
    use crate::posp::Validator;

    fn set(term: u32, start: u32, first_key: u8) -> (ValidatorSet, u8) {
        let validators: Vec<Validator> = (0..4)
            .map(|n| Validator {
                key: secret(first_key + n)
                    .public_key()
                    .bytes()
                    .try_into()
                    .unwrap(),
                stake: 25,
            })
            .collect();
        let set = ValidatorSet::new(term, HeaderNumber(start), &validators).unwrap();
        (set, first_key)
    }

    fn settle(net: &mut Network, number: u64) {
        net.pump(START + number * PERIOD);
        net.traffic(6);
        let header = net.settle(START + number * PERIOD);
        assert_eq!(header, HeaderNumber(number as u32), "{}", net.explain());
        net.traffic(2);
    }

    fn newest(net: &mut Network, n: usize) -> (HeaderNumber, u32) {
        let headers = net.node(n).headers();
        let term = headers.chain().unwrap().in_office().term();
        (headers.newest(), term)
    }

    #[test]
    fn a_term_ends_and_a_reset_keeps_the_new_set() {
        let mut net = Network::started(5);
        settle(&mut net, 1);
        net.next = Some(set(2, 3, 110));
        settle(&mut net, 2);
        for n in 0..5 {
            assert_eq!(newest(&mut net, n), (HeaderNumber(2), 2), "node {n}");
        }
        // The headers at hand are of both terms.
        net.reboot(3, false);
        assert_eq!(newest(&mut net, 3), (HeaderNumber(2), 2));
        assert!(net.node(3).headers().settled(HeaderNumber(1)).is_some());
        settle(&mut net, 3);
        for n in 0..5 {
            assert_eq!(newest(&mut net, n), (HeaderNumber(3), 2), "node {n}");
        }
        // A second end of term; the pinned set is two terms back now.
        net.next = Some(set(7, 5, 120));
        settle(&mut net, 4);
        net.reboot(2, false);
        settle(&mut net, 5);
        for n in 0..5 {
            assert_eq!(newest(&mut net, n), (HeaderNumber(5), 7), "node {n}");
            let receipts = |e: &&Event| matches!(e, Event::Receipt { header, .. } if header.0 == 5);
            let told = net.events[n].iter().filter(receipts).count();
            assert!(told > 0, "node {n} has no receipt of the last term");
        }
    }

    #[test]
    fn who_missed_the_end_of_a_term_finds_it() {
        let mut net = Network::started(5);
        settle(&mut net, 1);
        // Node 4 sleeps through two ends of term.
        let asleep = net.nodes[4].take();
        net.next = Some(set(2, 3, 110));
        settle(&mut net, 2);
        settle(&mut net, 3);
        net.next = Some(set(3, 5, 120));
        settle(&mut net, 4);
        settle(&mut net, 5);
        net.nodes[4] = asleep;
        net.reboot(4, false);
        assert_eq!(newest(&mut net, 4), (HeaderNumber(1), 1));
        net.traffic(20);
        assert_eq!(newest(&mut net, 4), (HeaderNumber(5), 3));
        // And who starts with nothing.
        net.reboot(3, true);
        net.traffic(20);
        assert_eq!(newest(&mut net, 3), (HeaderNumber(5), 3));
        assert!(net.all_active(), "{}", net.explain());
    }

    #[test]
    fn a_set_that_no_header_names_changes_nothing() {
        let mut net = Network::started(5);
        settle(&mut net, 1);
        let before = newest(&mut net, 2);
        let now = Millis(net.now);
        let tag = net.tag();
        let give = |net: &mut Network, set: &ValidatorSet| {
            let mut bytes = [0; MAX_SET];
            let mut w = Writer::new(&mut bytes);
            set.encode(&mut w).unwrap();
            let mut frame = [0; MAX_FRAME];
            let len = Frame::Set(w.written()).write(tag, &mut frame).unwrap();
            net.node(2).receive(now, Peer(1), &frame[..len])
        };
        let (forged, _) = set(2, 2, 130);
        let refused = Err(Refusal::WrongValidatorSet);
        assert_eq!(give(&mut net, &forged), refused, "its term has begun");
        let (same, _) = set(1, 40, 130);
        assert_eq!(give(&mut net, &same), refused, "this term");
        let (hint, _) = set(9, 50, 130);
        assert_eq!(give(&mut net, &hint), Ok(()), "a hint at most");
        assert_eq!(newest(&mut net, 2), before);
        settle(&mut net, 2);
        assert_eq!(newest(&mut net, 2), (HeaderNumber(2), 1));
        // While a header hands over, only the set that it names.
        net.deaf = vec![2];
        net.next = Some(set(2, 4, 110));
        settle(&mut net, 3);
        let frames = net.header_frames(HeaderNumber(3), &net.headers[&3]);
        let now = Millis(net.now);
        for frame in frames {
            let _ = net.node(2).receive(now, Peer(1), &frame);
        }
        let (other, _) = set(2, 4, 130);
        assert_eq!(give(&mut net, &other), refused, "not the named one");
        settle(&mut net, 4);
        assert_eq!(newest(&mut net, 2), (HeaderNumber(4), 2), "by neighbours");
    }

    #[test]
    fn a_power_cut_between_set_and_trust_loses_neither() {
        let mut net = Network::started(5);
        settle(&mut net, 1);
        net.next = Some(set(2, 3, 110));
        settle(&mut net, 2);
        let node = net.nodes[2].take().unwrap();
        let (_, mut platform, _) = node.into_parts();
        // As it was before the last write: the header handed over, the new set is there.
        let trust = platform.store.get(&keys::TRUST).unwrap().clone();
        let (mut trusted, _) = decode(&trust).unwrap();
        let (next, _) = net.sets[1].clone();
        trusted.next = Some(next.hash());
        let mut buffer = [0; STORED_TRUST];
        let mut w = Writer::new(&mut buffer);
        encode(&trusted, &net.sets[0].0.hash(), &mut w).unwrap();
        platform.store.insert(keys::TRUST, w.written().to_vec());
        net.nodes[2] = Some(net.boot(2, platform));
        assert_eq!(newest(&mut net, 2), (HeaderNumber(2), 2));
        settle(&mut net, 3);
        assert_eq!(newest(&mut net, 2), (HeaderNumber(3), 2));
    }
}
