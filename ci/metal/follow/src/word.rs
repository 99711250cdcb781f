//! A word of which some bits depend on a secret.
//!
//! Invariant: a bit that is not marked is the same for every value of the marked bits that went in. Marks may be too many (then a leak is told that is none),
//! never too few. Sums are as precise as memcheck's: the least and the greatest sum differ in every bit that a carry can reach.

/// A bit, and whether it depends on a secret.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub struct Bit {
    pub value: bool,
    pub secret: bool,
}

/// Thirty-two bits, and which of them depend on a secret.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub struct Word {
    pub value: u32,
    pub secret: u32,
}

/// Sixty-four.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub struct Long {
    pub value: u64,
    pub secret: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shift {
    Left,
    Right,
    Signed,
    Rotate,
}

impl Bit {
    pub const fn public(value: bool) -> Self {
        Self {
            value,
            secret: false,
        }
    }

    fn least(self) -> bool {
        self.value && !self.secret
    }

    fn greatest(self) -> bool {
        self.value || self.secret
    }
}

impl Word {
    pub const fn public(value: u32) -> Self {
        Self { value, secret: 0 }
    }

    /// Every bit marked.
    pub const fn unknown(value: u32) -> Self {
        Self {
            value,
            secret: u32::MAX,
        }
    }

    pub fn is_secret(self) -> bool {
        self.secret != 0
    }

    pub fn bit(self, at: u32) -> Bit {
        Bit {
            value: self.value >> at & 1 == 1,
            secret: self.secret >> at & 1 == 1,
        }
    }

    /// Applies to both what moves bits and depends on nothing else.
    pub fn moved(self, by: impl Fn(u32) -> u32) -> Self {
        Self {
            value: by(self.value),
            secret: by(self.secret),
        }
    }

    pub fn not(self) -> Self {
        Self {
            value: !self.value,
            ..self
        }
    }

    /// A public 0 decides.
    pub fn and(self, other: Self) -> Self {
        Self {
            value: self.value & other.value,
            secret: (self.secret | other.secret)
                & (self.value | self.secret)
                & (other.value | other.secret),
        }
    }

    /// A public 1 decides.
    pub fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    pub fn xor(self, other: Self) -> Self {
        Self {
            value: self.value ^ other.value,
            secret: self.secret | other.secret,
        }
    }

    fn least(self) -> u32 {
        self.value & !self.secret
    }

    fn greatest(self) -> u32 {
        self.value | self.secret
    }

    /// The sum, the carry out of it, and whether it overflowed as a signed one.
    pub fn add(self, other: Self, carry: Bit) -> (Self, Bit, Bit) {
        let sum = |a: u32, b: u32, c: bool| u64::from(a) + u64::from(b) + u64::from(c);
        let exact = sum(self.value, other.value, carry.value);
        let least = sum(self.least(), other.least(), carry.least());
        let greatest = sum(self.greatest(), other.greatest(), carry.greatest());
        // Carries grow with what goes in: where the carry into a bit is the same in both, it is the same in all between.
        let into_least = least ^ u64::from(self.least() ^ other.least());
        let into_greatest = greatest ^ u64::from(self.greatest() ^ other.greatest());
        let into_exact = exact ^ u64::from(self.value ^ other.value);
        let varies = into_least ^ into_greatest;
        let word = Self {
            value: exact as u32,
            secret: self.secret | other.secret | varies as u32,
        };
        let carry = Bit {
            value: into_exact >> 32 == 1,
            secret: varies >> 32 == 1,
        };
        let overflow = Bit {
            value: (into_exact >> 31 & 1) != (into_exact >> 32),
            secret: varies >> 31 != 0,
        };
        (word, carry, overflow)
    }

    /// By a public count, with the last bit out (None: by zero).
    pub fn shift(self, how: Shift, count: u32) -> (Self, Option<Bit>) {
        if count == 0 {
            return (self, None);
        }
        match how {
            Shift::Left => (
                self.moved(|w| w.checked_shl(count).unwrap_or(0)),
                Some(if count <= 32 {
                    self.bit(32 - count)
                } else {
                    Bit::default()
                }),
            ),
            Shift::Right => (
                self.moved(|w| w.checked_shr(count).unwrap_or(0)),
                Some(if count <= 32 {
                    self.bit(count - 1)
                } else {
                    Bit::default()
                }),
            ),
            Shift::Signed => {
                let most = count.min(31);
                (
                    self.moved(|w| ((w as i32) >> most) as u32),
                    Some(self.bit(if count <= 32 { count - 1 } else { 31 })),
                )
            }
            Shift::Rotate => {
                let word = self.moved(|w| w.rotate_right(count & 31));
                (word, Some(word.bit(31)))
            }
        }
    }

    pub fn multiply(self, other: Self) -> Long {
        let value = u64::from(self.value) * u64::from(other.value);
        if !self.is_secret() && !other.is_secret() {
            return Long { value, secret: 0 };
        }
        // Nothing below the first marked bit of one times the first bit that may be set in the other; nothing above the greatest product.
        let first = |marked: Self, times: Self| {
            if marked.secret == 0 || times.greatest() == 0 {
                64
            } else {
                marked.secret.trailing_zeros() + times.greatest().trailing_zeros()
            }
        };
        let lowest = first(self, other).min(first(other, self));
        let greatest = u64::from(self.greatest()) * u64::from(other.greatest());
        let below = u64::MAX.checked_shr(greatest.leading_zeros()).unwrap_or(0);
        Long {
            value,
            secret: u64::MAX.checked_shl(lowest).unwrap_or(0) & below,
        }
    }

