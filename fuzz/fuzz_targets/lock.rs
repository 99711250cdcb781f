//! Terms, proofs and open locks: what is accepted is written again as the same bytes; whatever a proof shows, a lock ends up with no more than its amount, and no signature that the fuzzer can make
//! moves it.
#![no_main]

use iotedge_core::crypto::{SecretKey, Software};
use iotedge_core::ledger::{Context, Lock};
use iotedge_core::sale::{Proof, Terms};
use iotedge_core::wire::Reader;
use iotedge_core::{Id, MemberIndex};
use iotedge_fuzz::same_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut r = Reader::new(bytes);
    if let Ok(terms) = Terms::read(&mut r) {
        same_bytes(&bytes[..bytes.len() - r.rest().len()], |w| {
            terms.write(w);
            w.intact()
        });
    }
    let mut r = Reader::new(bytes);
    let Ok(lock) = Lock::read(&mut r) else {
        let mut r = Reader::new(bytes);
        if let Ok(proof) = Proof::read(&mut r) {
            same_bytes(&bytes[..bytes.len() - r.rest().len()], |w| {
                proof.write(w);
                w.intact()
            });
        }
        return;
    };
    same_bytes(&bytes[..bytes.len() - r.rest().len()], |w| {
        lock.write(w);
        w.intact()
    });
    // A proof behind the lock.
    let Ok(proof) = Proof::read(&mut r) else {
        return;
    };
    let key = |member: MemberIndex| {
        let seed = [1 + member.0 as u8 % 9; 32];
        Some(SecretKey::from_seed(&seed).expect("a seed").public_key())
    };
    let context = Context {
        neighbourhood: &Id([9; 32]),
        payer: &Id([8; 32]),
        key_of: &key,
    };
    if let Ok(after) = lock.after(&proof, &context, &mut Software) {
        assert!(after.reached <= after.amount && after.reached >= lock.reached);
        match proof {
            Proof::Nothing => assert_eq!(after, lock),
            Proof::Tick(_) => {}
            other => panic!("a signature was made: {other:?}"),
        }
    }
});
