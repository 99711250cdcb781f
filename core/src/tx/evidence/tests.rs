use super::*;
use crate::crypto::{SecretKey, Software};
use crate::tx::{Attachment, AttachmentError, Draft, MAX_COSE, Parents, Stub, sign_with};
use crate::types::{Epoch, MAX_FRAME, MAX_PAYLOAD, Number, Prefix};
use crate::wire::Frame;
use proptest::prelude::*;

const NBH: Id = Id([0x11; 32]);
const ISSUER: MemberIndex = MemberIndex(4);

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32]).unwrap()
}

/// A signed transaction that owns its bytes.
#[derive(Clone)]
struct Owned {
    cose: Vec<u8>,
    id: Id,
    parents_hash: Id,
}

impl Owned {
    fn stored(&self) -> Stored<'_> {
        Stored {
            cose: &self.cose,
            parents_hash: self.parents_hash,
        }
    }
}

struct Spec<'a> {
    seed: u8,
    issuer: MemberIndex,
    epoch: u32,
    number: u32,
    first: Id,
    body: Body<'a>,
}

fn sign(spec: Spec<'_>) -> Owned {
    let parents = Parents::new(spec.first, &[Id([0x77; 32])]).unwrap();
    let payload = Payload {
        epoch: Epoch(spec.epoch),
        issuer: spec.issuer,
        number: Number(spec.number),
        offset: 1000,
        parents: parents.prefixes().unwrap(),
        body: spec.body,
    };
    let (mut bytes, mut out) = ([0; MAX_PAYLOAD], [0; MAX_COSE]);
    let bytes = payload.encode(&mut bytes).unwrap();
    let tx = sign_with(&key(spec.seed), &NBH, bytes, &parents, &mut out).unwrap();
    Owned {
        cose: tx.cose().to_vec(),
        id: tx.id(),
        parents_hash: tx.parents_hash(),
    }
}

fn data(number: u32, first: Id, text: &[u8]) -> Owned {
    sign(Spec {
        seed: 1,
        issuer: ISSUER,
        epoch: 2,
        number,
        first,
        body: Body::Data(text),
    })
}

fn debit(number: u32, first: Id, amount: u64, debits: u64) -> Owned {
    let body = Body::Transfer {
        to: MemberIndex(0),
        amount: Amount(amount),
        debits: Amount(debits),
    };
    sign(Spec {
        seed: 1,
        issuer: ISSUER,
        epoch: 2,
        number,
        first,
        body,
    })
}

/// Proves, sends through bytes, verifies.
fn proved(a: &Owned, b: &Owned) -> Result<Offence, EvidenceError> {
    let mut out = [0; MAX_FRAME];
    let (offence, bytes) = prove(&NBH, &a.stored(), &b.stored(), &mut out)?;
    let attachment = Attachment::parse(bytes).unwrap();
    let evidence = attachment.proof.unwrap();
    let verified = evidence.verify(&NBH, &key(1).public_key(), &mut Software)?;
    assert_eq!(verified, offence);
    assert_eq!(offence.offender, ISSUER);
    assert_eq!(offence.a, a.id.min(b.id));
    assert_eq!(offence.b, a.id.max(b.id));
    Ok(offence)
}

fn form(a: &Owned, b: &Owned) -> Result<Form, EvidenceError> {
    let one = proved(a, b).map(|o| o.form);
    let other = proved(b, a).map(|o| o.form);
    assert_eq!(one, other);
    one
}

/// Bytes of a proof with the halves as given, whatever they say.
fn unproved(a: &Owned, b: &Owned) -> Vec<u8> {
    let mut out = [0; MAX_FRAME];
    let attachment = Attachment {
        stubs: List::of(&[]),
        proof: Some(Evidence {
            a: Half::of(&a.stored()).unwrap(),
            b: Half::of(&b.stored()).unwrap(),
        }),
    };
    attachment.encode(&mut out).unwrap().to_vec()
}

fn verify(bytes: &[u8]) -> Result<Offence, EvidenceError> {
    let evidence = Attachment::parse(bytes).unwrap().proof.unwrap();
    evidence.verify(&NBH, &key(1).public_key(), &mut Software)
}

#[test]
fn one_number_two_ids() {
    let head = Id([9; 32]);
    let (a, b) = (data(7, head, b"one"), data(7, head, b"two"));
    assert_eq!(form(&a, &b), Ok(Form::OneNumber));
}

