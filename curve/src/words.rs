//! Arithmetic on 32-bit words, as the processor has it.

/// a * b.
#[cfg(not(any(narrow_products, umaal)))]
#[inline(always)]
pub const fn product(a: u32, b: u32) -> u64 {
    a as u64 * b as u64
}

/// a * b, of 16-bit halves: such a core multiplies 32 by 32 bits to 32 in one cycle, and to 64 only by a routine of the compiler's library.
#[cfg(any(narrow_products, test))]
#[inline(always)]
pub const fn narrow_product(a: u32, b: u32) -> u64 {
    let (a0, a1) = (a & 0xffff, a >> 16);
    let (b0, b1) = (b & 0xffff, b >> 16);
    let low = a0.wrapping_mul(b0);
    let cross = a0.wrapping_mul(b1);
    let other = a1.wrapping_mul(b0);
    let high = a1.wrapping_mul(b1);
    // At most 2^16 - 1 + (2^16 - 1)^2: neither overflows 32 bits.
    let cross = cross.wrapping_add(low >> 16);
    let middle = other.wrapping_add(cross & 0xffff);
    let low = (low & 0xffff) | (middle << 16);
    let high = high.wrapping_add(cross >> 16).wrapping_add(middle >> 16);
    (high as u64) << 32 | low as u64
}

#[cfg(narrow_products)]
pub use narrow_product as product;

/// a * b + c + d, which never overflows.
#[cfg(umaal)]
#[inline(always)]
pub fn multiply_add(a: u32, b: u32, c: u32, d: u32) -> u64 {
    let (low, high) = iotedge_umaal::umaal(a, b, c, d);
    u64::from(high) << 32 | u64::from(low)
}

/// a * b + c + d, which never overflows.
#[cfg(not(umaal))]
#[inline(always)]
pub const fn multiply_add(a: u32, b: u32, c: u32, d: u32) -> u64 {
    product(a, b).wrapping_add(c as u64).wrapping_add(d as u64)
}

/// Adds a b to the words of `r`, and sets the one above those of `b`, if there is one, to the carry.
#[cfg_attr(feature = "small", inline(never))]
#[cfg_attr(not(feature = "small"), inline(always))]
pub fn accumulate(r: &mut [u32], a: u32, b: &[u32]) {
    let mut carry = 0;
    for (r, b) in r.iter_mut().zip(b) {
        let t = multiply_add(a, *b, *r, carry);
        *r = t as u32;
        carry = (t >> 32) as u32;
    }
    if let Some(above) = r.get_mut(b.len()) {
        *above = carry;
    }
}

/// a b + w: its lowest word, and the eight above it in `w`.
#[inline(always)]
pub fn row(a: u32, b: &[u32; 8], w: &mut [u32; 8]) -> u32 {
    let t = multiply_add(a, b[0], w[0], 0);
    let (low, mut carry) = (t as u32, (t >> 32) as u32);
    for j in 1..8 {
        let t = multiply_add(a, b[j], w[j], carry);
        w[j - 1] = t as u32;
        carry = (t >> 32) as u32;
    }
    w[7] = carry;
    low
}

/// a + b + carry, and the carry.
#[inline(always)]
pub const fn add(a: u32, b: u32, carry: u32) -> (u32, u32) {
    let sum = a as u64 + b as u64 + carry as u64;
    (sum as u32, (sum >> 32) as u32)
}

/// a - b - borrow, and the borrow, 0 or 1.
#[inline(always)]
pub const fn sub(a: u32, b: u32, borrow: u32) -> (u32, u32) {
    let difference = (a as u64)
        .wrapping_sub(b as u64)
        .wrapping_sub(borrow as u64);
    (difference as u32, (difference >> 32) as u32 & 1)
}

/// All ones where `bit` is 1, zero where it is 0, in a way that the optimiser does not see through: it would make a branch of it.
#[inline(always)]
pub fn mask(bit: u32) -> u32 {
    core::hint::black_box(bit).wrapping_neg()
}

/// `other` where the mask is all ones.
#[inline(always)]
pub fn choose<const N: usize>(words: &mut [u32; N], other: &[u32; N], mask: u32) {
    for (word, other) in words.iter_mut().zip(other) {
        *word = (*word & !mask) | (other & mask);
    }
}

