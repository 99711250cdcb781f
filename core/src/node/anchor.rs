//! Headers that are final on the G-Chain, as the validators say.
//!
//! Invariant: a header counts as anchored only once validators with more than two thirds of the stake of the set that voted on it signed that its hash stands in one
//! block (protocol section 7.6). A device asks no Ethereum node: whom it believes is whom it believes the header. Each header names the one before, so what is
//! anchored stands for all before it, and a statement that was lost is mended by the next.

use super::Node;
use super::event::{Event, Grade, Peer, Refusal};
use super::gossip::Control;
use super::headers::posp_refusal;
use super::own::Followed;
use super::raw::RawSlot;
use crate::copy::copy;
use crate::crypto::{Verify, twice};
use crate::platform::Platform;
use crate::posp::{Anchored, PospError, Tally, ValidatorSet};
use crate::wire::list::{List, Vote};
use crate::{HeaderNumber, Millis};
use core::hint::black_box;

/// What was said so far.
#[derive(Debug, Default)]
pub(crate) struct Anchoring {
    /// The newest anchored header and its block; 0 where there is none.
    newest: HeaderNumber,
    block: u64,
    /// What is being said, and by whom, a bit per index.
    heard: Option<(HeaderNumber, u64)>,
    voices: u64,
    /// The frame that said something new last.
    frame: Option<RawSlot>,
}

/// Whether these are a quorum of the set.
fn is_quorum(set: &ValidatorSet, voices: u64) -> bool {
    let mut tally = Tally::new(set);
    for index in (0..64).filter(|index| voices >> index & 1 == 1) {
        // One that the set has not got adds nothing.
        let _ = tally.add(index);
    }
    tally.is_quorum()
}

