//! A stage: some real nodes, and a script that says what every member signs and who hears it when.
//!
//! What makes a rule of agreement necessary is an order of events that chance seldom hits. Here it is written down. The nodes are real (`Node`,
//! with its intake, tables, grades), the signatures are real, headers are closed by `posp::close` and voted on by three of four validators;
//! only the moment at which each frame arrives, and what members without a node say, is the script's.

use crate::founding::{Founding, START};
use crate::gateway::{Gateway, SimNode, replay, written};
use crate::memory::Slab;
use crate::platform::{SharedVerify, SimPlatform};
use crate::rng::Rng;
use crate::scenario::Scenario;
use iotedge_core::node::{Clock, Config, Event, Grade, Node, NodeSigner, Peer, Refusal};
use iotedge_core::posp::{Header, vote_message};
use iotedge_core::tangle::Tables as _;
use iotedge_core::tx::{Body, Parents, Payload, sign_with};
use iotedge_core::wire::Frame;
use iotedge_core::wire::list::{List, Vote};
use iotedge_core::{
    Amount, Epoch, HeaderNumber, Id, MAX_FRAME, MAX_PAYLOAD, MemberIndex, Millis, Number,
};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// T on the stage, in ms; P_max is a quarter of it, and approvals count for half of it.
pub const PERIOD: u64 = 8_000;

/// Everybody's address: who sends what is the script's.
const EVERYBODY: u16 = 1;

/// A signed transaction.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Its id.
    pub id: Id,
    /// Who signed it.
    pub member: u16,
    /// Its number.
    pub number: u32,
    /// Its time, in ms since the start.
    pub time: u64,
    /// D of the chain with it.
    pub debits: u64,
    /// The epoch that it hands on.
    pub epoch: u32,
    /// Its TX frame.
    pub frame: Vec<u8>,
}

/// What an application heard of its node.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// The last grade of what concerns it.
    pub grades: BTreeMap<Id, Grade>,
    /// Payments that its caps allow it to serve for: sum.
    pub served: u64,
    /// Certified trims.
    pub certified: Vec<Id>,
    /// Equivocations and rival trims told.
    pub equivocations: u32,
}

struct View<'m> {
    member: u16,
    node: SimNode<'m>,
    heard: Heard,
}

/// The stage.
pub struct Stage<'m> {
    founding: Founding,
    gateway: Gateway,
    views: Vec<View<'m>>,
    log: RefCell<Vec<Said>>,
    /// Now, in ms since the start.
    pub now: u64,
}

impl<'m> Stage<'m> {
    /// A stage with so many members, of which these have real nodes, empty but for genesis and table.
    pub fn with<T>(members: u16, views: &[u16], script: impl FnOnce(&mut Stage<'_>) -> T) -> T {
        let mut scenario = Scenario::small(1, members);
        scenario.period = PERIOD;
        let founding = Founding::new(&scenario);
        let limits = scenario.limits(1, 4);
        let mut slabs: Vec<Slab> = views
            .iter()
            .map(|_| Slab::new(&limits).expect("memory"))
            .collect();
        let verify = SharedVerify::default();
        let mut all = Vec::new();
        for (member, slab) in views.iter().zip(&mut slabs) {
            let certificate = founding.certificate(*member);
            let chain: [&[u8]; 1] = [&certificate];
            let mut config = Config::member(founding.authority, &chain);
            config.clock = Clock::Offset(START as i64);
            scenario.configure(&mut config);
            let platform = SimPlatform::new(Rng::stream(1, "stage", u64::from(*member)));
            let signer = NodeSigner::Software(founding.device(*member));
            let node = Node::new(
                slab.lend(),
                limits,
                &config,
                signer,
                platform,
                verify.clone(),
            );
            let mut node = node.expect("a node");
            node.add_peer(Millis(0), Peer(EVERYBODY), false)
                .expect("room");
            all.push(View {
                member: *member,
                node,
                heard: Heard::default(),
            });
        }
        let gateway = Gateway::new(&founding);
        let mut stage = Stage {
            founding,
            gateway,
            views: all,
            log: RefCell::default(),
            now: 1,
        };
        stage.serve();
        script(&mut stage)
    }

    fn view(&self, member: u16) -> &View<'m> {
        let view = self.views.iter().find(|view| view.member == member);
        view.expect("a member with a node")
    }