/// The two halves of eight words. A compiler makes one chain of carries of each.
#[inline(always)]
pub fn halves(w: &[u32; 8]) -> (u128, u128) {
    let half = |a: u32, b: u32, c: u32, d: u32| {
        u128::from(a) | u128::from(b) << 32 | u128::from(c) << 64 | u128::from(d) << 96
    };
    (half(w[0], w[1], w[2], w[3]), half(w[4], w[5], w[6], w[7]))
}

/// The word of a half in which its carries end.
const fn top(half: u128) -> u32 {
    (half >> 96) as u32
}

/// a + b + carry, and the carry: told by the highest bits, by no comparison. Of a comparison, a compiler for a core without conditional moves makes a branch.
#[inline(always)]
pub const fn add_half(a: u128, b: u128, carry: u32) -> (u128, u32) {
    let sum = a.wrapping_add(b).wrapping_add(carry as u128);
    let (x, y) = (top(a), top(b));
    (sum, (x & y | (x | y) & !top(sum)) >> 31)
}

/// a - b - borrow, and the borrow, 0 or 1, told as in [`add_half`].
#[inline(always)]
pub const fn sub_half(a: u128, b: u128, borrow: u32) -> (u128, u32) {
    let difference = a.wrapping_sub(b).wrapping_sub(borrow as u128);
    let (x, y) = (!top(a), top(b));
    (difference, (x & y | (x | y) & top(difference)) >> 31)
}

#[inline(always)]
pub fn words_of(low: u128, high: u128) -> [u32; 8] {
    let at = |half: u128, n: u32| (half >> (32 * n)) as u32;
    [
        at(low, 0),
        at(low, 1),
        at(low, 2),
        at(low, 3),
        at(high, 0),
        at(high, 1),
        at(high, 2),
        at(high, 3),
    ]
}

/// Lets a bit that was made of secrets become known: whether a key or a nonce is in range. `ci/constant-time` takes the branch here for meant, and no other;
/// it knows the function by its name.
#[inline(never)]
pub fn verdict(bit: u32) -> bool {
    // A branch, and not a number that still depends on the bit.
    if bit == 1 {
        core::hint::black_box(true)
    } else {
        core::hint::black_box(false)
    }
}

/// Little-endian words of bytes.
pub fn load<const N: usize>(bytes: &[u8]) -> [u32; N] {
    let mut words = [0; N];
    for (word, chunk) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u32::from_le_bytes(*chunk);
    }
    words
}

/// The bytes of eight words.
pub fn store(words: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
        *chunk = word.to_le_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any_half() -> impl proptest::strategy::Strategy<Value = u128> {
        use proptest::prelude::*;
        let near = prop_oneof![
            0u128..3,
            Just(1 << 127),
            Just((1 << 127) - 1),
            Just(1 << 96)
        ];
        let low = prop_oneof![any::<u128>(), near];
        (low, any::<bool>()).prop_map(|(low, flip)| if flip { !low } else { low })
    }

    proptest::proptest! {
        #[test]
        fn carries_are_carries(a in any_half(), b in any_half(), c in 0u32..2) {
            let (sum, over) = a.overflowing_add(b);
            let (sum, again) = sum.overflowing_add(c.into());
            proptest::prop_assert_eq!(add_half(a, b, c), (sum, u32::from(over | again)));
            let (difference, under) = a.overflowing_sub(b);
            let (difference, again) = difference.overflowing_sub(c.into());
            proptest::prop_assert_eq!(sub_half(a, b, c), (difference, u32::from(under | again)));
        }

        #[test]
        fn narrow_products_are_products(a: u32, b: u32) {
            proptest::prop_assert_eq!(narrow_product(a, b), u64::from(a) * u64::from(b));
            for (a, b) in [(a, u32::MAX), (u32::MAX, b), (u32::MAX, u32::MAX), (a, 0xffff), (0xffff_0000, b)] {
                proptest::prop_assert_eq!(narrow_product(a, b), u64::from(a) * u64::from(b));
            }
        }
    }
}
