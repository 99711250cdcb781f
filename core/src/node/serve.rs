//! What any node can pass on to a neighbour that cannot reach the gateway: the genesis, settled headers with their votes, member tables.
//!
//! All of it proves itself, so it does not matter who passes it on. Proofs of single transactions need the whole epoch tree: those
//! only a gateway or a validator has.

use super::event::{Peer, Refusal};
use super::gossip::Control;
use super::{Node, keys};
use crate::copy::{copy, gather};
use crate::crypto::Verify;
use crate::identity::record::MAX_RECORD;
use crate::identity::sign1;
use crate::platform::Platform;
use crate::posp::MAX_HEADER_COSE;
use crate::wire::frame::{MAX_RECORDS, MAX_VOTES};
use crate::wire::list::{List, Raw, Vote};
use crate::wire::{Frame, FrameType, Writer};
use crate::{Epoch, HeaderNumber, MAX_FRAME, MemberIndex};
use heapless::Vec;

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    pub(crate) fn on_header_request(
        &mut self,
        from: Peer,
        header: HeaderNumber,
    ) -> Result<(), Refusal> {
        let held = self
            .headers
            .proof(header)
            .is_some_and(|p| p.signature.is_some() && p.settled.is_some());
        if !held {
            return Err(Refusal::NotForMe);
        }
        self.say(from, Control::Header { header });
        Ok(())
    }

    pub(crate) fn on_table_request(
        &mut self,
        from: Peer,
        epoch: Epoch,
        first: MemberIndex,
    ) -> Result<(), Refusal> {
        if !self.tables.enrolled(epoch, first) {
            return Err(Refusal::NotForMe);
        }
        self.say(from, Control::Table { epoch, first });
        Ok(())
    }

    pub(crate) fn on_genesis_request(&mut self, from: Peer) -> Result<(), Refusal> {
        if self.genesis.is_none() {
            return Err(Refusal::NotForMe);
        }
        self.say(from, Control::Genesis);
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn write_header(&mut self, header: HeaderNumber, out: &mut [u8]) -> Option<usize> {
        let gl_node = self.genesis.as_ref()?.gl_node;
        let key = self.record(self.tables.newest(), gl_node).ok()??.key;
        let proof = self.headers.proof(header)?;
        let mut cose = [0u8; MAX_HEADER_COSE];
        let len = sign1::assemble(
            &sign1::protected(&key),
            &proof.payload,
            &proof.signature?,
            &mut cose,
        )
        .ok()?;
        Frame::Header {
            cose: cose.get(..len)?,
            path: List::of(&proof.path),
        }
        .write(self.neighbourhood.tag(), out)
        .ok()
    }

    #[inline(never)]
    pub(crate) fn write_votes(
        &mut self,
        peer: Peer,
        header: HeaderNumber,
        first: usize,
        out: &mut [u8],
    ) -> Option<usize> {
        let proof = self.headers.proof(header)?;
        let votes: Vec<Vote, MAX_VOTES> = gather(proof.votes.iter().skip(first).copied());
        let next = first.saturating_add(votes.len());
        let more = next < proof.votes.len();
        let len = Frame::Votes {
            header,
            votes: List::of(&votes),
        }
        .write(self.neighbourhood.tag(), out)
        .ok()?;
        if more {
            self.say(
                peer,
                Control::Votes {
                    header,
                    first: next,
                },
            );
        }
        Some(len)
    }

    #[inline(never)]
    pub(crate) fn write_table(
        &mut self,
        epoch: Epoch,
        first: MemberIndex,
        out: &mut [u8],
    ) -> Option<usize> {
        let mut member = first;
        let mut bytes = [0u8; MAX_FRAME];
        let mut w = Writer::new(&mut bytes);
        let mut ends: Vec<usize, MAX_RECORDS> = Vec::new();
        while let Ok(Some(record)) = self.record(epoch, member) {
            member = member.saturating_add(1);
            // Head of the frame, of the list and of each item stay free.
            let room = w.len().saturating_add(MAX_RECORD) < MAX_FRAME.saturating_sub(32);
            if !room || record.encode(&mut w).is_err() || ends.push(w.len()).is_err() {
                break;
            }
        }
        let mut start = 0usize;
        let mut chunk: Vec<Raw<'_>, MAX_RECORDS> = Vec::new();
        for &end in &ends {
            let _ = chunk.push(Raw(bytes.get(start..end)?));
            start = end;
        }
        Frame::Table {
            epoch,
            first,
            records: List::of(&chunk),
        }
        .write(self.neighbourhood.tag(), out)
        .ok()
    }

    /// The stored pair is the body of the frame already.
    #[inline(never)]
    pub(crate) fn write_genesis(&mut self, out: &mut [u8]) -> Option<usize> {
        let (head, body) = out.split_at_mut_checked(5)?;
        copy(head, &[0, 0, 0, 0, FrameType::Genesis.number()]);
        let room = body.get_mut(..MAX_FRAME.saturating_sub(5))?;
        let len = self.platform.get(keys::GENESIS, room).ok()??;
        len.checked_add(5)
    }
}
