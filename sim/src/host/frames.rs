//! Frames: what becomes of one that arrives, and how one leaves.
//!
//! Invariant: every frame passes the host's actor on its way in and out; between the gateway's node and its process nothing is lost.

use super::{Due, Host, LOCAL, Note, Shared, What};
use crate::actors::Fate;
use crate::air::{Air, Moment};
use crate::gateway::Verdict;
use iotedge_core::MAX_FRAME;
use iotedge_core::node::Peer;
use iotedge_core::wire::{Frame, FrameType};

impl Host<'_> {
    pub(super) fn arrive(&mut self, shared: &Shared<'_>, from: u16, bytes: Box<[u8]>) {
        if self.node.is_none() {
            return;
        }
        let links = &shared.links;
        if links.deaf(&mut self.sender, self.now, from, bytes.len()) {
            return;
        }
        let radio = shared.scenario.radio;
        self.totals.heard += radio.map_or(0, |radio| radio.packet(bytes.len()).0);
        self.hash.update(&self.now.to_be_bytes());
        self.hash.update(&from.to_be_bytes());
        self.hash.update(&(bytes.len() as u16).to_be_bytes());
        self.hash.update(&bytes);
        let Some(bytes) = self.whole(shared, from, bytes) else {
            return;
        };
        self.totals.frames += 1;
        self.totals.bytes_received += bytes.len() as u64;
        if self.actor.is_none() {
            return self.take(shared, from, &bytes);
        }
        let (mut frame, mut fate) = (bytes.into_vec(), Fate::Pass);
        self.with_actor(shared, |actor, hands| {
            fate = actor.incoming(hands, from, &mut frame)
        });
        match fate.delay() {
            Some(0) => self.take(shared, from, &frame),
            Some(ms) => self.plan(
                ms,
                What::Take {
                    from,
                    bytes: frame.into(),
                },
            ),
            None => {}
        }
    }

    /// The frame that is complete with what came: this itself, or by way of the link layer.
    fn whole(&mut self, shared: &Shared<'_>, from: u16, bytes: Box<[u8]>) -> Option<Box<[u8]>> {
        let at = self.moment();
        let Some(air) = self.air.as_mut().filter(|_| from < shared.scenario.nodes) else {
            return Some(bytes);
        };
        // Whatever came, there may be something to answer.
        self.touched = true;
        air.receive(at, from, &bytes, self.node.as_deref()?)
    }

    fn moment(&self) -> Moment {
        Moment {
            now: self.now,
            local: self.local(),
        }
    }

    /// A frame is given to whom it is for: the gateway's process, the validator or the node.
    pub fn take(&mut self, shared: &Shared<'_>, from: u16, bytes: &[u8]) {
        if self.node.is_none() || self.gateway.is_some() && self.for_gateway(shared, from, bytes) {
            return;
        }
        if let Some(validator) = self.validator.as_mut() {
            match Frame::parse(bytes) {
                Ok((
                    _,
                    Frame::Locks {
                        header,
                        first,
                        locks,
                    },
                )) => {
                    return validator.on_locks(header, first, locks);
                }
                Ok((_, Frame::Header { cose, .. })) => validator.on_header(cose),
                _ => {}
            }
        }
        if self.validator.is_some() && bytes.get(4) == Some(&FrameType::Proposal.number()) {
            self.judge(shared, from, bytes);
            return;
        }
        let local = self.local();
        if let Some(node) = self.node.as_mut() {
            let _ = node.receive(local, Peer(from), bytes);
            self.touched = true;
        }
    }

    /// What is for the gateway's process. True: it was.
    fn for_gateway(&mut self, shared: &Shared<'_>, from: u16, bytes: &[u8]) -> bool {
        let Some(gateway) = self.gateway.as_mut() else {
            return false;
        };
        if from >= shared.scenario.nodes
            && from != LOCAL
            && let Ok((_, Frame::Votes { header, votes })) = Frame::parse(bytes)
        {
            if gateway.on_votes(shared.founding, header, votes) {
                self.spread_news(shared);
            }
            return true;
        }
        let answers = gateway.answer(shared.founding, bytes);
        let answered = answers.is_some();
        let answers = answers.unwrap_or_else(|| match (&self.archive, self.node.as_deref()) {
            (Some(archive), Some(node)) => archive.answer(node, bytes),
            _ => Vec::new(),
        });
        for answer in answers {
            self.send(shared, from, &answer);
        }
        answered
    }

    /// A header was settled: to the own node and to all neighbours.
    fn spread_news(&mut self, shared: &Shared<'_>) {
        let Some(gateway) = self.gateway.as_ref() else {
            return;
        };
        let newest = gateway.settled.last_key_value().map(|(number, _)| *number);
        let Some((number, frames)) = newest.zip(gateway.news().cloned()) else {
            return;
        };
        self.note(Note::Header(number));
        for frame in &frames {
            self.send(shared, LOCAL, frame);
        }
        for peer in self.peers.clone() {
            for frame in &frames {
                self.send(shared, peer, frame);
            }
        }
    }

    fn judge(&mut self, shared: &Shared<'_>, from: u16, bytes: &[u8]) {
        let (Some(validator), Some(node)) = (self.validator.as_mut(), self.node.as_ref()) else {
            return;
        };
        let Ok((_, Frame::Proposal { cose, .. })) = Frame::parse(bytes) else {
            return;
        };
        match validator.judge(shared.founding, cose, node) {
            Verdict::Ask(frame) => {
                self.totals.waited += 1;
                self.send(shared, from, &frame);
            }
            Verdict::Vote(frame) => self.send(shared, from, &frame),
            Verdict::NotYet => self.totals.waited += 1,
            Verdict::Differs(why) => {
                let n = self.number;
                self.note(Note::Disagrees {
                    with: from,
                    what: format!("validator {n} disagrees: {why}"),
                });
            }
        }
    }

    /// A frame leaves this host, past its actor. Between the gateway's node and its process nothing is lost.
    pub(super) fn send(&mut self, shared: &Shared<'_>, to: u16, frame: &[u8]) {
        if to == LOCAL {
            let bytes = frame.into();
            return self.plan(1, What::Frame { from: LOCAL, bytes });
        }
        if self.actor.is_none() {
            return self.transmit(shared, to, frame);
        }
        let (mut frame, mut fate) = (frame.to_vec(), Fate::Pass);
        self.with_actor(shared, |actor, hands| {
            fate = actor.outgoing(hands, to, &mut frame)
        });
        match fate.delay() {
            Some(0) => self.transmit(shared, to, &frame),
            Some(ms) => self.plan(
                ms,
                What::Leave {
                    to,
                    bytes: frame.into(),
                },
            ),
            None => {}
        }
    }

    /// A frame goes on air.
    pub fn transmit(&mut self, shared: &Shared<'_>, to: u16, frame: &[u8]) {
        self.totals.bytes_sent += frame.len() as u64;
        let from = self.number;
        if to < shared.scenario.nodes
            && let Some(air) = self.air.as_mut()
        {
            air.send(self.now, to, frame);
            return self.pump(shared);
        }
        let copies = shared
            .links
            .send(&mut self.sender, self.now, (from, to), frame);
        for (at, bytes) in copies.into_iter().flatten() {
            self.serial = self.serial.wrapping_add(1);
            let due = Due::new(at, from, self.serial, What::Frame { from, bytes });
            self.sent.push((to, due));
        }
    }

    /// The radio takes what it has time for.
    fn pump(&mut self, shared: &Shared<'_>) {
        let (at, from) = (self.moment(), self.number);
        let (Some(air), Some(node)) = (self.air.as_mut(), self.node.as_deref()) else {
            return;
        };
        let (sent, serial) = (&mut self.sent, &mut self.serial);
        let means = (&shared.links, &mut self.sender);
        air.pump(at, from, means, node, |to, (at, bytes)| {
            *serial = serial.wrapping_add(1);
            sent.push((to, Due::new(at, from, *serial, What::Frame { from, bytes })));
        });
    }

    fn node_speaks(&mut self, now: bool) {
        if let Some(air) = self.air.as_mut() {
            air.node_speaks = now;
        }
    }

    /// Whether the node may be asked for a frame.
    fn has_room(&self) -> bool {
        self.air.as_ref().is_none_or(Air::has_room)
    }

    pub fn whisper(&mut self, shared: &Shared<'_>, to: u16, message: &[u8]) {
        let from = self.number;
        self.serial = self.serial.wrapping_add(1);
        let at = self.now + shared.links.least_delay();
        let bytes = message.into();
        self.sent.push((
            to,
            Due::new(at, from, self.serial, What::Told { from, bytes }),
        ));
    }

    /// Everything that the node wants to say now, and when it wants to be called again.
    pub(super) fn drain(&mut self, shared: &Shared<'_>) {
        let mut out = [0; MAX_FRAME];
        let local = self.local();
        loop {
            self.pump(shared);
            while self.has_room()
                && let Some((to, len)) = self
                    .node
                    .as_mut()
                    .and_then(|n| n.next_frame(local, &mut out))
            {
                let frame = &out[..len];
                if to.0 == LOCAL {
                    // The gateway's process answers its own node at once; gossip to it goes nowhere.
                    let gateway = self.gateway.as_ref();
                    let answers = gateway.and_then(|g| g.answer(shared.founding, frame));
                    for answer in answers.unwrap_or_default() {
                        self.send(shared, LOCAL, &answer);
                    }
                } else {
                    self.node_speaks(true);
                    self.send(shared, to.0, frame);
                    self.node_speaks(false);
                }
            }
            let mut any = false;
            while let Some(event) = self.node.as_mut().and_then(|n| n.next_event()) {
                any = true;
                self.on_event(shared, &event);
            }
            // An application that only listens gives its node nothing more to say.
            if !any {
                break;
            }
        }
        self.touched = false;
        if let Some(node) = self.node.as_ref().filter(|_| self.has_room()) {
            let deadline = node.next_deadline(local);
            self.wake = (self.booted.saturating_add(deadline.0)).max(self.now + 1);
        }
    }
}