#[test]
fn numbers_never_restart_so_epochs_play_no_part() {
    let spec = |epoch, seed| Spec {
        seed,
        issuer: ISSUER,
        epoch,
        number: 7,
        first: Id([9; 32]),
        body: Body::Data(b"x"),
    };
    let (a, b) = (sign(spec(2, 1)), sign(spec(3, 1)));
    assert_eq!(form(&a, &b), Ok(Form::OneNumber));
    // After a rotation between them: each under its own key.
    let c = sign(spec(4, 2));
    let (evidence, offence) = Evidence::prove(&NBH, &a.stored(), &c.stored()).unwrap();
    let epochs = evidence.payloads().map(|p| p.epoch);
    let keys = epochs.map(|e| key(if e == Epoch(2) { 1 } else { 2 }).public_key());
    assert_eq!(
        evidence.verify_with(&NBH, [&keys[0], &keys[1]], &mut Software),
        Ok(offence)
    );
    assert_eq!(
        evidence.verify_with(&NBH, [&keys[1], &keys[0]], &mut Software),
        Err(EvidenceError::Signature(SignatureError::Rejected))
    );
}

#[test]
fn neighbours_that_are_not_linked() {
    let a = data(7, Id([9; 32]), b"one");
    let linked = data(8, a.id, b"two");
    assert_eq!(form(&a, &linked), Err(EvidenceError::ChainHolds));
    let torn = data(8, Id([8; 32]), b"two");
    assert_eq!(form(&a, &torn), Ok(Form::BrokenChain));
    let apart = data(9, Id([8; 32]), b"two");
    assert_eq!(form(&a, &apart), Err(EvidenceError::Unrelated));
}

#[test]
fn a_false_total() {
    let a = debit(7, Id([9; 32]), 50, 150);
    for (number, amount, debits, want) in [
        (8, 10, 160, Err(EvidenceError::TotalsHold)),
        (8, 10, 159, Ok(Form::FalseTotal)),
        (20, 10, 160, Err(EvidenceError::TotalsHold)),
        (20, 10, 500, Err(EvidenceError::TotalsHold)),
        (20, 10, 159, Ok(Form::FalseTotal)),
        (20, 149, 149, Ok(Form::FalseTotal)),
    ] {
        let first = if number == 8 { a.id } else { Id([8; 32]) };
        let b = debit(number, first, amount, debits);
        assert_eq!(form(&a, &b), want, "{number} {amount} {debits}");
    }
    // A debit and something else contradict each other only by their places.
    assert_eq!(
        form(&a, &data(20, Id([8; 32]), b"x")),
        Err(EvidenceError::Unrelated)
    );
    // An exit is a debit too.
    let exit = sign(Spec {
        seed: 1,
        issuer: ISSUER,
        epoch: 2,
        number: 30,
        first: Id([8; 32]),
        body: Body::Exit {
            amount: Amount(1),
            debits: Amount(150),
            target: [0xee; 20],
        },
    });
    assert_eq!(form(&a, &exit), Ok(Form::FalseTotal));
}

#[test]
fn what_proves_nothing_is_refused() {
    let head = Id([9; 32]);
    let (a, b) = (data(7, head, b"one"), data(7, head, b"two"));
    let (low, high) = if a.id < b.id { (&a, &b) } else { (&b, &a) };
    assert_eq!(verify(&unproved(low, high)).map(|o| o.a), Ok(low.id));
    assert_eq!(verify(&unproved(high, low)), Err(EvidenceError::Order));
    assert_eq!(form(&a, &a), Err(EvidenceError::SameTransaction));
    assert_eq!(
        verify(&unproved(&a, &a)),
        Err(EvidenceError::SameTransaction)
    );
    // A second signature, or other full ids behind one prefix, make no second transaction.
    let mut resigned = a.clone();
    *resigned.cose.last_mut().unwrap() ^= 1;
    resigned.parents_hash = Id([3; 32]);
    assert_eq!(form(&a, &resigned), Err(EvidenceError::SameTransaction));
    let other = sign(Spec {
        seed: 1,
        issuer: MemberIndex(5),
        epoch: 2,
        number: 7,
        first: head,
        body: Body::Data(b"two"),
    });
    assert_eq!(form(&a, &other), Err(EvidenceError::DifferentIssuers));
}

