//! Checks that are made twice: a fault that skips one instruction, in one of the two, turns no refusal into an acceptance (docs/decisions/0030).
//!
//! Invariant: what [`twice`] accepts was accepted two times, over the same signatures. Each of them is computed once: the second time it is only seen that it
//! is one that held the first time. That computation guards itself ([`Verify`] of `Software`, by `iotedge-curve`).

use super::{PublicKey, Signature, SignatureError, Verify};
use core::hint::black_box;

/// The first time: what holds is counted and leaves a mark.
struct First<'v> {
    verifier: &'v mut dyn Verify,
    marks: u32,
    count: u32,
}

/// The second time: no signature is computed, and none holds that did not the first time.
struct Second {
    marks: u32,
    /// How many are left, and the marks after them.
    left: u32,
    expected: u32,
}

/// FNV-1a over what one signature is about. Faults have to be told by it, nobody's forgeries: what it is over was verified.
fn marked(marks: u32, key: &PublicKey, message: &[u8], signature: &Signature) -> u32 {
    let parts = [key.bytes(), message, &signature.0];
    parts.into_iter().flatten().fold(!marks, |sum, byte| {
        (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

impl Verify for First<'_> {
    fn verify(
        &mut self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        self.verifier.verify(key, message, signature)?;
        self.marks = marked(self.marks, key, message, signature);
        self.count = self.count.wrapping_add(1);
        Ok(())
    }
}

impl Verify for Second {
    fn verify(
        &mut self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        self.left = self.left.checked_sub(1).ok_or(SignatureError::Rejected)?;
        self.marks = marked(self.marks, key, message, signature);
        match self.left > 0 || self.marks == self.expected {
            true => Ok(()),
            false => Err(SignatureError::Rejected),
        }
    }
}

/// A check that can be made again: a closure. Not `dyn FnMut`, which takes code for being called for the last time too.
pub trait Check {
    /// 0, or why not.
    fn check(&mut self, verifier: &mut dyn Verify) -> i32;
}

impl<F: FnMut(&mut dyn Verify) -> i32> Check for F {
    fn check(&mut self, verifier: &mut dyn Verify) -> i32 {
        self(verifier)
    }
}

/// Makes a check twice. 0 where both times it gave 0 over the same signatures; else what it gave, or any other number. It must change nothing on which it depends, but at
/// the end of the second time it may: what is right then was right before.
///
/// A number that was not 0 goes through, and nothing here writes a 0: whatever one skipped instruction makes of a refusal is none.
#[inline(never)]
pub fn twice(verifier: &mut dyn Verify, check: &mut dyn Check) -> i32 {
    let mut first = First {
        verifier,
        marks: 0,
        count: 0,
    };
    let once = check.check(&mut first);
    if once != 0 {
        return once;
    }
    let mut second = Second {
        marks: 0,
        left: first.count,
        expected: first.marks,
    };
    // The compiler must not know that it is the same.
    let again = black_box(check).check(&mut second);
    if again != 0 {
        return again;
    }
    (first.marks ^ second.marks).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{SecretKey, Software};

    fn signed(seed: u8, message: &[u8]) -> (PublicKey, Signature) {
        let key = SecretKey::from_seed(&[seed; 32]).unwrap();
        (key.public_key(), key.sign(message))
    }

    #[derive(Default)]
    struct Counting(u32);

    impl Verify for Counting {
        fn verify(
            &mut self,
            key: &PublicKey,
            message: &[u8],
            signature: &Signature,
        ) -> Result<(), SignatureError> {
            self.0 += 1;
            Software.verify(key, message, signature)
        }
    }

    fn status(found: Result<(), SignatureError>) -> i32 {
        match found {
            Ok(()) => 0,
            Err(SignatureError::Suite) => 1,
            Err(SignatureError::Malformed) => 2,
            Err(SignatureError::Rejected) => 3,
        }
    }

    #[test]
    fn signatures_are_computed_once_and_the_rest_twice() {
        let (key, signature) = signed(1, b"a");
        let (mut counting, mut runs) = (Counting::default(), 0);
        let found = twice(&mut counting, &mut |verifier: &mut dyn Verify| {
            runs += 1;
            let check = |verifier: &mut dyn Verify| verifier.verify(&key, b"a", &signature);
            status(check(verifier).and_then(|()| check(verifier)))
        });
        assert_eq!((found, runs, counting.0), (0, 2, 2));
    }

    /// As a fault makes it: each of these checks goes wrong one of the two times.
    #[test]
    fn what_went_wrong_once_is_refused() {
        let (key, signature) = signed(1, b"a");
        let (_, other) = signed(1, b"b");
        let wrong = |first: bool, go_wrong: &dyn Fn(&mut dyn Verify) -> i32| {
            let mut runs = 0;
            twice(&mut Software, &mut |verifier: &mut dyn Verify| {
                runs += 1;
                match (runs == 1) == first {
                    true => go_wrong(verifier),
                    false => status(verifier.verify(&key, b"a", &signature)),
                }
            })
        };
        for first in [true, false] {
            // The verdict is not looked at, no signature is looked at, one is looked at again, it is another one, the message is another one.
            let ignored = |verifier: &mut dyn Verify| {
                let _ = verifier.verify(&key, b"b", &signature);
                0
            };
            assert_ne!(wrong(first, &ignored), 0);
            assert_ne!(wrong(first, &|_| 0), 0);
            let again = |verifier: &mut dyn Verify| {
                let _ = verifier.verify(&key, b"a", &signature);
                status(verifier.verify(&key, b"a", &signature))
            };
            assert_ne!(wrong(first, &again), 0);
            let another = |verifier: &mut dyn Verify| status(verifier.verify(&key, b"b", &other));
            assert_ne!(wrong(first, &another), 0);
            assert_eq!(wrong(first, &|_| 1), 1);
        }
    }

    #[test]
    fn a_wrong_signature_is_refused_for_what_it_is() {
        let (key, signature) = signed(1, b"a");
        let found = twice(&mut Software, &mut |verifier: &mut dyn Verify| {
            status(verifier.verify(&key, b"b", &signature))
        });
        assert_eq!(found, 3);
    }
}
