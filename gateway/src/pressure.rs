//! Back-pressure: the gateway takes no more from its members than it can close and settle.
//!
//! Invariant: what the next settlement needs, which is everything above the last settled cut, stays in the window. The *span* is the
//! number of vertices from the oldest unsettled one to the newest; past [`EARLY`] an epoch is due by count, past [`HOLD`] each
//! member may add one transaction in a while, the longer the less room is left, and at the end none. What is held back is dropped
//! before its signature is checked, like a lost datagram: its issuer has it in its store, and gossip brings it again. See
//! docs/decisions/0012-back-pressure.md.

use crate::daemon::GlNode;
use iotedge_core::{HeaderNumber, MemberIndex, Millis};

/// Sixteenths of the window: a trim is due, whatever the clock says.
const EARLY: u64 = 8;
/// Sixteenths of the window: from here on what comes is held back.
const HOLD: u64 = 12;
/// One part of so many of the window is never given away: the GL-node's own trims and evidence need it.
const LAST: u64 = 64;

/// See the module.
#[derive(Default)]
pub struct Pressure {
    header: Option<HeaderNumber>,
    /// Insertion number of the oldest vertex above the settled cut.
    oldest: u32,
    span: u64,
    capacity: u64,
    /// Between two transactions of one member; none: all are taken.
    pause: Option<Millis>,
    /// An epoch is closed and waits for votes: more transactions do not help it.
    pub closed: bool,
    /// Of one member at once, after a silence: devices speak in bursts.
    burst: u64,
    /// By member: until when it has spoken.
    taken: Vec<Millis>,
    /// Transactions held back.
    pub held: u64,
}

impl Pressure {
    /// Looks at the window. To be called in each turn and whenever a header is settled.
    pub fn look(&mut self, node: &GlNode) {
        let tangle = node.tangle();
        let newest = node.headers().newest();
        if self.header != Some(newest) {
            self.header = Some(newest);
            let cut = node.headers().cut();
            self.oldest = tangle
                .since(tangle.oldest_sequence())
                .find(|(_, facts)| facts.time > cut)
                .map_or(tangle.next_sequence(), |(sequence, _)| sequence);
        }
        self.span = u64::from(tangle.next_sequence().wrapping_sub(self.oldest));
        self.capacity = tangle.capacity() as u64;
        let (members, period) = node.genesis().map_or((1, Millis(0)), |genesis| {
            let records = node.tables().records(newest.opens());
            let members = records.map_or(genesis.members as usize, <[_]>::len);
            (members as u64, genesis.period)
        });
        self.pause = pause(
            self.span,
            self.capacity,
            members.max(1),
            period,
            self.closed,
        );
        self.burst = burst(self.span, self.capacity, members.max(1));
        if self.pause.is_none() {
            self.taken.clear();
        }
    }

    /// Vertices from the oldest unsettled one to the newest.
    #[must_use]
    pub const fn span(&self) -> u64 {
        self.span
    }

    /// Whether an epoch is due by count.
    #[must_use]
    pub const fn is_due(&self) -> bool {
        self.capacity > 0 && 16 * self.span >= EARLY * self.capacity
    }

    /// Whether something is held back at this moment.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.pause.is_some()
    }

    /// Whether a transaction of this member may be taken now.
    #[must_use]
    pub fn may_take(&self, now: Millis, member: MemberIndex) -> bool {
        let Some(pause) = self.pause else {
            return true;
        };
        self.taken
            .get(usize::from(member.0))
            .is_none_or(|until| now.0.saturating_sub(until.0) >= pause.0)
    }

    /// One was taken.
    pub fn took(&mut self, now: Millis, member: MemberIndex) {
        let Some(pause) = self.pause else {
            return;
        };
        let place = usize::from(member.0);
        if self.taken.len() <= place {
            self.taken.resize(place + 1, Millis(0));
        }
        if let Some(until) = self.taken.get_mut(place) {
            let earliest = now
                .0
                .saturating_sub(self.burst.max(1).saturating_mul(pause.0));
            *until = Millis(until.0.max(earliest).saturating_add(pause.0));
        }
    }
}