#[test]
fn forged_evidence_is_refused() {
    let head = Id([9; 32]);
    let (a, b) = (data(7, head, b"one"), data(7, head, b"two"));
    let rejected = Err(EvidenceError::Signature(SignatureError::Rejected));
    let (evidence, _) = Evidence::prove(&NBH, &a.stored(), &b.stored()).unwrap();
    let check = |nbh: &Id, key: &PublicKey| evidence.verify(nbh, key, &mut Software);
    assert!(check(&NBH, &key(1).public_key()).is_ok());
    assert_eq!(check(&NBH, &key(2).public_key()), rejected);
    assert_eq!(
        check(&NBH, &PublicKey::Es256([1; 64])),
        Err(EvidenceError::Suite)
    );
    // Another neighbourhood: other ids, and whatever their order, no valid signature.
    assert!(check(&Id([0x12; 32]), &key(1).public_key()).is_err());
    for half in 0..2 {
        for part in 0..3 {
            let mut forged = evidence;
            let h = [&mut forged.a, &mut forged.b]
                .into_iter()
                .nth(half)
                .unwrap();
            match part {
                // In S: bits of R may give bytes that are no point, which is refused under another name.
                0 => h.signed.signature.0[35] ^= 1,
                1 => h.parents_hash.0[0] ^= 1,
                _ => h.signed.suite = crate::crypto::Suite::Es256,
            }
            let refused = forged.verify(&NBH, &key(1).public_key(), &mut Software);
            match part {
                2 => assert_eq!(refused, Err(EvidenceError::Suite)),
                _ => assert_eq!(refused, rejected),
            }
        }
    }
    // Somebody else's transaction under the accused's number.
    let framed = sign(Spec {
        seed: 2,
        issuer: ISSUER,
        epoch: 2,
        number: 7,
        first: head,
        body: Body::Data(b"two"),
    });
    assert_eq!(proved(&a, &framed), rejected);
}

#[test]
fn malformed_halves_are_refused() {
    let (a, b) = (data(7, Id([9; 32]), b"one"), data(7, Id([9; 32]), b"two"));
    let bytes = unproved(&a, &b);
    for end in 0..bytes.len() {
        assert!(Attachment::parse(&bytes[..end]).is_err(), "{end}");
    }
    // The first half's protected header: array, stubs, proof array, half array, head, then a1 01 27.
    let mut other = bytes.clone();
    assert_eq!(other[4..8], [0x43, 0xa1, 0x01, 0x27]);
    other[7] = 0x25;
    assert_eq!(
        Attachment::parse(&other).err(),
        Some(AttachmentError::Evidence(EvidenceError::Transaction(
            TxError::Protected
        )))
    );
    let mut trailing = bytes;
    trailing.push(0xf6);
    assert_eq!(
        Attachment::parse(&trailing).err(),
        Some(AttachmentError::Wire(WireError::TrailingBytes))
    );
}

#[test]
fn the_longest_evidence_fits_a_frame() {
    // Two payloads of 480 bytes and a carrier with the widest numbers.
    let list = [7; MAX_PAYLOAD];
    let longest = |first: u8, number| {
        let body = |len: usize| Body::Member(super::super::MemberOp::Revoke { list: &list[..len] });
        let spec = |len| Spec {
            seed: 1,
            issuer: MemberIndex(u16::MAX),
            epoch: 2,
            number,
            first: Id([first; 32]),
            body: body(len),
        };
        let base = sign(spec(300)).cose.len();
        let cose = crate::tx::cose_len(MAX_PAYLOAD);
        sign(spec(300 + cose - base))
    };
    let (a, b) = (longest(8, 7), longest(9, 7));
    assert_eq!(a.cose.len(), MAX_COSE);
    let mut out = [0; MAX_FRAME];
    let (offence, proof) = prove(&NBH, &a.stored(), &b.stored(), &mut out).unwrap();
    let draft = Draft {
        epoch: Epoch(u32::MAX),
        issuer: MemberIndex(u16::MAX),
        number: Number(u32::MAX),
        offset: u32::MAX,
        first: Id([3; 32]),
        tips: &[Id([1; 32]), Id([2; 32])],
        body: offence.body(),
    };
    let (mut bytes, mut cose) = ([0; MAX_PAYLOAD], [0; MAX_COSE]);
    // With both tips it would be 1401 bytes.
    let fitted = draft.encode_within(MAX_FRAME - proof.len(), &mut bytes);
    let fitted = fitted.unwrap();
    assert_eq!(fitted.dropped, 1);
    let tx = sign_with(&key(1), &NBH, fitted.payload, &fitted.parents, &mut cose).unwrap();
    let frame = Frame::Tx {
        cose: tx.cose(),
        attachment: Some(proof),
    };
    let mut wire = [0; MAX_FRAME];
    let len = frame.write(NBH.tag(), &mut wire).unwrap();
    assert_eq!(len, MAX_FRAME + 1 - 16);
    let (tag, parsed) = Frame::parse(&wire[..len]).unwrap();
    assert_eq!((tag, parsed), (NBH.tag(), frame));
}

