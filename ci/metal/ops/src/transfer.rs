//! A transfer made and checked, each beside the bare operation over the same message, as ci/bench does on a host; and sealing.

use crate::room;
use core::hint::black_box;
use iotedge_core::crypto::seal::{Key, Nonce, Tag, open, seal};
use iotedge_core::crypto::{PublicKey, SecretKey, Signature, Software, Verify};
use iotedge_core::tx::{
    Body, Draft, MAX_COSE, MAX_SIGNING_INPUT, Parents, Unverified, sign_with, signing_input,
};
use iotedge_core::{Amount, Epoch, Id, MAX_PAYLOAD, MemberIndex, Number};

const NEIGHBOURHOOD: Id = Id([0x5a; 32]);
const TIPS: [Id; 2] = [Id([2; 32]), Id([3; 32])];

/// With two chosen tips, and the numbers of a neighbourhood of 1,000 members in its second year.
const DRAFT: Draft<'_> = Draft {
    epoch: Epoch(700),
    issuer: MemberIndex(412),
    number: Number(61_234),
    offset: 43_200_123,
    first: Id([1; 32]),
    tips: &TIPS,
    body: Body::Transfer {
        to: MemberIndex(87),
        amount: Amount(1_250),
        debits: Amount(81_503_250),
    },
};

pub struct Transfer {
    key: SecretKey,
    public: PublicKey,
    parents: Parents,
    message: &'static [u8],
    signature: Signature,
    cose: &'static [u8],
}

impl Transfer {
    pub fn new() -> Self {
        let key = SecretKey::from_seed(&[3; 32]).expect("a seed");
        let public = key.public_key();
        let mut bytes = [0; MAX_PAYLOAD];
        let fitted = DRAFT.encode(&mut bytes).expect("fits");
        let cose = room::slice(0, MAX_COSE);
        let tx = sign_with(&key, &NEIGHBOURHOOD, fitted.payload, &fitted.parents, cose);
        let cose = tx.expect("signs").cose();
        let hash = fitted.parents.hash();
        let message = room::slice(0, MAX_SIGNING_INPUT);
        let message = signing_input(
            &NEIGHBOURHOOD,
            public.suite(),
            fitted.payload,
            &hash,
            message,
        );
        let signature = *Unverified::parse(cose).expect("parses").signature();
        Self {
            message: message.expect("fits"),
            parents: fitted.parents,
            key,
            public,
            signature,
            cose,
        }
    }

    pub fn bare_sign(&self) -> bool {
        self.key.sign(black_box(self.message)) == self.signature
    }

    /// From the fields to the bytes of the COSE_Sign1.
    pub fn create(&self) -> bool {
        let (mut room, mut cose) = ([0; MAX_PAYLOAD], [0; MAX_COSE]);
        let Ok(fitted) = black_box(&DRAFT).encode(&mut room) else {
            return false;
        };
        let parents = &fitted.parents;
        sign_with(
            &self.key,
            &NEIGHBOURHOOD,
            fitted.payload,
            parents,
            &mut cose,
        )
        .is_ok_and(|tx| tx.cose() == self.cose)
    }

    pub fn bare_verify(&self) -> bool {
        Software
            .verify(&self.public, black_box(self.message), &self.signature)
            .is_ok()
    }

    /// From the bytes of the COSE_Sign1 to a checked transaction and its id.
    pub fn receive(&self) -> bool {
        let Ok(tx) = Unverified::parse(black_box(self.cose)) else {
            return false;
        };
        let parents = self.parents.as_slice();
        tx.verify(&NEIGHBOURHOOD, &self.public, parents, &mut Software)
            .is_ok_and(|tx| black_box(tx.id()) != Id::ZERO)
    }
}

/// A message that is sealed, then opened.
pub struct Sealed {
    key: Key,
    bytes: &'static mut [u8],
    tag: Option<Tag>,
}

impl Sealed {
    pub fn new(len: usize) -> Self {
        Self {
            key: Key::new([9; 32]),
            bytes: room::slice(0x33, len),
            tag: None,
        }
    }

    pub fn seal(&mut self) -> bool {
        self.tag = seal(&self.key, &Nonce([4; 12]), b"", self.bytes).ok();
        self.tag.is_some()
    }

    pub fn open(&mut self) -> bool {
        self.tag
            .is_some_and(|tag| open(&self.key, &Nonce([4; 12]), b"", self.bytes, &tag).is_ok())
    }
}
