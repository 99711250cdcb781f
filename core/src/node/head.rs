//! The node's part in the election of its cluster's head (protocol section 10.2; decision 0020).
//!
//! Invariant: a claim is heard only after its signature verified under the key of a member that may issue and has weight, and known bytes cost no check. Being head
//! changes nothing about the ledger: it is told in offers, so that leaves know whom to ask first.

use super::event::{Peer, Refusal};
use super::gossip::Control;
use super::peers::PEER_RATE;
use super::{Node, NodeSigner, Phase};
use crate::cluster::{
    ClusterSecret, Election, Heard, Lease, LeaseError, MAX_CLAIM, Say, UnverifiedClaim,
};
use crate::crypto::Verify;
use crate::platform::Platform;
use crate::wire::Frame;
use crate::wire::near::{NO_PLACE, Near};
use crate::{MemberIndex, Millis, Weight};
use heapless::Vec;

/// Most bytes of a cluster's label.
pub const MAX_LABEL: usize = 32;
/// Frames that a claim which does not hold costs its sender.
const BROKEN_CLAIM: u32 = 10;

/// Which claim a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// This node's newest word.
    Own,
    /// The one that is followed.
    Best,
    /// A candidacy to pass on.
    Passing,
}

/// A cluster that the node belongs to.
#[derive(Debug)]
pub struct Membership {
    /// What its members share.
    pub secret: ClusterSecret,
    /// Tells it from others of the same secret.
    pub label: Vec<u8, MAX_LABEL>,
    /// The lease; all members have the same.
    pub lease: Millis,
    /// How able this node is, by `cluster::Capability::score`; `None`: it follows, and is never head. A node with an external signer only follows.
    pub score: Option<u16>,
}

type Bytes = Vec<u8, MAX_CLAIM>;

#[derive(Debug)]
pub(crate) struct State {
    membership: Membership,
    election: Option<Election>,
    own: Bytes,
    best: Bytes,
    passing: Bytes,
}

