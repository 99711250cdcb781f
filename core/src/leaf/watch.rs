//! What became of an own transaction: who holds it, who approves it, and whether it was settled or is dead.
//!
//! Invariant: `Held` and `Witnessed` count distinct neighbours besides the one to which it was sent first, so no single one can say so. `Settled` and `Dead`
//! follow from proved records and paths alone; each is told once.

use super::state::{Followed, Opening, Standing};
use super::{Error, Event, Leaf, bit};
use crate::crypto::Verify;
use crate::platform::Platform;
use crate::types::{HeaderNumber, Id, Millis, Prefix};
use crate::wire::list::List;
use crate::wire::merkle;
use crate::wire::near::{Sighting, Stand};

/// How a proved record decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Settled,
    Dead,
    /// Settled or dead: only a proof of its own can tell.
    Unclear,
}

impl<P: Platform, V: Verify> Leaf<'_, P, V> {
    #[inline(never)]
    pub(super) fn on_sighting(&mut self, now: Millis, place: usize, seen: &Sighting) {
        self.on_tip_seen(place, seen);
        if self.candidate.is_some() {
            self.asked.soon(now);
        }
        let needed = self.needed();
        let found = self.followed.iter_mut().flatten().filter(|f| !f.over);
        let Some(own) = found.into_iter().find(|f| f.id == seen.id) else {
            return;
        };
        if seen.stand >= Stand::Held {
            own.held |= bit(place);
        }
        if seen.stand >= Stand::Approved {
            own.approved |= bit(place);
        }
        let id = own.id;
        let held = !own.told_held && Self::besides(own.held, own.via) >= needed;
        let witnessed = !own.told_witnessed && Self::besides(own.approved, own.via) >= needed;
        own.told_held |= held;
        own.told_witnessed |= witnessed;
        if held {
            self.tell(Event::Held { id });
            self.asked.soon(now);
        }
        if witnessed {
            self.tell(Event::Witnessed { id });
        }
    }

    /// Somebody wants the bytes of an own transaction.
    #[inline(never)]
    pub(super) fn on_request(&mut self, place: usize, prefixes: List<'_, Prefix>) {
        for prefix in prefixes {
            let at = self
                .followed
                .iter()
                .position(|f| f.is_some_and(|f| f.id.prefix() == prefix));
            if let Some(slot) = at {
                self.send_tx(slot, |p, _| p == place);
            }
        }
    }

    /// An inclusion proof of an own transaction.
    #[inline(never)]
    pub(super) fn on_proof(
        &mut self,
        header: HeaderNumber,
        id: &Id,
        (leaf, size): (u32, u32),
        path: List<'_, Id>,
    ) -> Result<(), Error> {
        let opening = self.opening(header.opens()).ok_or(Error::NotForMe)?;
        let known = self.open().any(|f| f.id == *id);
        if !known {
            return Err(Error::NotForMe);
        }
        // Leaf 0 is the header itself.
        if leaf == 0 || size != opening.size {
            return Err(Error::Forged);
        }
        merkle::verify_inclusion(&merkle::leaf_hash(&id.0), leaf, size, path, &opening.tree)
            .map_err(|_| Error::Forged)?;
        self.end(id, Event::Settled { id: *id, header });
        Ok(())
    }

    /// Decides what the newest proved records decide.
    #[inline(never)]
    pub(super) fn judge(&mut self) {
        let [Some(newest), before] = self.openings else {
            return;
        };
        let Some(standing) = newest.standing else {
            return;
        };
        let before = before.filter(|b| b.epoch.checked_add(1) == Some(newest.epoch));
        for slot in 0..self.followed.len() {
            let Some(own) = self.followed.get(slot).copied().flatten() else {
                continue;
            };
            if own.over || !is_over(&own, &newest) {
                continue;
            }
            let id = own.id;
            let header = newest.header();
            match verdict(&own, &newest, &standing, before.as_ref()) {
                Verdict::Settled => self.end(&id, Event::Settled { id, header }),
                Verdict::Dead => self.end(&id, Event::Dead { id }),
                Verdict::Unclear => {}
            }
        }
    }

    /// Whether a proof of its own is needed.
    #[inline(never)]
    pub(super) fn is_unclear(&self, own: &Followed) -> bool {
        let [Some(newest), before] = &self.openings else {
            return false;
        };
        let before = before.filter(|b| b.epoch.checked_add(1) == Some(newest.epoch));
        newest.standing.as_ref().is_some_and(|s| {
            !own.over
                && is_over(own, newest)
                && verdict(own, newest, s, before.as_ref()) == Verdict::Unclear
        })
    }

    #[inline(never)]
    fn end(&mut self, id: &Id, event: Event) {
        let at = self
            .followed
            .iter()
            .position(|f| f.is_some_and(|f| f.id == *id));
        let Some(place) = at.and_then(|at| self.followed.get_mut(at)) else {
            return;
        };
        if let Some(own) = place {
            own.over = true;
            let own = *own;
            self.store_over(own.number, id);
            self.tell(event);
        }
    }
}

