//! A transaction before it is signed: the parents that were chosen, held against the room that a frame has.
//!
//! Invariant: what `encode` gives fits the limit, and the first parent always stays: a transaction without its place in
//! the issuer's chain would be no transaction. Tips go, last chosen first, because an approval less costs less than a frame
//! that no radio carries (DESIGN: a transfer is at most 160 bytes, a reading with one value 190).

use super::signed::frame_len;
use super::{Body, MAX_READING_FRAME, MAX_TRANSFER_FRAME, Parents, Payload, TxError};
use crate::types::{Epoch, Id, MAX_FRAME, MemberIndex, Number};
use crate::wire::senml::Pack;

/// What the issuer wants to sign.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// Epoch of the vertex.
    pub epoch: Epoch,
    /// Who issues it.
    pub issuer: MemberIndex,
    /// Its number in the issuer's chain.
    pub number: Number,
    /// Milliseconds since the epoch's clock began.
    pub offset: u32,
    /// The issuer's previous transaction, or its G0.
    pub first: Id,
    /// Tips in the order in which they were chosen, the most wanted first.
    pub tips: &'a [Id],
    /// What it says.
    pub body: Body<'a>,
}

/// A payload that fits.
#[derive(Clone, Copy, Debug)]
pub struct Fitted<'o> {
    /// The encoded payload.
    pub payload: &'o [u8],
    /// The parents that it names.
    pub parents: Parents,
    /// How many tips were left out, from the end of the draft's list.
    pub dropped: usize,
}

impl Draft<'_> {
    /// The longest frame that this body should make: 160 for a transfer, 190 for a reading with one value, else 1400.
    #[must_use]
    pub fn limit(&self) -> usize {
        match self.body {
            Body::Transfer { .. } => MAX_TRANSFER_FRAME,
            Body::Data(bytes) => match Pack::parse(bytes) {
                Ok(pack) if pack.len() == 1 => MAX_READING_FRAME,
                _ => MAX_FRAME,
            },
            _ => MAX_FRAME,
        }
    }

    /// Writes the payload to the start of `out`, with as many of the tips as fit the limit of its body.
    pub fn encode<'o>(&self, out: &'o mut [u8]) -> Result<Fitted<'o>, TxError> {
        self.encode_as::<true>(self.limit(), out)
    }

    /// The same, for the bodies that leaves sign; any other is `UnsupportedKind`, and what writes it is not in the program of a leaf.
    pub fn encode_by_leaf<'o>(&self, out: &'o mut [u8]) -> Result<Fitted<'o>, TxError> {
        self.encode_as::<false>(self.limit(), out)
    }

    /// The same under a limit of the caller's, for example of its radio, or of the room that an attachment leaves.
    pub fn encode_within<'o>(
        &self,
        limit: usize,
        out: &'o mut [u8],
    ) -> Result<Fitted<'o>, TxError> {
        self.encode_as::<true>(limit, out)
    }

    fn encode_as<'o, const ALL: bool>(
        &self,
        limit: usize,
        out: &'o mut [u8],
    ) -> Result<Fitted<'o>, TxError> {
        let mut tips = self.tips;
        loop {
            let parents = Parents::new(self.first, tips)?;
            let len = match self.payload(&parents)?.encode_as::<ALL>(out) {
                Ok(payload) => Some(payload.len()),
                Err(TxError::PayloadTooLong) => None,
                Err(error) => return Err(error),
            };
            match (len, tips.split_last()) {
                (Some(len), _) if frame_len(len) <= limit => {
                    return Ok(Fitted {
                        payload: out.get(..len).unwrap_or(&[]),
                        parents,
                        dropped: self.tips.len().saturating_sub(tips.len()),
                    });
                }
                (_, Some((_, fewer))) => tips = fewer,
                (None, None) => return Err(TxError::PayloadTooLong),
                (Some(_), None) => return Err(TxError::FrameTooLong),
            }
        }
    }

    fn payload(&self, parents: &Parents) -> Result<Payload<'_>, TxError> {
        Ok(Payload {
            epoch: self.epoch,
            issuer: self.issuer,
            number: self.number,
            offset: self.offset,
            parents: parents.prefixes()?,
            body: self.body,
        })
    }
}

#[cfg(test)]
mod tests;
