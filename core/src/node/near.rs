//! What a node does for leaves: offers tips, says how it stands to transactions, proves records, shows a member its own newest transaction
//! (protocol section 10; decision 0020).
//!
//! All of it is read from the window and the tables; nothing here changes the ledger's state, and nothing is said that the leaf must believe. Each
//! answer costs its sender a token, a record's path one for every 16 members that were hashed for it.

use super::event::{Peer, Refusal};
use super::gossip::Control;
use super::intake::split;
use super::{Node, Phase};
use crate::crypto::Verify;
use crate::identity::Roles;
use crate::identity::record::MAX_RECORD;
use crate::platform::Platform;
use crate::tangle::Standing;
use crate::wire::list::{List, Raw};
use crate::wire::near::{MAX_OFFERED, MAX_SIGHTINGS, Near, Sighting, Stand};
use crate::wire::{Frame, Writer, merkle};
use crate::{Epoch, Id, MAX_PARENTS, MemberIndex, Millis};
use heapless::Vec;

/// Members whose records are hashed for one token.
const RECORDS_PER_TOKEN: usize = 16;

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    #[inline(never)]
    pub(crate) fn on_near(
        &mut self,
        now: Millis,
        from: Peer,
        place: usize,
        near: Near<'_>,
    ) -> Result<(), Refusal> {
        match near {
            Near::OfferRequest => {
                // It holds no window, so announcements are wasted on it.
                if let Some(state) = self.peers.get_mut(place)
                    && !state.fed
                {
                    state.leaf = true;
                }
                self.say(from, Control::Offer);
                Ok(())
            }
            Near::WitnessRequest(ids) => {
                for id in ids {
                    self.watch_leaf(&id);
                    self.say(from, Control::Witness { id });
                }
                Ok(())
            }
            Near::RecordRequest { epoch, device } => {
                let records = self.tables.records(epoch).ok_or(Refusal::NotForMe)?;
                let cost = records.len().div_ceil(RECORDS_PER_TOKEN);
                let member = records.iter().position(|r| r.device == device);
                let member = member.and_then(|m| u16::try_from(m).ok()).map(MemberIndex);
                let cost = u32::try_from(cost).unwrap_or(u32::MAX);
                if let Some(state) = self.peers.get_mut(place)
                    && !state.bucket.take(now, state.rate(), cost)
                {
                    return Err(Refusal::RateLimited);
                }
                let member = member.ok_or(Refusal::UnknownIssuer)?;
                self.say(from, Control::Record { epoch, member });
                Ok(())
            }
            Near::ShowRequest { member } => {
                if self.record(self.tables.newest(), member)?.is_none() {
                    return Err(Refusal::UnknownIssuer);
                }
                self.say(from, Control::Show { member });
                Ok(())
            }
            Near::Claim(cose) => self.on_claim(now, from, place, cose),
            Near::Offer { .. } | Near::Witness(_) | Near::Record { .. } | Near::Show { .. } => {
                Err(Refusal::NotForMe)
            }
        }
    }

    /// A leaf's own transaction is followed, where there is a place, so that it can be said who approves it.
    fn watch_leaf(&mut self, id: &Id) {
        let issuer = self.tangle.get(id).map(|f| f.issuer);
        let newest = self.tables.newest();
        let record = issuer.and_then(|issuer| self.record(newest, issuer).ok().flatten());
        if record.is_some_and(|r| r.roles.has(Roles::SUBMIT_ONLY)) {
            // Without a place it is held and not called approved: no harm.
            let _ = self.tangle.watch(&self.tables, id);
        }
    }

    #[inline(never)]
    pub(crate) fn write_offer(&mut self, now: Millis, out: &mut [u8]) -> Option<usize> {
        if matches!(self.phase, Phase::Outside | Phase::Synchronising) {
            return None;
        }
        let mut tips = [Id::ZERO; MAX_PARENTS - 1];
        let count = self.choose_tips(now, false, &mut tips).ok()?;
        let tips = tips.get(..count.min(MAX_OFFERED))?;
        let clock = match self.offset {
            Some(_) => self.absolute(now),
            None => Millis(0),
        };
        let (place, term) = self.line(now);
        Frame::Near(Near::Offer {
            place,
            term,
            now: clock,
            header: self.headers.newest(),
            tips: List::of(tips),
        })
        .write(self.neighbourhood.tag(), out)
        .ok()
    }

    /// How this node stands to a transaction.
    pub(crate) fn sighting(&self, id: &Id) -> Sighting {
        let Some(facts) = self.tangle.get(id) else {
            return Sighting {
                id: *id,
                ..Sighting::default()
            };
        };
        let barred = self.tangle.forked(facts.issuer) || self.tangle.frozen(facts.issuer);
        let approved = self.index.is_some_and(|i| self.tangle.approves(i, id));
        let stand = if barred {
            Stand::Barred
        } else if self.tangle.standing(id) >= Some(Standing::Quorum) && self.tangle.can_judge(id) {
            Stand::Quorum
        } else if approved {
            Stand::Approved
        } else {
            Stand::Held
        };
        Sighting {
            id: *id,
            stand,
            time: facts.time,
            epoch: self.tangle.hands_on(id).unwrap_or(facts.epoch),
        }
    }

    /// Answers for this id, and for others that wait for the same neighbour.
    #[inline(never)]
    pub(crate) fn write_witness(&mut self, peer: Peer, id: Id, out: &mut [u8]) -> Option<usize> {
        let mut seen: Vec<Sighting, MAX_SIGHTINGS> = Vec::new();
        let _ = seen.push(self.sighting(&id));
        for _ in 0..self.control.len() {
            let Some((to, control)) = self.next_said() else {
                break;
            };
            match control {
                Control::Witness { id } if to == peer && !seen.is_full() => {
                    let _ = seen.push(self.sighting(&id));
                }
                other => {
                    self.say(to, other);
                }
            }
        }
        Frame::Near(Near::Witness(List::of(&seen)))
            .write(self.neighbourhood.tag(), out)
            .ok()
    }

    #[inline(never)]
    pub(crate) fn write_record(
        &self,
        epoch: Epoch,
        member: MemberIndex,
        out: &mut [u8],
    ) -> Option<usize> {
        let records = self.tables.records(epoch)?;
        let mut path = [Id::ZERO; merkle::MAX_PATH];
        let leaf = |at: u32| {
            let record = usize::try_from(at).ok().and_then(|at| records.get(at));
            record.and_then(|r| r.leaf().ok()).unwrap_or(Id::ZERO)
        };
        let size = u32::try_from(records.len()).ok()?;
        let len = merkle::path(member.0.into(), size, leaf, &mut path).ok()?;
        let mut buffer = [0; MAX_RECORD];
        let mut w = Writer::new(&mut buffer);
        records.get(usize::from(member.0))?.encode(&mut w).ok()?;
        Frame::Near(Near::Record {
            epoch,
            record: Raw(w.written()),
            path: List::of(path.get(..len)?),
        })
        .write(self.neighbourhood.tag(), out)
        .ok()
    }

    #[inline(never)]
    pub(crate) fn write_show(&self, member: MemberIndex, out: &mut [u8]) -> Option<usize> {
        let head = self.tangle.head(&self.tables, member)?;
        let cose = self.raw(&head.id).and_then(|raw| split(raw).ok());
        let proof = cose.map(|(cose, _)| cose).zip(self.parents_hash(&head.id));
        Frame::Near(Near::Show {
            member,
            number: head.number,
            proof,
        })
        .write(self.neighbourhood.tag(), out)
        .ok()
    }
}