    /// Answers what the nodes ask of a gateway, until they ask no more.
    pub fn serve(&mut self) {
        let mut out = [0; MAX_FRAME];
        for _ in 0..60 {
            self.now += 20;
            for view in &mut self.views {
                let local = Millis(self.now);
                let mut answers = Vec::new();
                while let Some((_, len)) = view.node.next_frame(local, &mut out) {
                    let answer = self.gateway.answer(&self.founding, &out[..len]);
                    answers.extend(answer.into_iter().flatten());
                }
                for answer in answers {
                    let _ = view.node.receive(local, Peer(EVERYBODY), &answer);
                }
                view.listen();
            }
        }
    }

    /// What a gateway would answer to all that this member's node asks for now.
    pub fn requests(&mut self, member: u16) -> Vec<Vec<u8>> {
        let mut out = [0; MAX_FRAME];
        self.now += 20;
        let (now, mut answers) = (Millis(self.now), Vec::new());
        for view in self.views.iter_mut().filter(|view| view.member == member) {
            while let Some((_, len)) = view.node.next_frame(now, &mut out) {
                let answer = self.gateway.answer(&self.founding, &out[..len]);
                answers.extend(answer.into_iter().flatten());
            }
        }
        answers
    }

    /// What a member's first transaction stands on.
    #[must_use]
    pub fn root(&self, member: u16) -> Said {
        let record = self.founding.founders[usize::from(member)];
        Said {
            id: record.head_id,
            member,
            epoch: 1,
            ..Said::default()
        }
    }

    /// A member signs this, upon its own last transaction and these tips.
    pub fn say(&self, time: u64, first: &Said, tips: &[&Said], body: Body<'_>) -> Said {
        let epoch = tips.iter().map(|tip| tip.epoch).fold(first.epoch, u32::max);
        self.say_as(
            first.member,
            first.number + 1,
            epoch,
            time,
            first,
            tips,
            body,
        )
    }

    /// A member signs this, whatever it stands on.
    ///
    /// # Panics
    /// Where the script asks for what cannot be written.
    #[expect(clippy::too_many_arguments, reason = "all that a cheat may choose")]
    pub fn say_as(
        &self,
        member: u16,
        number: u32,
        epoch: u32,
        time: u64,
        first: &Said,
        tips: &[&Said],
        body: Body<'_>,
    ) -> Said {
        let mut ids: Vec<Id> = tips.iter().map(|tip| tip.id).collect();
        ids.sort_by_key(Id::prefix);
        ids.dedup();
        let parents = Parents::new(first.id, &ids).expect("parents");
        let start = epoch.checked_sub(2).map_or(START, |header| {
            let settled = self.gateway.settled.get(&(header + 1));
            settled.expect("a header of that epoch").header.cut.0
        });
        let payload = Payload {
            epoch: Epoch(epoch),
            issuer: MemberIndex(member),
            number: Number(number),
            offset: (START + time - start) as u32,
            parents: parents.prefixes().expect("prefixes"),
            body,
        };
        let mut buffer = [0; MAX_PAYLOAD];
        let bytes = payload.encode(&mut buffer).expect("a payload");
        let mut cose = [0; MAX_FRAME];
        let secret = self.founding.device(member);
        let neighbourhood = &self.founding.neighbourhood;
        let tx = sign_with(&secret, neighbourhood, bytes, &parents, &mut cose).expect("signed");
        let debits = match body {
            Body::Transfer { debits, .. }
            | Body::Lock { debits, .. }
            | Body::Exit { debits, .. } => debits.0,
            _ => first.debits,
        };
        let hands_on = match body {
            Body::Trim { header, .. } => epoch.max(header.0 + 1),
            _ => epoch,
        };
        let frame = Frame::Tx {
            cose: tx.cose(),
            attachment: None,
        };
        let said = Said {
            id: tx.id(),
            member,
            number,
            time,
            debits,
            epoch: hands_on,
            frame: written(&frame, self.founding.tag()),
        };
        self.log.borrow_mut().push(said.clone());
        said
    }

