//! The gateway's part: settled headers go to the contract, in order, each with votes of more than two thirds of the stake.
//!
//! Invariant: it follows from the store which header is next: the one after the newest that the contract told of. So nothing is lost by a restart, and what is
//! brought twice is not sent twice, for the thread looks at the contract first.

use super::{Ballot, Bring};
use crate::daemon::Shared;
use crate::epoch::{hash_of, payload_of};
use crate::metrics::Exposition;
use crate::service::write;
use anyhow::Result;
use iotedge_core::posp::{Header, MAX_SET};
use iotedge_core::wire::{Frame, Writer};
use iotedge_core::{HeaderNumber, Millis};
use iotedge_gchain::packed_votes;
use std::net::SocketAddr;
use tracing::{info, warn};

/// Validators that have not voted for the contract are asked this often.
const REPEAT: u64 = 1_000;

/// The store is looked at this often for what is next; a header takes the thread longer.
const LOOK: u64 = 200;
/// What the contract refused is brought again after this.
const REFUSED: u64 = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub struct Anchoring {
    /// The newest header that was handed to the thread.
    handed: HeaderNumber,
    due: Millis,
    refused: u64,
}

impl Anchoring {
    /// The next step: hands the next header on, or asks for votes for it.
    ///
    /// # Errors
    /// The store failed.
    pub fn tick(
        &mut self,
        shared: &mut Shared,
        validators: &[SocketAddr],
        now: Millis,
    ) -> Result<()> {
        let Some(link) = &mut shared.gchain else {
            return Ok(());
        };
        if let Some(refused) = link.refused.take() {
            self.handed = HeaderNumber(refused.0.saturating_sub(1));
            self.due = Millis(now.0 + REFUSED);
        }
        if now < self.due {
            return Ok(());
        }
        self.due = Millis(now.0 + LOOK);
        let anchored = shared.store.newest_anchor()?;
        let anchored = anchored.map_or(HeaderNumber(0), |a| a.number);
        let next = HeaderNumber(self.handed.max(anchored).0 + 1);
        let settled = shared.store.header(next)?.filter(|h| h.settled);
        let (Some(stored), Some(n)) = (settled, &shared.neighbourhood) else {
            return Ok(());
        };
        let (Some(payload), Some(credited)) =
            (payload_of(&stored.cose), shared.store.credited(next)?)
        else {
            return Ok(());
        };
        let set = &n.trust.set;
        let ballot = Ballot::of(n, next, Header::hash(&payload), credited);
        let mut votes = shared.store.account_votes(next)?;
        // Who has no collateral any more has no vote: the contract would refuse the header for it.
        votes.retain(|(index, signature)| {
            let validator = set.get(*index).ok();
            validator.is_some_and(|v| link.holds(&v.key, &ballot, signature) == Some(true))
        });
        let stake = |index: &u8| set.get(*index).map_or(0, |v| u128::from(v.stake));
        let signed: u128 = votes.iter().map(|(index, _)| stake(index)).sum();
        if !set.is_quorum(signed) {
            self.due = Millis(now.0 + REPEAT);
            let ask = Frame::Proposal {
                cose: &stored.cose,
                credited,
            };
            let ask = write(&ask, n.trust.neighbourhood.tag());
            for (index, address) in (0_u8..).zip(validators) {
                if !votes.iter().any(|(voted, _)| *voted == index) {
                    shared.out.push(((*address).into(), ask.clone()));
                }
            }
            return Ok(());
        }
        let mut buffer = [0; MAX_SET];
        let mut w = Writer::new(&mut buffer);
        set.encode(&mut w)
            .map_err(|e| anyhow::anyhow!("the set cannot be written: {e:?}"))?;
        let bring = Bring {
            number: next,
            hash: ballot.header,
            header: payload,
            set: w.written().to_vec(),
            credited,
            votes: packed_votes(&votes),
        };
        info!(header = next.0, votes = votes.len(), "to the G-Chain");
        link.bring(bring);
        self.handed = next;
        Ok(())
    }

    /// A validator's vote for the contract.
    ///
    /// # Errors
    /// The store failed.
    pub fn on_vote(
        &mut self,
        shared: &Shared,
        number: HeaderNumber,
        credited: u32,
        index: u8,
        signature: &[u8; 65],
    ) -> Result<()> {
        let (Some(link), Some(n)) = (&shared.gchain, &shared.neighbourhood) else {
            return Ok(());
        };
        let Some(stored) = shared.store.header(number)? else {
            return Ok(());
        };
        let known = shared.store.credited(number)? == Some(credited);
        let (Some(header), Ok(validator), true) =
            (hash_of(&stored.cose), n.trust.set.get(index), known)
        else {
            return Ok(());
        };
        let ballot = Ballot::of(n, number, header, credited);
        match link.holds(&validator.key, &ballot, signature) {
            Some(true) => shared.store.put_account_vote(number, index, signature)?,
            Some(false) => {
                self.refused += 1;
                warn!(
                    validator = index,
                    header = number.0,
                    "a vote for the contract is not of the account that this validator joined with"
                );
            }
            // Asked for again when the contract has told whose account it is.
            None => {}
        }
        Ok(())
    }

    /// Adds its metrics.
    pub fn metrics(&self, page: &mut Exposition) {
        page.gauge(
            "gchain_brought",
            "Newest header that was brought to the G-Chain with its votes.",
            self.handed.0.into(),
        );
        page.counter(
            "gchain_votes_refused_total",
            "Votes for the contract that do not hold.",
            self.refused,
        );
    }
}