/// Whether no later header than the one that opened this can settle `own`: it cut at or after its time, or its epoch is void from then on.
fn is_over(own: &Followed, opening: &Opening) -> bool {
    own.time <= opening.clock || own.epoch.is_void_from(opening.epoch)
}

/// It is over with `newest`, so it is decided there or before.
fn verdict(
    own: &Followed,
    newest: &Opening,
    standing: &Standing,
    before: Option<&Opening>,
) -> Verdict {
    // In no settled epoch up to there, and too old for a later one; a later number may live in the next, above it.
    let missed = |opening: &Opening, standing: &Standing| {
        is_over(own, opening) && standing.head < own.number
    };
    if missed(newest, standing) || before.is_some_and(|b| b.standing.is_some_and(|s| missed(b, &s)))
    {
        return Verdict::Dead;
    }
    if standing.head_id == own.id {
        return Verdict::Settled;
    }
    // A later one of the chain lives in exactly this epoch, and `own` belongs to it: so it lives with it (protocol section 8, decision 0020).
    let here = before.is_some_and(|b| {
        own.time > b.clock
            && own.time <= newest.clock
            && b.standing.is_some_and(|s| s.head < own.number)
    });
    match here {
        true => Verdict::Settled,
        false => Verdict::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::Chain;
    use super::super::store::{Stored, followed};
    use super::*;
    use crate::identity::record::Caps;
    use crate::{Amount, Epoch, Number};

    fn opening(epoch: u32, clock: u64, head: u32) -> Opening {
        Opening {
            epoch: Epoch(epoch),
            clock: Millis(clock),
            members: 4,
            table: Id::ZERO,
            tree: Id::ZERO,
            size: 1,
            standing: Some(Standing {
                head: Number(head),
                head_id: Id([9; 32]),
                credits: Amount(0),
                debits: Amount(0),
                caps: Caps::default(),
                may_issue: true,
            }),
        }
    }

    fn said(epoch: u32, number: u32, time: u64) -> Followed {
        let chain = Chain {
            number: Number(number),
            id: Id([1; 32]),
            time: Millis(time),
            epoch: Epoch(epoch),
            ..Chain::default()
        };
        followed(&Stored {
            ticket: 0,
            chain,
            amount: Amount(0),
            over: false,
            parents: heapless::Vec::new(),
            cose: &[],
        })
    }

    /// Issued in epoch 4 by who had not heard yet that epoch 5 had begun, above the cut of header 6 and so not in it; header 7 settles epochs 5 and 6,
    /// and in it what was said next.
    #[test]
    fn what_died_below_what_lives_is_not_taken_for_settled() {
        let own = said(4, 47, 351);
        let before = opening(7, 349, 46);
        let newest = opening(8, 429, 53);
        let verdict_of = |own: &Followed, newest: &Opening, before: Option<&Opening>| {
            verdict(own, newest, &newest.standing.unwrap(), before)
        };
        assert!(is_over(&own, &before));
        assert_eq!(verdict_of(&own, &before, None), Verdict::Dead);
        assert_eq!(verdict_of(&own, &newest, Some(&before)), Verdict::Dead);
        // Who did not see header 6 needs a proof.
        assert_eq!(verdict_of(&own, &newest, None), Verdict::Unclear);
        let next = said(5, 49, 363);
        assert!(!is_over(&next, &before));
        assert_eq!(verdict_of(&next, &newest, Some(&before)), Verdict::Settled);
    }
}