    /// Everything that was said later than this, in the order in which it was signed.
    #[must_use]
    pub fn said_since(&self, time: u64) -> Vec<Said> {
        let log = self.log.borrow();
        log.iter()
            .filter(|said| said.time > time)
            .cloned()
            .collect()
    }

    /// HEADER and VOTES of the newest settled epoch.
    #[must_use]
    pub fn news(&self) -> Vec<Vec<u8>> {
        self.gateway
            .news()
            .map(|news| news.to_vec())
            .unwrap_or_default()
    }

    /// A reading.
    pub fn data(&self, time: u64, first: &Said, tips: &[&Said]) -> Said {
        self.say(time, first, tips, Body::Data(&[0x81, 0xa1, 0x02, 0x01]))
    }

    /// A payment with the true total.
    pub fn pay(&self, time: u64, first: &Said, tips: &[&Said], to: u16, amount: u64) -> Said {
        let body = Body::Transfer {
            to: MemberIndex(to),
            amount: Amount(amount),
            debits: Amount(first.debits + amount),
        };
        self.say(time, first, tips, body)
    }

    /// A trim on top of the last settled one.
    pub fn trim(&self, time: u64, first: &Said, tips: &[&Said], cut: u64) -> Said {
        let newest = self
            .gateway
            .settled
            .last_key_value()
            .map(|(_, s)| &s.header);
        let (previous, header) = newest
            .map_or((self.founding.neighbourhood, HeaderNumber(0)), |header| {
                (header.trim, header.number)
            });
        let hash = match self.gateway.settled.last_key_value() {
            Some((_, settled)) => Header::hash(&settled.payload),
            None => self.founding.neighbourhood,
        };
        let body = Body::Trim {
            cut: Millis(START + cut),
            previous,
            header,
            header_hash: hash,
        };
        self.say(time, first, tips, body)
    }

    /// So many rounds in which these members, whose newest transactions are given, each say something upon what all said last.
    pub fn rounds(&mut self, heads: &mut [Said], from: u64, rounds: u64, hearing: &[u16]) {
        for round in 0..rounds {
            let below = heads.to_vec();
            for (place, head) in heads.iter_mut().enumerate() {
                let at = from + round * 20 + place as u64;
                // What is young enough to stand on.
                let tip = |b: &&Said| b.number > 0 && b.id != head.id && b.time + PERIOD / 4 >= at;
                let tips: Vec<&Said> = below.iter().filter(tip).collect();
                let next = self.data(at, head, &tips);
                let _ = self.show(hearing, &next);
                *head = next;
            }
        }
    }

    /// These nodes hear it now, or when it was said, whatever is later. The last one's answer.
    pub fn show(&mut self, hearing: &[u16], said: &Said) -> Result<(), Refusal> {
        self.now = self.now.max(said.time);
        self.show_bytes(hearing, &said.frame)
    }

    /// The same with any frame.
    pub fn show_bytes(&mut self, hearing: &[u16], frame: &[u8]) -> Result<(), Refusal> {
        let mut last = Ok(());
        let now = Millis(self.now);
        for view in &mut self.views {
            if hearing.contains(&view.member) {
                last = view.node.receive(now, Peer(EVERYBODY), frame);
                view.listen();
            }
        }
        last
    }

    /// What a member's application heard.
    pub fn heard(&self, member: u16) -> &Heard {
        &self.view(member).heard
    }

    /// The grade of a transaction at a node.
    pub fn grade(&self, member: u16, said: &Said) -> Option<Grade> {
        self.view(member).heard.grades.get(&said.id).copied()
    }

    /// Whether it has its `Quorum` there.
    pub fn final_at(&self, member: u16, said: &Said) -> bool {
        matches!(
            self.grade(member, said),
            Some(Grade::Quorum | Grade::Settled)
        )
    }