#[test]
fn stubs_complete_parents() {
    let parents = Parents::new(Id([9; 32]), &[Id([1; 32]), Id([2; 32])]).unwrap();
    let stubs = [
        Stub::of(0, &parents.as_slice()[0]),
        Stub::of(2, &parents.as_slice()[2]),
    ];
    let mut payload = Payload {
        epoch: Epoch(1),
        issuer: ISSUER,
        number: Number(2),
        offset: 0,
        parents: parents.prefixes().unwrap(),
        body: Body::Data(b"x"),
    };
    let mut out = [0; 100];
    let attachment = Attachment {
        stubs: List::of(&stubs),
        proof: None,
    };
    let bytes = attachment.encode(&mut out).unwrap();
    let read = Attachment::parse(bytes).unwrap();
    assert_eq!(read, attachment);
    assert_eq!(read.check(&payload), Ok(()));
    assert_eq!(read.parent(&payload, 0), Some(Id([9; 32])));
    assert_eq!(read.parent(&payload, 1), None);
    assert_eq!(read.parent(&payload, 2), Some(Id([2; 32])));
    payload.parents = crate::tx::Prefixes::new(&[Prefix([9; 16]), Prefix([1; 16])]).unwrap();
    assert_eq!(read.check(&payload), Err(AttachmentError::Position));
    assert_eq!(read.parent(&payload, 2), None);
}

#[test]
fn malformed_attachments_are_refused() {
    let stub = |position: u8| Stub {
        position,
        tail: [0; 16],
    };
    let encode = |positions: &[u8]| {
        let stubs: Vec<_> = positions.iter().map(|p| stub(*p)).collect();
        let mut out = [0; 256];
        let attachment = Attachment {
            stubs: List::of(&stubs),
            proof: None,
        };
        attachment.encode(&mut out).map(|b| b.len()).err()
    };
    assert_eq!(encode(&[0, 1, 7]), None);
    assert_eq!(encode(&[]), Some(AttachmentError::Empty));
    assert_eq!(encode(&[1, 1]), Some(AttachmentError::Order));
    assert_eq!(encode(&[2, 1]), Some(AttachmentError::Order));
    assert_eq!(
        encode(&[0, 1, 2, 3, 4, 5, 6, 7, 8]),
        Some(AttachmentError::Position)
    );
    assert_eq!(encode(&[8]), Some(AttachmentError::Position));
    let parse = |hex: &str| Attachment::parse(&hex::decode(hex).unwrap()).err();
    assert_eq!(parse("8280f6"), Some(AttachmentError::Empty));
    let tail = format!("50{}", "00".repeat(16));
    assert_eq!(parse(&format!("82818200{tail}f6")), None);
    assert_eq!(
        parse(&format!("8282{0}{0}f6", format!("8201{tail}"))),
        Some(AttachmentError::Order)
    );
    assert_eq!(
        parse(&format!("82818208{tail}f6")),
        Some(AttachmentError::Position)
    );
    assert_eq!(
        parse("8281820041ff"),
        Some(AttachmentError::Wire(WireError::Range))
    );
    let (a, b) = (data(7, Id([9; 32]), b"one"), data(7, Id([9; 32]), b"two"));
    let bytes = unproved(&a, &b);
    let attachment = Attachment::parse(&bytes).unwrap();
    let payload = *Unverified::parse(&a.cose).unwrap().payload();
    assert_eq!(
        attachment.check(&payload),
        Err(AttachmentError::ProofUnexpected)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Changed evidence never panics and, where it still parses, never proves anything.
    #[test]
    fn changed_evidence_proves_nothing(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let good = unproved(&data(7, Id([9; 32]), b"one"), &data(7, Id([9; 32]), b"two"));
        let mut bent = good.clone();
        let at = at.index(bent.len());
        bent[at] = byte;
        prop_assume!(bent != good);
        if let Ok(Attachment { proof: Some(evidence), .. }) = Attachment::parse(&bent) {
            prop_assert!(evidence.verify(&NBH, &key(1).public_key(), &mut Software).is_err());
        }
    }

    #[test]
    fn random_attachments_never_panic(tail in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut bytes = vec![0x82];
        bytes.extend(tail);
        if let Ok(attachment) = Attachment::parse(&bytes) {
            let mut out = [0; 128];
            prop_assert_eq!(attachment.encode(&mut out).unwrap(), bytes);
        }
    }
}