/// How long a member waits between two of its transactions: together they then fill what is free in a while, so that the room shrinks by the
/// same factor in each such while and does not end. Whoever may speak is not chosen by who is loudest. While a trim is needed the while is T/4,
/// since a trim is only possible upon vertices younger than P_max; while votes are awaited it is 2 T, and an eighth stays for the trim after.
fn pause(span: u64, capacity: u64, members: u64, period: Millis, closed: bool) -> Option<Millis> {
    if 16 * span < HOLD * capacity {
        return None;
    }
    let least = (capacity / LAST).max(2);
    let (last, time) = match closed {
        true => (least.max(capacity / 8), 2 * period.0),
        false => (least, period.0 / 4),
    };
    match capacity.saturating_sub(span).checked_sub(last) {
        None | Some(0) => Some(Millis(u64::MAX)),
        Some(free) => Some(Millis(time * members / free)),
    }
}

/// All bursts together take at most an eighth of what is free.
const fn burst(span: u64, capacity: u64, members: u64) -> u64 {
    let most = capacity.saturating_sub(span) / (8 * members);
    match most {
        0 => 1,
        1..=8 => most,
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Millis = Millis(5_000);

    #[test]
    fn nothing_is_held_below_three_quarters() {
        assert_eq!(pause(0, 1024, 200, T, true), None);
        assert_eq!(pause(767, 1024, 200, T, false), None);
        assert!(pause(768, 1024, 200, T, false).is_some());
        assert!(pause(768, 1024, 200, T, true) > pause(768, 1024, 200, T, false));
        // What the next trim needs is not given away while votes are awaited.
        assert_eq!(pause(896, 1024, 200, T, true), Some(Millis(u64::MAX)));
        assert!(pause(896, 1024, 200, T, false) < Some(T));
    }

    #[test]
    fn the_window_never_fills_however_long_nothing_is_settled() {
        for (capacity, members, closed) in [
            (65_536, 200, false),
            (65_536, 200, true),
            (8_192, 8, false),
            (256, 3, true),
            (128, 4, false),
        ] {
            let mut pressure = Pressure {
                capacity,
                ..Pressure::default()
            };
            let mut first_period = vec![0; members as usize];
            // Everybody tries all the time, for a day.
            let (mut now, step, mut held_since) = (0, 50, None);
            while now < 24 * 3_600_000 {
                now += step;
                pressure.pause = pause(pressure.span, capacity, members, T, closed);
                pressure.burst = burst(pressure.span, capacity, members);
                for member in 0..members {
                    pressure.pause = pause(pressure.span, capacity, members, T, closed);
                    let index = MemberIndex(member as u16);
                    if pressure.may_take(Millis(now), index) {
                        pressure.span += 1;
                        pressure.took(Millis(now), index);
                        if pressure.holds() && now < *held_since.get_or_insert(now) + 4 * T.0 {
                            first_period[member as usize] += 1;
                        }
                    }
                }
                if pressure.pause == Some(Millis(u64::MAX)) {
                    break;
                }
            }
            assert!(pressure.span < capacity, "{} of {capacity}", pressure.span);
            // Each could say that it is fresh and that it saw the trim.
            assert!(first_period.iter().all(|n| *n >= 3), "{first_period:?}");
        }
    }

    #[test]
    fn a_loud_member_takes_nobody_elses_turn() {
        let mut pressure = Pressure {
            pause: Some(Millis(100)),
            burst: 3,
            ..Pressure::default()
        };
        let (loud, other) = (MemberIndex(7), MemberIndex(2));
        let mut taken = 0;
        for now in 1_000..1_100 {
            let now = Millis(now);
            if pressure.may_take(now, loud) {
                pressure.took(now, loud);
                taken += 1;
            }
        }
        assert_eq!(taken, 3, "a burst, then one in 100 ms");
        assert!(!pressure.may_take(Millis(1_099), loud));
        assert!(pressure.may_take(Millis(1_099), other));
        assert!(pressure.may_take(Millis(1_100), loud));
    }
}
