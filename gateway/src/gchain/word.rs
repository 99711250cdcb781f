//! The validator's part: its account's vote beside its own, and its word that a header is anchored.
//!
//! Invariant: an account votes only for what the validator itself voted for, and its word is given only for the header that the validator holds as settled, so that
//! whoever runs the Ethereum node that it asks cannot make it say what no quorum signed.

use super::Ballot;
use crate::daemon::Shared;
use crate::epoch::hash_of;
use crate::service::write;
use anyhow::{Context, Result};
use iotedge_core::crypto::SecretKey;
use iotedge_core::posp::{Anchored, MAX_VOTE_MESSAGE};
use iotedge_core::wire::{Frame, List, Vote};
use iotedge_core::{HeaderNumber, Millis};
use tracing::info;

/// Until its own node knows of a quorum, a validator says it again after this, then after twice as long each time.
const REPEAT: u64 = 3_000;
/// The store is looked at this often for a header to say it of.
const LOOK: u64 = 200;
/// But at least this often: where its own voice is what makes the quorum, its node never hears of one.
const RAREST: u64 = 60_000;

/// See the module.
#[derive(Debug, Default)]
pub struct Word {
    look: Millis,
    due: Millis,
    pause: u64,
    said: HeaderNumber,
}

impl Word {
    /// The vote for the contract on a header that this validator voted for: kept, and to be sent. `None` without a G-Chain.
    ///
    /// # Errors
    /// The store failed, or the key.
    pub fn account_vote(
        shared: &Shared,
        number: HeaderNumber,
        index: u8,
    ) -> Result<Option<Vec<u8>>> {
        let (Some(link), Some(n)) = (&shared.gchain, &shared.neighbourhood) else {
            return Ok(None);
        };
        let (Some(header), Some(credited)) =
            (shared.store.voted(number)?, shared.store.credited(number)?)
        else {
            return Ok(None);
        };
        let neighbourhood = n.trust.neighbourhood;
        let votes = shared.store.account_votes(number)?;
        let kept = votes.iter().find(|(of, _)| *of == index);
        let signature = match kept {
            Some((_, signature)) => *signature,
            None => {
                let ballot = Ballot::of(n, number, header, credited);
                let signature = link.vote(&ballot)?;
                shared.store.put_account_vote(number, index, &signature)?;
                signature
            }
        };
        let (rs, v) = signature.split_first_chunk::<64>().context("65 bytes")?;
        let frame = Frame::AccountVote {
            header: number,
            credited,
            index,
            v: v.first().copied().unwrap_or(0),
            signature: rs,
        };
        Ok(Some(write(&frame, neighbourhood.tag())))
    }

    /// Says that the newest anchored header is, until a quorum does.
    ///
    /// # Errors
    /// The store failed.
    pub fn tick(
        &mut self,
        shared: &mut Shared,
        secret: &SecretKey,
        key: &[u8; 32],
        now: Millis,
    ) -> Result<()> {
        if shared.gchain.is_none() || now < self.look {
            return Ok(());
        }
        self.look = Millis(now.0 + LOOK);
        let Some(anchor) = shared.store.newest_anchor()? else {
            return Ok(());
        };
        if anchor.number == self.said && now < self.due {
            return Ok(());
        }
        let known = shared.node.anchored().map_or(HeaderNumber(0), |a| a.0);
        let Some(n) = (shared.neighbourhood.as_ref()).filter(|_| known < anchor.number) else {
            return Ok(());
        };
        let settled = shared.store.header(anchor.number)?.filter(|h| h.settled);
        let same = settled.and_then(|h| hash_of(&h.cose)) == Some(anchor.hash);
        let (true, Some(index)) = (same, n.trust.set.index_of(key)) else {
            return Ok(());
        };
        let neighbourhood = n.trust.neighbourhood;
        let said = Anchored {
            neighbourhood,
            number: anchor.number,
            header: anchor.hash,
            block: anchor.block,
        };
        let mut buffer = [0; MAX_VOTE_MESSAGE];
        let message = said
            .message(key, &mut buffer)
            .map_err(|e| anyhow::anyhow!("a statement cannot be written: {e:?}"))?;
        let votes = [Vote {
            index,
            signature: secret.sign(message),
        }];
        let frame = Frame::Anchored {
            header: anchor.number,
            block: anchor.block,
            votes: List::of(&votes),
        };
        let frame = write(&frame, neighbourhood.tag());
        if self.said != anchor.number {
            info!(
                header = anchor.number.0,
                block = anchor.block,
                "says that it is anchored"
            );
            self.pause = REPEAT;
        }
        self.said = anchor.number;
        self.due = Millis(now.0 + self.pause);
        self.pause = (2 * self.pause).min(RAREST);
        for to in shared.everyone() {
            shared.out.push((to, frame.clone()));
        }
        Ok(())
    }
}