/// Checks those votes that are not counted yet; gives all voices then.
fn hear(
    said: &Anchored,
    set: &ValidatorSet,
    before: u64,
    votes: List<'_, Vote>,
    verifier: &mut dyn Verify,
) -> Result<u64, PospError> {
    let mut voices = before;
    for vote in votes.iter() {
        let voice = 1_u64.wrapping_shl(vote.index.into());
        if voices & voice == 0 {
            let key = &set.get(vote.index)?.key;
            said.verify(key, &vote.signature, verifier)?;
            voices |= voice;
        }
    }
    Ok(voices)
}

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// The newest header that is final on the G-Chain, and the block that holds it. `None` where none is known to be.
    #[must_use]
    pub fn anchored(&self) -> Option<(HeaderNumber, u64)> {
        let found = (self.anchoring.newest, self.anchoring.block);
        (found.0 > HeaderNumber(0)).then_some(found)
    }

    /// Validators say that a header is anchored: `bytes` is the whole frame. What says something new is passed on to the other neighbours.
    #[inline(never)]
    pub(crate) fn on_anchored(
        &mut self,
        now: Millis,
        from: Peer,
        (header, block): (HeaderNumber, u64),
        votes: List<'_, Vote>,
        bytes: &[u8],
    ) -> Result<(), Refusal> {
        if header <= self.anchoring.newest {
            return Ok(());
        }
        let at = self.absolute(now);
        let past = self.past_set(header);
        // Only what is settled here can be anchored here: its votes come first, and this is said again with the next header.
        let settled = self.headers.settled(header).ok_or(Refusal::NotForMe)?;
        let said = Anchored {
            neighbourhood: self.neighbourhood,
            number: header,
            header: settled.hash(),
            block,
        };
        let chain = self.headers.chain.as_ref().ok_or(Refusal::Busy)?;
        let set = match past.as_ref() {
            Some(set) => set,
            None => chain.set(header, at).map_err(posp_refusal)?,
        };
        let before = match self.anchoring.heard == Some((header, block)) {
            true => self.anchoring.voices,
            false => 0,
        };
        // Twice, as votes are (decision 0030).
        let (mut voices, mut error) = (before, None);
        let verdict = twice(
            &mut self.verifier,
            &mut |verifier: &mut dyn Verify| match hear(&said, set, before, votes, verifier) {
                Ok(all) => {
                    voices = all;
                    0
                }
                Err(found) => {
                    error = Some(found);
                    1
                }
            },
        );
        let again = black_box(verdict);
        if verdict != 0 || again != 0 {
            return Err(posp_refusal(error.unwrap_or(PospError::ShortOfQuorum)));
        }
        if voices == before {
            return Ok(());
        }
        let whole = is_quorum(set, voices) && is_quorum(set, black_box(voices));
        self.anchoring.heard = Some((header, block));
        self.anchoring.voices = voices;
        self.pass_anchored(from, bytes);
        if whole {
            self.anchoring.newest = header;
            self.anchoring.block = block;
            self.raise_anchored(now);
            self.tell(Event::HeaderAnchored { header, block });
        }
        Ok(())
    }

    /// Tells the others too: many neighbours of the gateway's neighbours do not hear it.
    fn pass_anchored(&mut self, from: Peer, bytes: &[u8]) {
        self.anchoring.frame = self.raw.keep(bytes);
        let mut place = 0_usize;
        while place < self.peers.capacity() {
            if let Some(peer) = self.peers.get(place).map(|p| Peer(p.handle))
                && peer != from
            {
                self.say(peer, Control::Anchored);
            }
            place = place.saturating_add(1);
        }
    }

    pub(crate) fn write_anchored(&self, out: &mut [u8]) -> Option<usize> {
        let bytes = self.raw.kept(self.anchoring.frame.as_ref()?)?;
        copy(out.get_mut(..bytes.len())?, bytes);
        Some(bytes.len())
    }

    /// What the receipts of anchored headers say is final.
    fn raise_anchored(&mut self, now: Millis) {
        let newest = self.anchoring.newest;
        let is = |f: &Followed| f.used && f.grade == Grade::Settled && f.header <= newest;
        let mut place = 0_usize;
        while let Some(followed) = self.own.place(place) {
            place = place.saturating_add(1);
            let (anchored, id) = (is(followed), followed.id);
            if anchored {
                self.raise(now, &id, Grade::Anchored);
            }
        }
    }

    /// A receipt came: of a header that is anchored already, perhaps.
    pub(crate) fn is_anchored(&self, header: HeaderNumber) -> bool {
        header <= self.anchoring.newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::harness::{Network, PERIOD, START, secret};
    use crate::posp::MAX_VOTE_MESSAGE;
    use crate::wire::Frame;
    use crate::{Id, MAX_FRAME};

    fn settled(net: &mut Network, number: u32) -> Id {
        let until = START + u64::from(number) * PERIOD;
        net.traffic(2);
        net.pump(until);
        net.traffic(6);
        assert_eq!(net.settle(until), HeaderNumber(number));
        net.pump(net.now + 1_000);
        let header = net.node(1).headers().settled(HeaderNumber(number));
        header.unwrap().hash()
    }

    fn said(net: &mut Network, number: u32, header: Id, block: u64, who: &[u8]) -> Vec<u8> {
        let neighbourhood = net.node(0).status(Millis(0)).neighbourhood;
        let of = Anchored {
            neighbourhood,
            number: HeaderNumber(number),
            header,
            block,
        };
        let first = net.sets.last().unwrap().1;
        let vote = |index: &u8| {
            let secret = secret(first + index);
            let key = secret.public_key().bytes().try_into().unwrap();
            let mut buffer = [0; MAX_VOTE_MESSAGE];
            Vote {
                index: *index,
                signature: secret.sign(of.message(&key, &mut buffer).unwrap()),
            }
        };
        let votes: Vec<Vote> = who.iter().map(vote).collect();
        let mut frame = [0; MAX_FRAME];
        let votes = List::of(&votes);
        let number = HeaderNumber(number);
        let len = Frame::Anchored {
            header: number,
            block,
            votes,
        }
        .write(net.tag(), &mut frame)
        .unwrap();
        frame[..len].to_vec()
    }

    fn tell(net: &mut Network, n: usize, frame: &[u8]) -> Result<(), Refusal> {
        let now = Millis(net.now);
        net.node(n).receive(now, Peer(99), frame)
    }

    fn own_grades(net: &Network, n: usize) -> Vec<Grade> {
        let own = net.nodes[n].as_ref().unwrap().own.iter();
        own.filter(|f| f.header > HeaderNumber(0))
            .map(|f| f.grade)
            .collect()
    }

    #[test]
    fn a_quorum_says_it_and_all_hear_it() {
        let mut net = Network::started(5);
        let first = settled(&mut net, 1);
        assert_eq!(net.node(2).anchored(), None);
        assert!(own_grades(&net, 2).contains(&Grade::Settled));
        let frame = said(&mut net, 1, first, 77, &[0, 1, 3]);
        assert_eq!(tell(&mut net, 2, &frame), Ok(()));
        assert_eq!(net.node(2).anchored(), Some((HeaderNumber(1), 77)));
        let grades = own_grades(&net, 2);
        assert!(!grades.is_empty() && grades.iter().all(|g| *g == Grade::Anchored));
        // The gateway told one of them.
        net.pump(net.now + 1_000);
        for n in 0..5 {
            let known = net.node(n).anchored();
            assert_eq!(known, Some((HeaderNumber(1), 77)), "node {n}");
            let told = Event::HeaderAnchored {
                header: HeaderNumber(1),
                block: 77,
            };
            let times = net.events[n].iter().filter(|e| **e == told).count();
            assert_eq!(times, 1, "node {n}");
        }
        // Once it is known nothing more is checked, and none goes back.
        let forged = said(&mut net, 1, Id::ZERO, 90, &[0, 1, 2]);
        assert_eq!(tell(&mut net, 2, &forged), Ok(()));
        assert_eq!(net.node(2).anchored(), Some((HeaderNumber(1), 77)));
    }

    #[test]
    fn voices_come_one_by_one() {
        let mut net = Network::started(5);
        let header = settled(&mut net, 1);
        for (voice, known) in [(3, None), (0, None), (0, None), (2, Some(9))] {
            let frame = said(&mut net, 1, header, 9, &[voice]);
            assert_eq!(tell(&mut net, 1, &frame), Ok(()));
            let known = known.map(|block| (HeaderNumber(1), block));
            assert_eq!(net.node(1).anchored(), known);
        }
    }

    #[test]
    fn another_block_is_another_statement() {
        let mut net = Network::started(5);
        let header = settled(&mut net, 1);
        for (voices, block) in [(&[0, 1][..], 9), (&[2, 3], 10)] {
            let frame = said(&mut net, 1, header, block, voices);
            assert_eq!(tell(&mut net, 1, &frame), Ok(()));
        }
        assert_eq!(net.node(1).anchored(), None);
    }

    #[test]
    fn what_is_not_said_by_them_or_not_of_it_changes_nothing() {
        let mut net = Network::started(5);
        let header = settled(&mut net, 1);
        let good = said(&mut net, 1, header, 5, &[0, 1, 2]);
        let refused = |net: &mut Network, frame: &[u8], why| {
            assert_eq!(tell(net, 1, frame), Err(why));
            assert_eq!(net.node(1).anchored(), None);
        };
        let short = Refusal::ShortOfQuorum;
        let other = said(&mut net, 1, Id([4; 32]), 5, &[0, 1, 2]);
        refused(&mut net, &other, short);
        let later = said(&mut net, 2, header, 5, &[0, 1, 2]);
        refused(&mut net, &later, Refusal::NotForMe);
        for at in (good.len() - 60..good.len()).step_by(13) {
            let mut bent = good.clone();
            bent[at] ^= 1;
            refused(&mut net, &bent, short);
        }
        // The block's number is signed as well: in the frame it follows the header's.
        let mut block = good.clone();
        assert_eq!(block[7], 5);
        block[7] = 6;
        refused(&mut net, &block, short);
        assert_eq!(tell(&mut net, 1, &good), Ok(()));
        assert_eq!(net.node(1).anchored(), Some((HeaderNumber(1), 5)));
    }

    #[test]
    fn a_vote_on_the_header_says_nothing_of_a_block() {
        let mut net = Network::started(5);
        settled(&mut net, 1);
        let votes = net.headers[&1].votes.clone();
        let mut frame = [0; MAX_FRAME];
        let len = Frame::Anchored {
            header: HeaderNumber(1),
            block: 5,
            votes: List::of(&votes),
        }
        .write(net.tag(), &mut frame)
        .unwrap();
        assert_eq!(
            tell(&mut net, 1, &frame[..len]),
            Err(Refusal::ShortOfQuorum)
        );
    }

    #[test]
    fn a_later_header_stands_for_those_before() {
        let mut net = Network::started(5);
        settled(&mut net, 1);
        let second = settled(&mut net, 2);
        let frame = said(&mut net, 2, second, 12, &[1, 2, 3]);
        assert_eq!(tell(&mut net, 3, &frame), Ok(()));
        let grades = own_grades(&net, 3);
        assert!(grades.len() > 1 && grades.iter().all(|g| *g == Grade::Anchored));
        // And a receipt that comes afterwards is of an anchored header at once.
        net.reboot(3, false);
        net.pump(net.now + 500);
        assert_eq!(net.node(3).anchored(), None, "said again with the next");
        let third = settled(&mut net, 3);
        let frame = said(&mut net, 3, third, 14, &[0, 1, 2]);
        assert_eq!(tell(&mut net, 3, &frame), Ok(()));
        assert_eq!(net.node(3).anchored(), Some((HeaderNumber(3), 14)));
    }
}