    pub fn multiply_signed(self, other: Self) -> Long {
        let value = (i64::from(self.value as i32) * i64::from(other.value as i32)) as u64;
        let secret = if self.is_secret() || other.is_secret() {
            u64::MAX
        } else {
            0
        };
        Long { value, secret }
    }
}

impl Long {
    pub fn of(low: Word, high: Word) -> Self {
        let join = |low, high| u64::from(high) << 32 | u64::from(low);
        Self {
            value: join(low.value, high.value),
            secret: join(low.secret, high.secret),
        }
    }

    pub fn low(self) -> Word {
        Word {
            value: self.value as u32,
            secret: self.secret as u32,
        }
    }

    pub fn high(self) -> Word {
        Word {
            value: (self.value >> 32) as u32,
            secret: (self.secret >> 32) as u32,
        }
    }

    pub fn add(self, other: Self) -> Self {
        let (low, carry, _) = self.low().add(other.low(), Bit::default());
        let (high, ..) = self.high().add(other.high(), carry);
        Self::of(low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(state: &mut u64) -> u32 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 32) as u32
    }

    /// Words of few marked bits, at every place, sparse and dense.
    fn draw(state: &mut u64) -> Word {
        let thin = |state: &mut u64| random(state) & random(state) & random(state);
        let value = match random(state) % 4 {
            0 => thin(state),
            1 => !thin(state),
            _ => random(state),
        };
        let mut secret = 0;
        for _ in 0..random(state) % 4 {
            secret |= 1 << (random(state) % 32);
        }
        Word { value, secret }
    }

    /// Every word that the marks allow.
    fn each(word: Word) -> Vec<u32> {
        let mut all = vec![word.value & !word.secret];
        for at in (0..32).filter(|at| word.secret >> at & 1 == 1) {
            all.extend(all.clone().iter().map(|w| w | 1 << at));
        }
        all
    }

    type Two = fn(Word, Word, Bit) -> Vec<(u64, u64)>;

    fn parts(word: Word) -> (u64, u64) {
        (word.value.into(), word.secret.into())
    }

    fn flag(bit: Bit) -> (u64, u64) {
        (bit.value.into(), bit.secret.into())
    }

    /// No bit that is not marked changes, whatever the marked ones are: for every operation, over every value of the marks of 20,000 pairs.
    #[test]
    fn what_is_not_marked_does_not_change() {
        let operations: [(&str, Two); 9] = [
            ("and", |a, b, _| vec![parts(a.and(b))]),
            ("or", |a, b, _| vec![parts(a.or(b))]),
            ("xor", |a, b, _| vec![parts(a.xor(b))]),
            ("add", |a, b, c| {
                let (sum, carry, overflow) = a.add(b, c);
                vec![parts(sum), flag(carry), flag(overflow)]
            }),
            ("subtract", |a, b, c| {
                let (sum, carry, overflow) = a.add(b.not(), c);
                vec![parts(sum), flag(carry), flag(overflow)]
            }),
            ("multiply", |a, b, _| {
                let long = a.multiply(b);
                vec![(long.value, long.secret)]
            }),
            ("multiply_signed", |a, b, _| {
                let long = a.multiply_signed(b);
                vec![(long.value, long.secret)]
            }),
            ("long sum", |a, b, _| {
                let long = Long::of(a, b).add(Long::of(b, a));
                vec![(long.value, long.secret)]
            }),
            ("shift", |a, b, _| {
                let how = [Shift::Left, Shift::Right, Shift::Signed, Shift::Rotate];
                let (word, out) = a.shift(
                    how[(b.value & 3) as usize],
                    if b.is_secret() { 0 } else { b.value >> 2 & 63 },
                );
                vec![parts(word), flag(out.unwrap_or_default())]
            }),
        ];
        let mut state = 0x9e37_79b9_7f4a_7c15;
        for _ in 0..20_000 {
            let (a, b) = (draw(&mut state), draw(&mut state));
            let carry = Bit {
                value: state & 1 == 1,
                secret: state & 2 == 2,
            };
            for (name, operation) in operations {
                let told = operation(a, b, carry);
                for x in each(a) {
                    for y in each(b) {
                        for c in [carry.value, carry.value != carry.secret] {
                            let exact = operation(Word::public(x), Word::public(y), Bit::public(c));
                            for (told, exact) in told.iter().zip(exact) {
                                // A count of a shift is public: only one that did not change is comparable.
                                if name == "shift" && b.is_secret() {
                                    continue;
                                }
                                assert_eq!(exact.1, 0, "{name}");
                                assert_eq!(
                                    (told.0 ^ exact.0) & !told.1,
                                    0,
                                    "{name} {a:x?} {b:x?} {carry:?}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }

    /// The marks are not simply everywhere: a masked bit stays where it is, a product of halves ends where it must.
    #[test]
    fn marks_are_few_where_few_are_needed() {
        let low = Word::unknown(5).and(Word::public(1));
        assert_eq!(low.secret, 1);
        assert_eq!(
            low.add(Word::public(6), Bit::default()).0.secret,
            1,
            "no carry out of an even number"
        );
        let half = Word::unknown(7).and(Word::public(0xffff));
        assert_eq!(half.multiply(half).high(), Word::public(0));
        assert!(!half.add(half, Bit::default()).1.secret);
    }
}
