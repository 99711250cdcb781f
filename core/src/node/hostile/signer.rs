//! The signer as an operation: it may answer later, wrongly, too late or never, and nothing leaves before a right signature.

use super::*;
use crate::identity::enrol;

/// Member 4's key is in a secure element.
const HOLDER: usize = 4;

struct Element {
    net: Network,
}

impl Element {
    fn new() -> Self {
        let mut net = Network::new(5);
        let key = secret(HOLDER as u8);
        let device = crate::identity::CoseKey::thumbprint(&key.public_key());
        let statement = enrol::statement(&secret(201).public_key(), &device).unwrap();
        let chain = certificate(HOLDER as u8);
        let chain: [&[u8]; 1] = [&chain];
        let mut config = Config::member(secret(201).public_key(), &chain);
        config.tuning = net.tuning;
        config.enrolment = Some(key.sign(statement.as_bytes()));
        let signer = NodeSigner::External(key.public_key());
        let platform = net.nodes[HOLDER].take().unwrap().into_parts().1;
        let mut node =
            Node::new(memory(&LIMITS), LIMITS, &config, signer, platform, Software).unwrap();
        for peer in [0, 1, 2, 3, 99] {
            node.add_peer(Millis(net.now), Peer(peer), peer == 99)
                .unwrap();
        }
        net.nodes[HOLDER] = Some(node);
        net.pump(START + 2_000);
        assert!(net.all_active(), "{}", net.explain());
        net.traffic(0);
        Self { net }
    }

    fn node(&mut self) -> &mut TestNode {
        self.net.node(HOLDER)
    }

    fn submit(&mut self, body: &[u8], expires: Option<Millis>) -> Ticket {
        let now = Millis(self.net.now);
        let ticket = self.node().submit(now, &Submission::Data(body), expires);
        ticket.unwrap()
    }

    fn wait(&mut self, millis: u64) -> Vec<Event> {
        self.net.events[HOLDER].clear();
        self.net.pump(self.net.now + millis);
        self.net.events[HOLDER].clone()
    }

    fn message(&mut self) -> Vec<u8> {
        self.node().sign_input().unwrap().to_vec()
    }

    fn answer(&mut self, signature: &Signature) -> Result<(), Refusal> {
        let now = Millis(self.net.now);
        self.node().sign_output(now, signature)
    }

    /// What the neighbours hold of this member.
    fn heard(&mut self) -> Number {
        let member = MemberIndex(HOLDER as u16);
        (0..4)
            .map(|n| self.net.node(n).tangle.highest(member))
            .max()
            .unwrap()
    }
}

#[test]
fn nothing_leaves_while_the_signer_works() {
    let mut e = Element::new();
    let ticket = e.submit(b"one", None);
    assert!(e.wait(3_000).contains(&Event::SignatureNeeded));
    assert_eq!(e.heard(), Number(0));
    assert_eq!(e.node().outbox.len(), 1);
    let message = e.message();
    let right = secret(HOLDER as u8).sign(&message);
    assert_eq!(e.answer(&right), Ok(()));
    let events = e.wait(500);
    assert!(
        events
            .iter()
            .any(|e| matches!(e, Event::Sent { ticket: t, .. } if *t == ticket))
    );
    assert_eq!(e.heard(), Number(1));
    assert_eq!(
        e.answer(&right),
        Err(Refusal::NotForMe),
        "nothing is awaited"
    );
}

#[test]
fn an_answer_before_the_question_or_by_another_key_is_refused() {
    let mut e = Element::new();
    e.submit(b"one", None);
    let early = Signature([7; 64]);
    assert_eq!(e.answer(&early), Err(Refusal::NotForMe));
    let message = e.message();
    let wrong = secret(3).sign(&message);
    e.wait(1);
    let store = e.node().platform.store.clone();
    assert_eq!(e.answer(&wrong), Err(Refusal::Signature));
    assert_eq!(e.node().platform.store, store);
    assert!(!e.wait(900).contains(&Event::SignatureNeeded));
    assert_eq!(e.heard(), Number(0));
    // After a second it is asked again, for the same number.
    assert!(e.wait(200).contains(&Event::SignatureNeeded));
    let message = e.message();
    assert_eq!(e.answer(&secret(HOLDER as u8).sign(&message)), Ok(()));
    e.wait(100);
    assert_eq!(e.heard(), Number(1));
}

