//! Comparison in time that depends on the lengths only.
//!
//! For tags, keys and everything else where the place of the first difference would tell an attacker something. Lengths are
//! public. Public ids and signatures are compared with `==`.

/// Whether `a` equals `b`, in time that depends on nothing but the lengths. `ci/constant-time` takes what is done with the answer for meant; it knows the
/// function by its name.
#[must_use]
#[inline(never)]
pub fn ct_eq(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let difference = a.iter().zip(b).fold(0u8, |all, (x, y)| all | (x ^ y));
    // The barrier keeps the compiler from turning the fold into a loop that stops at the first difference.
    core::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_count() {
        assert!(ct_eq(b"", b""));
        assert!(!ct_eq(b"", b"a"));
        assert!(!ct_eq(b"ab", b"a"));
    }

    proptest! {
        #[test]
        fn agrees_with_plain_equality(a in prop::collection::vec(any::<u8>(), 0..64), at in any::<prop::sample::Index>(), flip in 0u8..8) {
            prop_assert!(ct_eq(&a, &a.clone()));
            if !a.is_empty() {
                let mut b = a.clone();
                b[at.index(a.len())] ^= 1 << flip;
                prop_assert!(!ct_eq(&a, &b));
            }
        }
    }
}
