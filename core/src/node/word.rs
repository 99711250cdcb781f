//! A word for others: a member that has nothing to say of its own approves what its neighbours said.
//!
//! Without it Quorum takes about twice the time in which two thirds of the members happen to speak: minutes in a quiet neighbourhood. The
//! approval is an ordinary data transaction with an empty SenML pack (`tx::APPROVAL`), and all rules hold for it as for any other. It is said only
//! while the next own vertex would add to the Quorum of something of value or to a trim, after a slot of silence (see `tune`), within
//! the allowance, and never from the second half of the places for own transactions: those are for what the application has to say.

use super::Node;
use super::event::Refusal;
use super::issue::Wish;
use super::tune::{Seen, Tuning};
use crate::crypto::Verify;
use crate::platform::Platform;
use crate::tangle::{Effect, Facts, Standing, Tables as _};
use crate::{Id, Millis};

/// What is owed to others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Word {
    /// Followed transactions that the next own vertex would add to.
    wanted: u64,
    /// Since when something is wanted.
    since: Millis,
    /// How often this node spoke in vain: what is wanted may lie where no tip leads to.
    vain: u8,
    /// Insertion number up to which this is known.
    known: u32,
    /// A transaction between others, followed so that its Quorum ends the talk about it.
    watched: Option<Id>,
    /// Insertion number from which on the next one to watch is looked for.
    next: u32,
    /// Time of the newest vertex with an effect to settle.
    valued: Millis,
    /// Time of the first vertex of another since the own last one.
    heard: Option<Millis>,
    /// What was counted at the last look.
    counted: Seen,
}

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// Sets other bounds for the self-tuning, for example for a battery that runs low. Allowed at any time.
    pub fn retune(&mut self, now: Millis, tuning: Tuning) {
        self.tuner.earn(now);
        self.tuner.bound(tuning);
        self.learn_neighbourhood();
    }

    /// Once a second: what was seen since goes into the controller.
    pub(crate) fn look_around(&mut self, now: Millis) {
        if !self.tuner.is_due(now) {
            return;
        }
        let tips = self.tangle.tips().count();
        let counted = Seen {
            inserted: self.counters.inserted,
            asked: self.counters.requested,
            repeated: self.counters.repeated,
            tips: u32::try_from(tips).unwrap_or(u32::MAX),
        };
        let before = self.word.counted;
        let seen = Seen {
            inserted: counted.inserted.wrapping_sub(before.inserted),
            asked: counted.asked.wrapping_sub(before.asked),
            repeated: counted.repeated.wrapping_sub(before.repeated),
            tips: counted.tips,
        };
        self.word.counted = counted;
        self.tuner.look(now, seen);
        let freshness = self.tuner.freshness();
        self.tangle.set_freshness(freshness);
    }

    /// The neighbourhood or its table is new.
    pub(crate) fn learn_neighbourhood(&mut self) {
        let Some(genesis) = self.genesis.as_ref() else {
            return;
        };
        let members = self.tables.members();
        self.tuner.learn(
            u32::try_from(members).unwrap_or(u32::MAX),
            genesis.parent_age,
            genesis.period,
            self.limits.own,
        );
        let freshness = self.tuner.freshness();
        self.tangle.set_freshness(freshness);
    }

    /// A vertex is new here.
    pub(crate) fn note_value(&mut self, facts: &Facts) {
        if has_value(facts) {
            self.word.valued = self.word.valued.max(facts.time);
        }
        self.word.heard = if Some(facts.issuer) == self.index {
            None
        } else {
            self.word.heard.or(Some(facts.time))
        };
    }

    /// Brings up to date what is wanted of this node.
    pub(crate) fn weigh_words(&mut self, now: Millis) {
        let next = self.tangle.next_sequence();
        // Nearly every call ends with the first: the slot costs a division.
        if self.word.known == next || self.index.is_none() || self.tuner.slot().is_none() {
            return;
        }
        self.word.known = next;
        let at = self.absolute(now);
        self.watch_over();
        let wanted = self.tangle.wanted(&self.tables, at);
        if wanted & !self.word.wanted != 0 {
            self.word.vain = 0;
            if self.word.wanted == 0 {
                self.word.since = now;
            }
        }
        self.word.wanted = wanted;
        let due = self.word_due(now);
        self.timers.issue = self.timers.issue.min(due);
    }

    /// One transaction of value between others is followed at a time, the newest: what is in its cone mostly has its Quorum with it.
    fn watch_over(&mut self) {
        if let Some(id) = self.word.watched {
            let open = self
                .tangle
                .standing(&id)
                .is_some_and(|standing| standing < Standing::Quorum);
            let alive = self
                .tangle
                .get(&id)
                .is_some_and(|facts| facts.time > self.headers.cut());
            if open && alive {
                return;
            }
            if self.own.get(&id).is_none() {
                self.tangle.untrack(&id);
            }
            self.word.watched = None;
        }
        let newest = self
            .tangle
            .since(self.word.next)
            .filter(|(_, facts)| has_value(facts))
            .last();
        self.word.next = self.tangle.next_sequence();
        if let Some((_, facts)) = newest
            && self.tangle.watch(&self.tables, &facts.id).is_ok()
        {
            self.word.watched = Some(facts.id);
        }
    }

    /// When an approval is due; never, where nothing is wanted.
    pub(crate) fn word_due(&self, now: Millis) -> Millis {
        const NEVER: Millis = Millis(u64::MAX);
        let (Some(slot), Some(index)) = (self.tuner.slot(), self.index) else {
            return NEVER;
        };
        let since = if self.word.wanted != 0 {
            self.word.since
        } else {
            match self.silent_until() {
                Some(until) => until,
                None => return NEVER,
            }
        };
        // Everybody is asked at the same moment: spread over the slot, so that the later ones stand on the earlier.
        let last = self.tangle.head(&self.tables, index);
        let last = last.and_then(|head| head.id.0.last().copied());
        let own = self.device.0.last().copied().unwrap_or(0);
        let spread = u64::from(own ^ last.unwrap_or(0));
        let slot = slot.0.saturating_mul(1 << u32::from(self.word.vain.min(6)));
        let due = since
            .saturating_add(slot.saturating_mul(spread) / 256)
            .max(self.timers.spoke.saturating_add(slot / 2));
        if self.tuner.affords() {
            due
        } else {
            due.max(now.saturating_add(self.tuner.affords_in().0))
        }
    }

    /// A trim needs vertices of two thirds of the members that are later than its cut by T/2. While something of value is not settled nobody
    /// is silent for longer. Until when this node may be, in local time.
    ///
    /// The GL-node answers readings too, within T/8: where members are few its weight is needed for each, its trims come once per T, and what is signed
    /// again when a header is there would die again and again in the same half of the epoch. It has its power from the mains.
    fn silent_until(&self) -> Option<Millis> {
        let index = self.index?;
        let period = self.genesis.as_ref()?.period;
        if self.tables.latest(index).is_none_or(|r| r.weight.0 == 0) {
            return None;
        }
        let answer = self.word.heard.filter(|_| self.is_gl_node());
        let answer = answer.map(|heard| heard.saturating_add(period.0 / 8));
        let valued = (self.word.valued > self.headers.cut()).then(|| {
            let spoke = self.tangle.head_time(index).unwrap_or(Millis(0));
            spoke.max(self.word.valued).saturating_add(period.0 / 2)
        });
        let until = answer.into_iter().chain(valued).min()?;
        Some(self.local(until))
    }

    /// Says a word for others, if one is due. True when something was issued.
    pub(crate) fn give_word(&mut self, now: Millis, free: u32) -> Result<bool, Refusal> {
        self.tuner.earn(now);
        let scarce = free.saturating_mul(2) < u32::from(self.limits.own);
        if scarce || !self.tuner.affords() || now < self.word_due(now) {
            return Ok(false);
        }
        self.draft(now, &Wish::Approval)?;
        self.tuner.spend();
        let before = self.word.wanted;
        self.word.known = self.tangle.next_sequence().wrapping_sub(1);
        self.weigh_words(now);
        self.word.since = now;
        self.word.vain = if before & self.word.wanted == 0 {
            0
        } else {
            self.word.vain.saturating_add(1)
        };
        Ok(true)
    }

    /// Approves a trim from the places that are kept for it. True when something was issued.
    pub(crate) fn approve_trim(&mut self, now: Millis) -> Result<bool, Refusal> {
        let at = self.absolute(now);
        let Some(trim) = self.tangle.trim_to_approve(&self.tables, at) else {
            return Ok(false);
        };
        self.draft(now, &Wish::TrimApproval(trim)).map(|()| true)
    }
}