/// What a node in a cluster does besides. Called through pointers that only `join_cluster` sets, so that a linker leaves it all out of
/// firmware that never joins one.
#[expect(clippy::type_complexity)]
pub(crate) struct Duties<N> {
    run: fn(&mut N, Millis),
    due: fn(&N, Millis) -> Option<Millis>,
    line: fn(&N, Millis) -> (u8, u32),
    hear: fn(&mut N, Millis, Peer, usize, &[u8]) -> Result<(), Refusal>,
    write: fn(&N, Which, &mut [u8]) -> Option<usize>,
}

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// Takes part in a cluster from now on, in place of any before.
    ///
    /// # Errors
    /// [`LeaseError`] where the lease has no sense; nothing changed then.
    pub fn join_cluster(&mut self, membership: Membership) -> Result<(), LeaseError> {
        self.lease(membership.lease, Millis(0)).check()?;
        self.cluster = Some(State {
            membership,
            election: None,
            own: Vec::new(),
            best: Vec::new(),
            passing: Vec::new(),
        });
        self.duties = Some(Duties {
            run: Self::elect,
            due: Self::next_claim,
            line: Self::place_in_line,
            hear: Self::hear_claim,
            write: Self::write_claim_of,
        });
        Ok(())
    }

    /// Clocks may differ by a sixteenth of the lease, and no more than this node tolerates anyway.
    fn lease(&self, length: Millis, origin: Millis) -> Lease {
        Lease {
            length,
            tolerance: Millis((length.0 / 16).min(self.tolerance.0)),
            origin,
        }
    }

    /// The head of the cluster, while its lease runs, and its term.
    #[must_use]
    pub fn cluster_head(&self, now: Millis) -> Option<(MemberIndex, u32)> {
        let election = self.cluster.as_ref()?.election.as_ref()?;
        let head = election.head(self.absolute(now))?;
        Some((head, election.term()))
    }

    /// The node became more or less able; `None`: it does not want to be head any more, and lays a lease down that it has.
    pub fn set_capability(&mut self, now: Millis, score: Option<u16>) {
        let at = self.absolute(now);
        let Some(state) = &mut self.cluster else {
            return;
        };
        state.membership.score = score;
        let mut last = None;
        if let Some(election) = &mut state.election {
            if score.is_none() {
                last = election.resign(at);
            }
            election.set_score(score);
        }
        if let Some(say) = last {
            self.say_claim(&say);
        }
    }

    /// Says what is due.
    pub(crate) fn run_election(&mut self, now: Millis) {
        if let Some(run) = self.duties.as_ref().map(|duties| duties.run) {
            run(self, now);
        }
    }

    /// When the election has something to say next, in local time.
    pub(crate) fn election_due(&self, now: Millis) -> Option<Millis> {
        let duties = self.duties.as_ref()?;
        (duties.due)(self, now)
    }

    /// Place in the line and term, for an offer.
    pub(crate) fn line(&self, now: Millis) -> (u8, u32) {
        let duties = self.duties.as_ref();
        duties.map_or((NO_PLACE, 0), |duties| (duties.line)(self, now))
    }

    pub(crate) fn on_claim(
        &mut self,
        now: Millis,
        from: Peer,
        place: usize,
        cose: &[u8],
    ) -> Result<(), Refusal> {
        let hear = self.duties.as_ref().map(|duties| duties.hear);
        hear.ok_or(Refusal::NotForMe)?(self, now, from, place, cose)
    }

    pub(crate) fn write_claim(&self, which: Which, out: &mut [u8]) -> Option<usize> {
        let duties = self.duties.as_ref()?;
        (duties.write)(self, which, out)
    }

    fn place_in_line(&self, now: Millis) -> (u8, u32) {
        let election = self.cluster.as_ref().and_then(|c| c.election.as_ref());
        let (Some(election), Some(index)) = (election, self.index) else {
            return (NO_PLACE, 0);
        };
        let leads = election.head(self.absolute(now)).is_some();
        let place = election.place(index).filter(|_| leads);
        (place.unwrap_or(NO_PLACE), election.term())
    }

    /// It needs a clock, an index and an epoch.
    fn elect(&mut self, now: Millis) {
        let (Some(index), Some(genesis)) = (self.index, &self.genesis) else {
            return;
        };
        if self.phase != Phase::Active || self.offset.is_none() {
            return;
        }
        let (at, epoch, origin) = (self.absolute(now), self.tables.newest(), genesis.start);
        let Some(length) = self.cluster.as_ref().map(|c| c.membership.lease) else {
            return;
        };
        let lease = self.lease(length, origin);
        let Some(state) = &mut self.cluster else {
            return;
        };
        let m = &state.membership;
        let signs = matches!(self.signer, NodeSigner::Software(_));
        if state.election.is_none() {
            let name = m.secret.context(&self.neighbourhood, epoch, &m.label);
            let who = (index, self.device);
            let score = m.score.filter(|_| signs);
            let new = Election::new(lease, self.neighbourhood, (epoch, name), who, score, at);
            state.election = new.ok();
        }
        let Some(election) = &mut state.election else {
            return;
        };
        if epoch > election.epoch() {
            let name = m.secret.context(&self.neighbourhood, epoch, &m.label);
            election.set_epoch(epoch, name);
        }
        // One word at a time: the next tick is not far.
        if let Some(say) = election.tick(at) {
            self.say_claim(&say);
        }
    }

    fn next_claim(&self, now: Millis) -> Option<Millis> {
        let election = self.cluster.as_ref()?.election.as_ref()?;
        let due = election.deadline(self.absolute(now))?;
        (self.phase == Phase::Active).then(|| self.local(due))
    }

    #[inline(never)]
    fn say_claim(&mut self, say: &Say) {
        if let Say::New(statement) = say {
            let key = self
                .index
                .and_then(|i| self.tables.latest(i))
                .map(|r| r.key);
            let mut cose = [0; MAX_CLAIM];
            let signed = key
                .and_then(|key| self.secret_for(&key))
                .and_then(|secret| statement.sign(secret, &mut cose).ok())
                .and_then(|len| Vec::from_slice(cose.get(..len)?).ok());
            let (Some(bytes), Some(state)) = (signed, &mut self.cluster) else {
                return;
            };
            if statement.term > 0 {
                state.best = bytes.clone();
            }
            state.own = bytes;
        }
        self.say_to_all(Which::Own, None);
    }

    fn say_to_all(&mut self, which: Which, but: Option<Peer>) {
        let mut to: Vec<Peer, 32> = Vec::new();
        for (_, peer) in self.peers.iter() {
            if !peer.leaf && Some(Peer(peer.handle)) != but && to.push(Peer(peer.handle)).is_err() {
                break;
            }
        }
        for &peer in &to {
            self.say(peer, Control::Claim { which });
        }
    }

    fn hear_claim(
        &mut self,
        now: Millis,
        from: Peer,
        place: usize,
        cose: &[u8],
    ) -> Result<(), Refusal> {
        let at = self.absolute(now);
        let state = self.cluster.as_ref().ok_or(Refusal::NotForMe)?;
        if state.election.is_none()
            || state.best == cose
            || state.own == cose
            || state.passing == cose
        {
            return Ok(());
        }
        let claim = UnverifiedClaim::parse(cose).map_err(|_| Refusal::Malformed)?;
        let record = self.record(self.tables.newest(), claim.statement().member)?;
        let record = record.filter(|r| r.may_issue() && r.weight > Weight(0));
        let record = record.ok_or(Refusal::UnknownIssuer)?;
        let verified = claim.verify(
            &self.neighbourhood,
            &record.device,
            &record.key,
            &mut self.verifier,
        );
        let Ok(claim) = verified else {
            if let Some(state) = self.peers.get_mut(place) {
                state.bucket.fine(now, PEER_RATE, BROKEN_CLAIM);
            }
            return Err(Refusal::Signature);
        };
        let Some(state) = &mut self.cluster else {
            return Err(Refusal::NotForMe);
        };
        let Some(election) = &mut state.election else {
            return Ok(());
        };
        let bytes = Vec::from_slice(cose).map_err(|_| Refusal::Malformed)?;
        match election.hear(at, &claim) {
            Heard::Followed => {
                state.best = bytes;
                self.say_to_all(Which::Best, Some(from));
            }
            Heard::Noted => {
                state.passing = bytes;
                self.say_to_all(Which::Passing, Some(from));
            }
            Heard::Outranked => self.say(from, Control::Claim { which: Which::Best }),
            Heard::Known => {}
            Heard::Elsewhere | Heard::Impossible => return Err(Refusal::NotForMe),
        }
        Ok(())
    }

    fn write_claim_of(&self, which: Which, out: &mut [u8]) -> Option<usize> {
        let state = self.cluster.as_ref()?;
        let cose = match which {
            Which::Own => &state.own,
            Which::Best => &state.best,
            Which::Passing => &state.passing,
        };
        if cose.is_empty() {
            return None;
        }
        Frame::Near(Near::Claim(cose))
            .write(self.neighbourhood.tag(), out)
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::harness::Network;
    use super::*;
    use crate::node::tune::Tuning;

    const LEASE: u64 = 3_200;

    fn clustered() -> Network {
        let mut net = Network::tuned(5, Tuning::fixed(Millis(100), Millis(1_000), 2));
        for n in 0..5u8 {
            net.node(n.into())
                .join_cluster(Membership {
                    secret: ClusterSecret::new([7; 32]),
                    label: Vec::from_slice(b"hall 3").unwrap(),
                    lease: Millis(LEASE),
                    score: (n > 0).then_some(u16::from(n) * 10),
                })
                .unwrap();
        }
        net.pump(super::super::harness::START + 3_000 + 3 * LEASE);
        net
    }

    fn head(net: &mut Network) -> MemberIndex {
        let now = Millis(net.now);
        let heads: std::vec::Vec<_> = net
            .nodes
            .iter()
            .flatten()
            .map(|n| n.cluster_head(now).map(|(head, _)| head))
            .collect();
        assert!(heads.iter().all(|h| *h == heads[0]), "{heads:?}");
        heads[0].expect("a head")
    }

    #[test]
    fn nodes_agree_on_a_head_and_replace_a_dead_one_in_less_than_a_lease() {
        let mut net = clustered();
        assert_eq!(head(&mut net), MemberIndex(4));
        net.nodes[4] = None;
        let died = net.now;
        net.pump(died + LEASE - 1);
        assert_eq!(head(&mut net), MemberIndex(3));
        // The line as it is told to leaves, once the dead one's own word has run out.
        let at = net.now;
        net.pump(at + LEASE);
        let now = Millis(net.now);
        assert_eq!(net.node(3).line(now).0, 0);
        assert_eq!(net.node(2).line(now).0, 1);
        assert_eq!(net.node(0).line(now).0, NO_PLACE);
        // Who lays it down is followed at once.
        net.node(3).set_capability(now, None);
        let at = net.now;
        net.pump(at + LEASE / 4);
        assert_eq!(head(&mut net), MemberIndex(2));
    }

    #[test]
    fn nobody_claims_for_another_and_a_stranger_to_the_cluster_is_not_heard() {
        let mut net = clustered();
        let was = head(&mut net);
        let now = Millis(net.now);
        let mut out = [0; 1400];
        let own = net.node(1).cluster.as_ref().unwrap().own.clone();
        let mut forged = own.clone();
        let last = forged.len() - 1;
        forged[last] ^= 1;
        let frame = |cose: &[u8], tag, out: &mut [u8]| {
            Frame::Near(Near::Claim(cose)).write(tag, out).unwrap()
        };
        let tag = net.tag();
        let len = frame(&forged, tag, &mut out);
        let refused = net.node(2).receive(now, Peer(1), &out[..len]);
        assert_eq!(refused, Err(Refusal::Signature));
        net.node(2).cluster = None;
        let len = frame(&own, tag, &mut out);
        let refused = net.node(2).receive(now, Peer(1), &out[..len]);
        assert_eq!(refused, Err(Refusal::NotForMe));
        assert_eq!(net.node(1).cluster_head(now).map(|h| h.0), Some(was));
    }
}
