//! What a leaf must know of a transaction that bears its own signature: everything but the body.
//!
//! Invariant: nothing here is believed before the signature by the own key holds. Then it was checked when it was signed, so its body is not read again; only the
//! debits are taken out of it, which the next transfer goes on from.

use super::payload::VERSION;
use super::signed::protected;
use super::{Kind, Payload, TxError};
use crate::crypto::{Signature, Suite};
use crate::identity::sign1::Sign1;
use crate::types::{Amount, Epoch, Id, MemberIndex, Number};
use crate::wire::Reader;

/// The outline of a transaction whose signature nobody has checked.
#[derive(Clone, Copy, Debug)]
pub struct Outline<'a> {
    /// Epoch of the vertex.
    pub epoch: Epoch,
    /// Who issues it.
    pub issuer: MemberIndex,
    /// Its number in the issuer's chain.
    pub number: Number,
    /// Milliseconds since the epoch's clock began.
    pub offset: u32,
    /// The issuer's lifetime debits with it, where value leaves its account.
    pub debits: Option<Amount>,
    /// The bytes that are hashed and signed.
    pub payload: &'a [u8],
    /// The signature.
    pub signature: Signature,
}

impl<'a> Outline<'a> {
    /// Reads it from a COSE_Sign1 of this suite.
    ///
    /// # Errors
    /// Where it is none, or another suite's.
    pub fn parse(cose: &'a [u8], suite: Suite) -> Result<Self, TxError> {
        let sign1 = Sign1::parse(cose)?;
        if sign1.protected != protected(suite) {
            return Err(TxError::Protected);
        }
        let mut r = Reader::new(sign1.payload);
        r.take_array_of(8);
        if r.take_uint() != VERSION {
            return Err(TxError::Version);
        }
        let (epoch, issuer) = (Epoch(r.take_u32()), MemberIndex(r.take_u16()));
        let (number, offset) = (Number(r.take_u32()), r.take_u32());
        r.take_bytes();
        let kind = r.take_u8();
        let mut body = Reader::new(r.take_item());
        r.finish()?;
        // [to, amount, debits], [to, amount, debits, term, terms], [amount, debits, target]
        let place = match Kind::from_number(kind) {
            Some(Kind::Transfer) => Some((3, 2)),
            Some(Kind::Lock) => Some((5, 2)),
            Some(Kind::Exit) => Some((3, 1)),
            _ => None,
        };
        let debits = place.map(|(all, before)| {
            body.take_array_of(all);
            for _ in 0..before {
                body.take_uint();
            }
            Amount(body.take_uint())
        });
        body.intact()?;
        Ok(Self {
            epoch,
            issuer,
            number,
            offset,
            debits,
            payload: sign1.payload,
            signature: sign1.signature,
        })
    }

    /// Its id. Counts as seen only once the signature was checked.
    #[must_use]
    pub fn id(&self, neighbourhood: &Id) -> Id {
        Payload::id_of(neighbourhood, self.payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SecretKey;
    use crate::sale::Terms;
    use crate::tx::{Body, MAX_COSE, MemberOp, Parents, Unverified, sign_with};
    use crate::types::MAX_PAYLOAD;
    use crate::types::SaleNumber;

    #[test]
    fn it_says_what_the_transaction_says() {
        let (amount, debits, target) = (Amount(70_000), Amount(1 << 40), [7; 20]);
        let to = MemberIndex(600);
        for body in [
            Body::Data(&[1, 2, 3]),
            Body::Service(&[9; 300]),
            Body::Transfer { to, amount, debits },
            Body::Exit {
                amount,
                debits,
                target,
            },
            Body::Lock {
                to,
                amount,
                debits,
                term: 60_000,
                terms: Terms::Ticks {
                    sale: SaleNumber(1),
                    units: 7,
                    anchor: Id([6; 32]),
                },
            },
            Body::Member(MemberOp::Leave),
        ] {
            let parents = Parents::new(Id([9; 32]), &[Id([7; 32]), Id([3; 32])]).unwrap();
            let payload = Payload {
                epoch: Epoch(70_000),
                issuer: MemberIndex(300),
                number: Number(5),
                offset: 1_234,
                parents: parents.prefixes().unwrap(),
                body,
            };
            let key = SecretKey::from_seed(&[1; 32]).unwrap();
            let (mut bytes, mut cose) = ([0; MAX_PAYLOAD], [0; MAX_COSE]);
            let encoded = payload.encode(&mut bytes).unwrap();
            let neighbourhood = Id([4; 32]);
            let tx = sign_with(&key, &neighbourhood, encoded, &parents, &mut cose).unwrap();
            let outline = Outline::parse(tx.cose(), Suite::Ed25519).unwrap();
            assert_eq!(outline.epoch, payload.epoch);
            assert_eq!(outline.issuer, payload.issuer);
            assert_eq!(outline.number, payload.number);
            assert_eq!(outline.offset, payload.offset);
            assert_eq!(outline.debits, body.debit().map(|(_, debits)| debits));
            assert_eq!(outline.payload, encoded);
            assert_eq!(outline.id(&neighbourhood), tx.id());
            let whole = Unverified::parse(tx.cose()).unwrap();
            assert_eq!(outline.signature, *whole.signature());
            for end in 0..tx.cose().len() {
                assert!(Outline::parse(&tx.cose()[..end], Suite::Ed25519).is_err());
            }
            let other = Outline::parse(tx.cose(), Suite::Es256).err();
            assert_eq!(other, Some(TxError::Protected));
        }
    }
}