    /// Signature checks that a node made.
    pub fn checks(&self, member: u16) -> u32 {
        self.view(member).node.counters().verified
    }

    /// Whether a node holds it.
    pub fn holds(&self, member: u16, said: &Said) -> bool {
        self.view(member).node.tangle().contains(&said.id)
    }

    /// Whether a member is frozen there.
    pub fn frozen(&self, member: u16, whom: u16) -> bool {
        let view = self.view(member);
        view.node.tangle().frozen(MemberIndex(whom)) || view.node.tables().frozen(MemberIndex(whom))
    }

    /// The epoch of a trim is closed as this member's node sees it, voted on, and told to these. What was accepted.
    ///
    /// # Errors
    /// Why it cannot be closed.
    ///
    /// # Panics
    /// Where three honest votes do not settle it.
    pub fn settle(&mut self, member: u16, trim: &Said, hearing: &[u16]) -> Result<Vec<Id>, String> {
        let node = &self.view(member).node;
        let open = self.gateway.open_locks(node.headers().newest());
        let replayed = replay(node, &self.founding, open, &trim.id)
            .map_err(|error| format!("{error:?}"))?
            .ok_or("no table")?;
        let (number, root) = (replayed.header.number, replayed.root);
        let leaves = replayed.leaves.clone();
        self.gateway.propose(&self.founding, replayed);
        let votes: Vec<Vote> = (0..3u8)
            .map(|index| {
                let secret = self.founding.validator(index.into());
                let key = crate::founding::raw_key(&secret);
                let mut message = vec![0; 512];
                let neighbourhood = &self.founding.neighbourhood;
                let message = vote_message(&key, neighbourhood, number, &root, &mut message);
                Vote {
                    index,
                    signature: secret.sign(message.expect("a vote fits")),
                }
            })
            .collect();
        let votes = List::of(&votes);
        assert!(
            self.gateway.on_votes(&self.founding, number, votes),
            "three honest votes"
        );
        let frames = self.gateway.news().expect("a header").clone();
        for frame in &frames {
            let _ = self.show_bytes(hearing, frame);
        }
        self.serve();
        Ok(leaves)
    }
}

impl View<'_> {
    fn listen(&mut self) {
        while let Some(event) = self.node.next_event() {
            match event {
                Event::Graded { id, grade, .. } => {
                    self.heard.grades.insert(id, grade);
                }
                Event::Received {
                    amount, over_cap, ..
                } if !over_cap => self.heard.served += amount.0,
                Event::TrimCertified { id, .. } => self.heard.certified.push(id),
                Event::Equivocation { .. } => self.heard.equivocations += 1,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripts::close;
    use super::*;

    /// Found by seed 8702 of the bound: the second header came while the table of the first was on its way, and what the second one settled was told to be
    /// dead by the table of the first.
    #[test]
    fn a_table_that_comes_after_the_next_header_buries_nobody() {
        Stage::with(4, &[0, 2], |stage| {
            let mut heads: Vec<Said> = [0, 2, 3].iter().map(|m| stage.root(*m)).collect();
            stage.rounds(&mut heads, 7_900, 8, &[0]);
            close(stage, &mut heads, 8_000, &[0]).unwrap();
            let first = stage.news();
            let x = stage.pay(stage.now + 10, &stage.root(1), &[], 2, 5);
            let _ = stage.show(&[0, 2], &x);
            heads.push(x.clone());
            stage.rounds(&mut heads, stage.now + 10, 3, &[0]);
            heads.pop();
            let cut = stage.now;
            let leaves = close(stage, &mut heads, cut, &[0]).unwrap();
            assert!(leaves.contains(&x.id), "it is settled by the second header");
            let second = stage.news();
            for frame in first {
                let _ = stage.show_bytes(&[2], &frame);
            }
            let table = stage.requests(2);
            for frame in second.iter().chain(&table) {
                let _ = stage.show_bytes(&[2], frame);
            }
            stage.serve();
            assert_ne!(stage.grade(2, &x), Some(Grade::Dead));
        });
    }
}
