//! Instructions of 32 bits: ARMv7-M's, of which ARMv6-M has only BL.

use super::{Core, LR, Leak, PC, field, immediate_shift, register, sign_extended, unknown};
use crate::word::{Bit, Long, Shift, Word};

impl Core<'_> {
    pub(super) fn wide(&mut self, first: u32, second: u32) -> Result<(), String> {
        match first >> 9 & 15 {
            0b0100 if first & 0x40 == 0 => {
                let down = match first >> 7 & 3 {
                    1 => false,
                    2 => true,
                    _ => return unknown("multiple", first, second),
                };
                let (load, back) = (first >> 4 & 1 == 1, first >> 5 & 1 == 1);
                self.many(register(first, 0), second, load, down, back)
            }
            0b0100 => self.dual(first, second),
            0b0101 => self.shifted_operand(first, second),
            0b1000..=0b1011 if second >> 15 == 1 => self.branch(first, second),
            0b1000 | 0b1010 => self.immediate_operand(first, second),
            0b1001 | 0b1011 => self.plain_immediate(first, second),
            0b1100 => self.single(first, second),
            0b1101 if first >> 8 & 1 == 0 => self.registers_only(first, second),
            0b1101 => self.multiply(first, second),
            _ => unknown("wide", first, second),
        }
    }

    fn dual(&mut self, first: u32, second: u32) -> Result<(), String> {
        let (no, base) = (Bit::public(false), self.get(register(first, 0)));
        let (before, up, back) = (
            first >> 8 & 1 == 1,
            first >> 7 & 1 == 1,
            first >> 5 & 1 == 1,
        );
        if !before && !back {
            if first & 0xfff0 != 0xe8d0 || second & 0xffe0 != 0xf000 {
                return unknown("exclusive", first, second);
            }
            let half = second >> 4 & 1;
            let index = self.get(register(second, 0)).moved(|w| w << half);
            let word = self.load(base.add(index, no).0, 1 + half)?;
            if word.is_secret() {
                self.leaks.push(Leak::Address);
            }
            self.registers[PC].value = self.at + 4 + word.value * 2;
            return Ok(());
        }
        let base = if register(first, 0) == PC {
            Word::public(base.value & !3)
        } else {
            base
        };
        let moved = self.offset(base, (second & 0xff) * 4, up);
        let at = if before { moved } else { base };
        let next = at.add(Word::public(4), no).0;
        let (low, high) = (register(second, 12), register(second, 8));
        if first >> 4 & 1 == 1 {
            let (low_word, high_word) = (self.load(at, 4)?, self.load(next, 4)?);
            self.set(low, low_word)?;
            self.set(high, high_word)?;
        } else {
            self.store_from(low, at, 4)?;
            self.store_from(high, next, 4)?;
        }
        if back {
            self.set(register(first, 0), moved)?;
        }
        Ok(())
    }

    fn offset(&mut self, base: Word, by: u32, up: bool) -> Word {
        let by = Word::public(by);
        if up {
            base.add(by, Bit::public(false)).0
        } else {
            base.add(by.not(), Bit::public(true)).0
        }
    }

    /// The sixteen operations of data processing, with a ready second operand and the carry that its shift gave.
    fn operation(
        &mut self,
        first: u32,
        second: u32,
        other: Word,
        out: Option<Bit>,
        same: bool,
    ) -> Result<(), String> {
        let (n, d) = (register(first, 0), register(second, 8));
        let flags = first >> 4 & 1 == 1;
        let (carry, yes, no) = (self.carry, Bit::public(true), Bit::public(false));
        let code = first >> 5 & 15;
        // Of a move there is no first operand.
        let word = if n == PC && (code == 2 || code == 3) {
            Word::default()
        } else {
            self.get(n)
        };
        let result = match code {
            0 => self.logic(word.and(other), out, flags),
            1 => self.logic(word.and(other.not()), out, flags),
            2 => self.logic(word.or(other), out, flags),
            3 => self.logic(word.or(other.not()), out, flags),
            4 if same => self.logic(Word::default(), out, flags),
            4 => self.logic(word.xor(other), out, flags),
            8 => self.sum(word, other, no, flags),
            10 => self.sum(word, other, carry, flags),
            11 => self.difference(word, other, carry, flags, same),
            13 => self.difference(word, other, yes, flags, same),
            14 => self.difference(other, word, yes, flags, false),
            _ => return unknown("operation", first, second),
        };
        // TST, TEQ, CMN and CMP.
        if d == PC && flags && [0, 4, 8, 13].contains(&code) {
            return Ok(());
        }
        self.set(d, result)
    }

    fn shifted_operand(&mut self, first: u32, second: u32) -> Result<(), String> {
        let m = register(second, 0);
        let amount = field(second, 12, 3) << 2 | field(second, 6, 2);
        let word = self.get(m);
        if amount == 0 && field(second, 4, 2) == 3 {
            // RRX.
            let carry = self.carry;
            let mut shifted = word.moved(|w| w >> 1);
            shifted.value |= u32::from(carry.value) << 31;
            shifted.secret |= u32::from(carry.secret) << 31;
            self.touched |= carry.secret;
            return self.operation(first, second, shifted, Some(word.bit(0)), false);
        }
        let (how, amount) = immediate_shift(field(second, 4, 2), amount)?;
        let (word, out) = word.shift(how, amount);
        let same = amount == 0 && m == register(first, 0);
        self.operation(first, second, word, out, same)
    }

    fn immediate_operand(&mut self, first: u32, second: u32) -> Result<(), String> {
        let code = (first >> 10 & 1) << 11 | field(second, 12, 3) << 8 | second & 0xff;
        let byte = code & 0xff;
        let (value, out) = match code >> 8 {
            0 => (byte, None),
            1 => (byte << 16 | byte, None),
            2 => (byte << 24 | byte << 8, None),
            3 => (byte * 0x0101_0101, None),
            _ => {
                let value = (0x80 | code & 0x7f).rotate_right(code >> 7);
                (value, Some(Bit::public(value >> 31 == 1)))
            }
        };
        self.operation(first, second, Word::public(value), out, false)
    }

    fn plain_immediate(&mut self, first: u32, second: u32) -> Result<(), String> {
        let (n, d) = (register(first, 0), register(second, 8));
        let twelve = (first >> 10 & 1) << 11 | field(second, 12, 3) << 8 | second & 0xff;
        let low = field(second, 12, 3) << 2 | field(second, 6, 2);
        match first >> 4 & 31 {
            code @ (0 | 10) => {
                let base = self.get(n);
                let base = if n == PC {
                    Word::public(base.value & !3)
                } else {
                    base
                };
                let word = self.offset(base, twelve, code == 0);
                self.set(d, word)
            }
            4 => self.set(d, Word::public((n as u32) << 12 | twelve)),
            12 => {
                let low = self.get(d).and(Word::public(0xffff));
                self.set(d, low.or(Word::public(((n as u32) << 12 | twelve) << 16)))
            }
            code @ (20 | 28) => {
                let bits = (second & 31) + 1;
                let word = self.get(n).moved(|w| {
                    let taken = w >> low << (32 - bits);
                    if code == 20 {
                        ((taken as i32) >> (32 - bits)) as u32
                    } else {
                        taken >> (32 - bits)
                    }
                });
                self.set(d, word)
            }
            22 => {
                let bits = (second & 31) + 1 - low;
                let mask = (u32::MAX >> (32 - bits)) << low;
                let inserted = if n == PC {
                    Word::default()
                } else {
                    self.get(n).moved(|w| w << low & mask)
                };
                let word = self.get(d).and(Word::public(!mask)).or(inserted);
                self.set(d, word)
            }
            _ => unknown("plain immediate", first, second),
        }
    }

    /// MRS and MSR of the flags, which compilers keep so at times, and NOP; barriers and other special registers are not for code like ours.
    fn flags(&mut self, first: u32, second: u32) -> Result<(), String> {
        let places = [
            (31, &mut self.negative),
            (30, &mut self.zero),
            (29, &mut self.carry),
            (28, &mut self.overflow),
        ];
        if first == 0xf3ef && second & 0xf0ff == 0x8000 {
            let mut word = Word::default();
            for (at, flag) in places {
                word.value |= u32::from(flag.value) << at;
                word.secret |= u32::from(flag.secret) << at;
            }
            self.touched |= word.is_secret();
            return self.set(register(second, 8), word);
        }
        if first & 0xfff0 == 0xf380 && second == 0x8800 {
            let word = self.registers[register(first, 0)];
            self.touched |= word.is_secret();
            for (at, flag) in places {
                *flag = word.bit(at);
            }
            return Ok(());
        }
        if first == 0xf3af && second == 0x8000 {
            return Ok(());
        }
        unknown("system", first, second)
    }

    fn branch(&mut self, first: u32, second: u32) -> Result<(), String> {
        let (sign, j1, j2) = (first >> 10 & 1, second >> 13 & 1, second >> 11 & 1);
        if second >> 12 & 1 == 0 {
            if second >> 14 & 1 == 1 || field(first, 7, 3) == 7 {
                return self.flags(first, second);
            }
            let offset = sign << 20
                | j2 << 19
                | j1 << 18
                | field(first, 0, 6) << 12
                | field(second, 0, 11) << 1;
            let taken = self.condition(field(first, 6, 4));
            self.branch_if(taken, sign_extended(offset, 21));
            return Ok(());
        }
        let offset = sign << 24
            | (1 ^ j1 ^ sign) << 23
            | (1 ^ j2 ^ sign) << 22
            | field(first, 0, 10) << 12
            | field(second, 0, 11) << 1;
        if second >> 14 & 1 == 1 {
            self.registers[LR] = Word::public((self.at + 4) | 1);
        }
        self.branch_if(Bit::public(true), sign_extended(offset, 25));
        Ok(())
    }

    fn single(&mut self, first: u32, second: u32) -> Result<(), String> {
        let (n, to, load) = (
            register(first, 0),
            register(second, 12),
            first >> 4 & 1 == 1,
        );
        let signed = first >> 8 & 1 == 1;
        let len = match first >> 5 & 3 {
            3 => return unknown("single", first, second),
            size => 1 << size,
        };
        let mut base = self.get(n);
        let mut back = None;
        let at = if n == PC {
            base = Word::public(base.value & !3);
            self.offset(base, second & 0xfff, first >> 7 & 1 == 1)
        } else if first >> 7 & 1 == 1 {
            self.offset(base, second & 0xfff, true)
        } else if second >> 11 & 1 == 1 {
            let moved = self.offset(base, second & 0xff, second >> 9 & 1 == 1);
            if second >> 8 & 1 == 1 {
                back = Some(moved);
            }
            if second >> 10 & 1 == 1 { moved } else { base }
        } else if field(second, 6, 5) == 0 {
            let index = self.get(register(second, 0));
            let index = index.moved(|w| w << field(second, 4, 2));
            base.add(index, Bit::public(false)).0
        } else {
            return unknown("single", first, second);
        };
        if load {
            let mut word = self.load(at, len)?;
            if signed {
                word = word.moved(|w| sign_extended(w, 8 * len));
            }
            if let Some(moved) = back {
                self.set(n, moved)?;
            }
            return self.set(to, word);
        }
        self.store_from(to, at, len)?;
        match back {
            Some(moved) => self.set(n, moved),
            None => Ok(()),
        }
    }

    fn registers_only(&mut self, first: u32, second: u32) -> Result<(), String> {
        let (n, d, m) = (register(first, 0), register(second, 8), register(second, 0));
        if second >> 12 != 15 {
            return unknown("registers", first, second);
        }
        let word = self.get(m);
        match (first >> 4 & 15, second >> 4 & 15) {
            (code @ 0..=7, 0) => {
                let how =
                    [Shift::Left, Shift::Right, Shift::Signed, Shift::Rotate][(code >> 1) as usize];
                let left = self.get(n);
                let word = self.shifted(left, how, word, code & 1 == 1);
                self.set(d, word)
            }
            (code @ (0 | 1 | 4 | 5), turn @ 8..=11) => {
                let bits = if code < 2 { 16 } else { 8 };
                let word = word.moved(|w| {
                    let turned = w.rotate_right(8 * (turn & 3));
                    if code & 1 == 0 {
                        sign_extended(turned, bits)
                    } else {
                        turned & (u32::MAX >> (32 - bits))
                    }
                });
                let word = if n == PC {
                    word
                } else {
                    self.get(n).add(word, Bit::public(false)).0
                };
                self.set(d, word)
            }
            (9, 8) => self.set(d, word.moved(u32::swap_bytes)),
            (9, 9) => self.set(d, word.moved(|w| w.swap_bytes().rotate_left(16))),
            (9, 10) => self.set(d, word.moved(u32::reverse_bits)),
            (9, 11) => self.set(
                d,
                word.moved(|w| sign_extended((w as u16).swap_bytes().into(), 16)),
            ),
            (11, 8) => {
                let secret = if word.is_secret() { 0x3f } else { 0 };
                let value = word.value.leading_zeros();
                self.set(d, Word { value, secret })
            }
            _ => unknown("registers", first, second),
        }
    }

    fn multiply(&mut self, first: u32, second: u32) -> Result<(), String> {
        let (n, m) = (self.get(register(first, 0)), self.get(register(second, 0)));
        let (a, d) = (register(second, 12), register(second, 8));
        let (no, yes) = (Bit::public(false), Bit::public(true));
        let hidden = n.is_secret() || m.is_secret();
        match (first >> 4 & 15, second >> 4 & 15) {
            (0, 0) => {
                let added = if a == PC {
                    Word::default()
                } else {
                    self.get(a)
                };
                self.set(d, n.multiply(m).low().add(added, no).0)
            }
            (0, 1) => {
                let from = self.get(a);
                self.set(d, from.add(n.multiply(m).low().not(), yes).0)
            }
            (code @ (9 | 11), 15) => {
                if hidden {
                    self.leaks.push(Leak::Division);
                }
                let value = match (code, m.value) {
                    (_, 0) => 0,
                    (9, by) => (n.value as i32).wrapping_div(by as i32) as u32,
                    (_, by) => n.value / by,
                };
                let secret = if hidden { u32::MAX } else { 0 };
                self.set(d, Word { value, secret })
            }
            (code @ (8 | 10 | 12 | 14), more @ (0 | 6)) => {
                let sum = Long::of(self.get(a), self.get(d));
                let product = if code & 2 == 0 {
                    n.multiply_signed(m)
                } else {
                    n.multiply(m)
                };
                let word = match (code, more) {
                    (8 | 10, 0) => product,
                    (12 | 14, 0) => product.add(sum),
                    (14, 6) => {
                        let none = Word::default();
                        let product = product.add(Long::of(sum.low(), none));
                        product.add(Long::of(sum.high(), none))
                    }
                    _ => return unknown("multiply", first, second),
                };
                self.long_multiplications += u64::from(hidden);
                self.set(a, word.low())?;
                self.set(d, word.high())
            }
            _ => unknown("multiply", first, second),
        }
    }
}