/// Whether a vertex has an effect that settlement must see: more than data, and no trim.
const fn has_value(facts: &Facts) -> bool {
    !matches!(facts.effect, Effect::None | Effect::Trim { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::event::{Event, Grade};
    use crate::node::harness::{Network, PERIOD, START};
    use crate::node::{Span, Submission};
    use crate::{Amount, MemberIndex};

    fn quiet(members: u8) -> Network {
        let mut net = Network::tuned(members, Tuning::DEFAULT);
        net.pump(START + 2_000);
        assert!(net.all_active(), "{}", net.explain());
        net
    }

    fn pay(net: &mut Network, from: usize, to: u16) {
        let now = Millis(net.now);
        let transfer = Submission::Transfer {
            to: MemberIndex(to),
            amount: Amount(5),
        };
        net.node(from).submit(now, &transfer, None).unwrap();
    }

    fn quorums(net: &Network, n: usize) -> usize {
        let quorum = |e: &&Event| {
            matches!(
                e,
                Event::Graded {
                    grade: Grade::Quorum,
                    ..
                }
            )
        };
        net.events[n].iter().filter(quorum).count()
    }

    fn approvals(net: &mut Network) -> u32 {
        (0..net.nodes.len())
            .map(|n| net.node(n).counters().approvals)
            .sum()
    }

    #[test]
    fn one_payment_is_agreed_though_nobody_else_has_anything_to_say() {
        let mut net = quiet(6);
        pay(&mut net, 1, 2);
        net.pump(net.now + 4_000);
        assert_eq!((quorums(&net, 1), quorums(&net, 2)), (1, 1));
        let told = |e: &Event| matches!(e, Event::Data { .. });
        assert!(
            !net.events.iter().flatten().any(told),
            "an approval is no reading"
        );

        let mut silent = Network::started(6);
        pay(&mut silent, 1, 2);
        silent.pump(silent.now + 4_000);
        assert_eq!(quorums(&silent, 1), 0, "without approvals it waits");
    }

    #[test]
    fn it_costs_two_rounds_and_then_there_is_silence() {
        let mut net = quiet(6);
        pay(&mut net, 1, 2);
        net.pump(net.now + PERIOD / 4);
        let said = approvals(&mut net);
        // Two words each, and a third from those whose word crossed the last that was needed.
        assert!((4..=18).contains(&said), "{said}");
        net.pump(net.now + PERIOD / 8);
        assert_eq!(approvals(&mut net), said);
    }

    #[test]
    fn readings_ask_for_the_word_of_nobody_but_the_gl_node() {
        let mut net = quiet(5);
        for n in 0..5 {
            let now = Millis(net.now);
            net.node(n)
                .submit(now, &Submission::Data(b"21.5 C"), None)
                .unwrap();
            net.pump(net.now + 500);
        }
        net.pump(net.now + PERIOD);
        let said = net.node(0).counters().approvals;
        assert!((1..=5).contains(&said), "{said}");
        assert_eq!(approvals(&mut net), said);
        net.pump(net.now + PERIOD);
        assert_eq!(
            approvals(&mut net),
            said,
            "its own word is nothing to answer"
        );
    }

    /// Two devices and the gateway: 3 AW > 2 W takes all three.
    #[test]
    fn of_three_members_no_reading_dies() {
        let mut net = quiet(3);
        let (mut cut, mut sent, mut asked) = (net.now + PERIOD, 0, 0);
        while net.headers.len() < 4 {
            let now = Millis(net.now);
            for n in 1..3 {
                let reading = Submission::Data(b"21.5 C");
                net.node(n).submit(now, &reading, None).unwrap();
                sent += 1;
            }
            if net.now > cut + PERIOD / 2 + PERIOD / 16 && asked < cut {
                asked = cut;
                let trim = Submission::Trim { cut: Millis(cut) };
                net.node(0).submit(now, &trim, None).unwrap();
            }
            let trim = net.events[0].iter().find_map(|e| match e {
                Event::TrimCertified { id, cut: of } if of.0 == cut => Some(*id),
                _ => None,
            });
            if let Some(trim) = trim {
                net.close(trim);
                cut += PERIOD;
            }
            net.pump(net.now + PERIOD / 20);
            assert!(sent < 500, "no header: {}", net.explain());
        }
        let graded = |of: Grade| {
            let is = |e: &&Event| matches!(e, Event::Graded { grade, .. } if *grade == of);
            let events = net.events[1..].iter().flatten();
            events.filter(is).count()
        };
        let (dead, settled) = (graded(Grade::Dead), graded(Grade::Settled));
        assert_eq!(dead, 0, "{settled} of {sent} settled");
        assert!(settled >= 3 * 2 * 18, "{settled} of {sent}");
    }

    #[test]
    fn an_epoch_of_one_payment_is_settled() {
        let mut net = quiet(5);
        pay(&mut net, 1, 2);
        let paid = net.now;
        let cut = Millis(paid + 1);
        // As a gateway does it: at once when enough have spoken later than the cut by T/2, while what they said is fresh.
        let spoke = |net: &mut Network, n: u16| {
            let tangle = net.node(0).tangle();
            let last = tangle.head_time(MemberIndex(n));
            last.is_some_and(|last| last.0 > cut.0 + PERIOD / 2)
        };
        while !(0..5).all(|n| spoke(&mut net, n)) {
            net.pump(net.now + 50);
            assert!(net.now < paid + PERIOD, "somebody is silent");
        }
        let now = Millis(net.now);
        net.node(0)
            .submit(now, &Submission::Trim { cut }, None)
            .unwrap();
        net.pump(net.now + 4_000);
        let trim = net.events[0].iter().find_map(|e| match e {
            Event::TrimCertified { id, .. } => Some(*id),
            _ => None,
        });
        let header = net.close(trim.expect("certified"));
        net.pump(net.now + 2_000);
        for n in 0..5 {
            assert_eq!(net.node(n).headers().newest(), header);
        }
        let said = approvals(&mut net);
        net.pump(net.now + 2 * PERIOD);
        assert_eq!(approvals(&mut net), said, "settled: nobody has to speak");
    }

    #[test]
    fn the_allowance_holds() {
        let hourly = 3_600;
        let tuning = Tuning {
            approvals: hourly,
            slot: Span::fixed(Millis(100)),
            ..Tuning::DEFAULT
        };
        let mut net = Network::tuned(5, tuning);
        net.pump(START + 2_000);
        for _ in 0..60 {
            pay(&mut net, 1, 2);
            net.pump(net.now + 1_000);
        }
        let said = approvals(&mut net);
        let most = 5 * 8 + 62;
        assert!(said <= most && said > 20, "{said}");
    }

    #[test]
    fn a_reset_forgets_no_word() {
        let mut net = quiet(5);
        pay(&mut net, 1, 2);
        net.pump(net.now + 3_000);
        let spoke = (3..5)
            .find(|&n| net.node(n).counters().approvals > 0)
            .unwrap();
        let before = net.node(spoke).status(Millis(0)).number;
        net.reboot(spoke, false);
        net.pump(net.now + 3_000);
        let after = net.node(spoke).status(Millis(0)).number;
        assert!(after >= before);
        assert_eq!(net.node(spoke).own.iter().count(), 0, "nobody waits for it");
        pay(&mut net, 2, 1);
        net.pump(net.now + 4_000);
        assert_eq!(quorums(&net, 2), 2);
        net.assert_same_windows();
    }
}
