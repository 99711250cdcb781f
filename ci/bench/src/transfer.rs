//! Signatures and transfers: what making and checking a transaction costs over the bare operation, and batches over single checks.

use iotedge_core::crypto::batch::Batch;
use iotedge_core::crypto::{PublicKey, SecretKey, Signature, SignatureError, Software, Verify};
use iotedge_core::tx::{
    Body, Draft, Fitted, MAX_COSE, Parents, Unverified, frame_len, sign_with, signing_input,
};
use iotedge_core::wire::senml::{self, Decimal, Reading};
use iotedge_core::{Amount, Epoch, Id, MAX_FRAME, MAX_PAYLOAD, MemberIndex, Number};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::hint::black_box;

const NEIGHBOURHOOD: Id = Id([0x5a; 32]);

/// A key, a transfer and its signature, ready to be made or checked.
pub struct Transfer {
    key: SecretKey,
    public: PublicKey,
    parents: Parents,
    message: Vec<u8>,
    signature: Signature,
    cose: Vec<u8>,
}

/// A transfer with two chosen tips. The numbers are those of a neighbourhood of 1,000 members in its second year.
const fn draft(tips: &[Id]) -> Draft<'_> {
    Draft {
        epoch: Epoch(700),
        issuer: MemberIndex(412),
        number: Number(61_234),
        offset: 43_200_123,
        first: Id([1; 32]),
        tips,
        body: Body::Transfer {
            to: MemberIndex(87),
            amount: Amount(1_250),
            debits: Amount(81_503_250),
        },
    }
}

const TIPS: [Id; 2] = [Id([2; 32]), Id([3; 32])];

impl Default for Transfer {
    fn default() -> Self {
        let key = SecretKey::from_seed(&[3; 32]).expect("a seed");
        let public = key.public_key();
        let mut cose = [0; MAX_COSE];
        let mut bytes = [0; MAX_PAYLOAD];
        let Fitted {
            payload, parents, ..
        } = draft(&TIPS).encode(&mut bytes).expect("fits");
        let tx = sign_with(&key, &NEIGHBOURHOOD, payload, &parents, &mut cose).expect("signs");
        let mut message = [0; 1024];
        let signature = *Unverified::parse(tx.cose()).expect("parses").signature();
        let message = signing_input(
            &NEIGHBOURHOOD,
            public.suite(),
            payload,
            &parents.hash(),
            &mut message,
        )
        .expect("fits");
        Self {
            message: message.to_vec(),
            cose: tx.cose().to_vec(),
            key,
            public,
            parents,
            signature,
        }
    }
}

impl Transfer {
    /// The bare Ed25519 signature over the same message.
    pub fn bare_sign(&self) {
        black_box(self.key.sign(black_box(&self.message)));
    }

    /// From the fields to the bytes of the COSE_Sign1.
    pub fn create(&self) {
        let mut room = [0; MAX_PAYLOAD];
        let mut cose = [0; MAX_COSE];
        let Fitted {
            payload, parents, ..
        } = draft(black_box(&TIPS)).encode(&mut room).expect("fits");
        black_box(
            sign_with(&self.key, &NEIGHBOURHOOD, payload, &parents, &mut cose)
                .expect("signs")
                .id(),
        );
    }

    /// The bare Ed25519 check of the same message.
    pub fn bare_verify(&self) {
        Software
            .verify(
                black_box(&self.public),
                black_box(&self.message),
                &self.signature,
            )
            .expect("valid");
    }

    /// From the bytes of the COSE_Sign1 to a checked transaction and its id.
    pub fn verify(&self) {
        let tx = Unverified::parse(black_box(&self.cose)).expect("parses");
        let checked = tx.verify(
            &NEIGHBOURHOOD,
            &self.public,
            self.parents.as_slice(),
            &mut Software,
        );
        black_box(checked.expect("valid").id());
    }

    /// Bytes of the frame that carries it, with both tips.
    pub fn frame_bytes(&self) -> usize {
        bytes_with_both_tips(&draft(&TIPS))
    }

    /// Bytes of the frame that carries a reading with one value, with both tips.
    pub fn reading_bytes(&self) -> usize {
        let mut pack = [0; 320];
        let reading = Reading {
            name: "temperature",
            unit: Some("Cel"),
            value: Decimal::new(2_315, -2).expect("in range"),
            time: None,
        };
        let pack = senml::encode(None, &[reading], &mut pack).expect("fits");
        bytes_with_both_tips(&Draft {
            body: Body::Data(pack),
            ..draft(&TIPS)
        })
    }
}

/// What the frame would weigh without a limit: no tip was left out to get there.
fn bytes_with_both_tips(draft: &Draft<'_>) -> usize {
    let mut room = [0; MAX_PAYLOAD];
    let fitted = draft.encode_within(MAX_FRAME, &mut room).expect("fits");
    assert_eq!(fitted.dropped, 0);
    frame_len(fitted.payload.len())
}

/// Signatures of as many members, all checked one by one or all at once.
pub struct Many {
    items: Vec<(PublicKey, Vec<u8>, Signature)>,
    rng: StdRng,
}

impl Many {
    /// `count` transfers' worth of signatures, each by another key.
    pub fn new(count: u8) -> Self {
        let items = (0..count).map(|i| {
            let key = SecretKey::from_seed(&[i.wrapping_add(1); 32]).expect("a seed");
            let message = vec![i; 160];
            let signature = key.sign(&message);
            (key.public_key(), message, signature)
        });
        Self {
            items: items.collect(),
            rng: StdRng::seed_from_u64(1),
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Spoils every `nth` signature.
    pub fn spoil(&mut self, nth: usize) {
        for (_, message, _) in self.items.iter_mut().step_by(nth) {
            message[0] ^= 0xff;
        }
    }

    /// One by one.
    pub fn singly(&self) -> Vec<Result<(), SignatureError>> {
        let check = |(key, message, signature): &(PublicKey, Vec<u8>, Signature)| {
            Software.verify(key, message, signature)
        };
        self.items.iter().map(check).collect()
    }

    /// All at once.
    pub fn batched(&mut self) -> Vec<Result<(), SignatureError>> {
        let mut batch = Batch::new();
        for (key, message, signature) in &self.items {
            batch.push(key, message, signature);
        }
        batch.verify(&mut self.rng)
    }
}