#[test]
fn a_signer_that_fails_is_asked_again() {
    let mut e = Element::new();
    e.submit(b"one", None);
    for _ in 0..3 {
        e.message();
        let now = Millis(e.net.now);
        e.node().sign_fail(now);
        assert!(e.node().sign_input().is_none());
        assert!(e.wait(1_100).contains(&Event::SignatureNeeded));
        assert_eq!((e.heard(), e.node().outbox.len()), (Number(0), 1));
    }
    let message = e.message();
    assert_eq!(e.answer(&secret(HOLDER as u8).sign(&message)), Ok(()));
    assert!(e.wait(100).iter().any(|e| matches!(e, Event::Sent { .. })));
}

/// Never: it is reminded, the draft made anew before it is too old for anything to stand on it, and what is said to the old one at last is dropped.
#[test]
fn a_signer_that_never_answers_is_asked_again_and_uses_no_number_up() {
    let mut e = Element::new();
    e.submit(b"one", None);
    let old = e.message();
    let needed = |events: &[Event]| events.contains(&Event::SignatureNeeded);
    assert!(needed(&e.wait(4_000)));
    let new = e.message();
    assert_ne!(old, new);
    assert_eq!(
        e.answer(&secret(HOLDER as u8).sign(&old)),
        Err(Refusal::Signature)
    );
    assert_eq!(e.heard(), Number(0));
    assert!(needed(&e.wait(1_100)));
    let message = e.message();
    assert_eq!(e.answer(&secret(HOLDER as u8).sign(&message)), Ok(()));
    e.wait(500);
    assert_eq!(e.heard(), Number(1));
}

/// Told that it will never be sent, an application must be able to rely on that.
#[test]
fn what_expired_while_the_signer_worked_is_not_sent() {
    let mut e = Element::new();
    let ticket = e.submit(b"one", Some(Millis(START + 2_500)));
    let message = e.message();
    let events = e.wait(1_000);
    assert!(events.contains(&Event::Expired { ticket }));
    let late = e.answer(&secret(HOLDER as u8).sign(&message));
    assert_eq!(late, Err(Refusal::NotForMe));
    assert!(
        !e.wait(1_000)
            .iter()
            .any(|e| matches!(e, Event::Sent { .. }))
    );
    assert_eq!(e.heard(), Number(0));
}

/// The ledger turns out to hold this number of ours already: the answer that comes now must not make us a cheat.
#[test]
fn a_late_answer_after_the_chain_moved_on() {
    let mut e = Element::new();
    e.submit(b"one", None);
    let message = e.message();
    let right = secret(HOLDER as u8).sign(&message);
    let neighbourhood = e.node().neighbourhood;
    let g0 = e.net.founders[HOLDER].head_id;
    let other = Shape {
        version: 1,
        epoch: 1,
        issuer: HOLDER as u64,
        number: 1,
        time: e.net.now,
        began: START,
        parents: vec![g0],
        kind: 0,
        body: Vec::new(),
        key: HOLDER as u8,
        neighbourhood,
    }
    .data(b"from before the store was lost");
    let now = Millis(e.net.now);
    for n in 0..5 {
        assert_eq!(
            e.net.node(n).receive(
                now,
                Peer((n as u16 + 1) % 4 + u16::from(n == 4)),
                &other.frame()
            ),
            Ok(())
        );
    }
    let _ = e.answer(&right);
    e.wait(3_000);
    for n in 0..5 {
        let node = e.net.node(n);
        assert!(!node.tangle.forked(MemberIndex(HOLDER as u16)), "node {n}");
    }
    // The submission is still there, and goes out under the next number.
    let message = e.message();
    assert_eq!(e.answer(&secret(HOLDER as u8).sign(&message)), Ok(()));
    e.wait(500);
    assert_eq!(e.heard(), Number(2));
}
