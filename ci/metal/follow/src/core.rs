//! A Cortex-M core that knows which bits depend on a secret: the instructions of ARMv6-M, and those of ARMv7-M with the DSP extension that compilers use.
//!
//! Encodings and operations are those of the ARMv7-M Architecture Reference Manual (DDI 0403), sections A5 and A7. An instruction that is not here is an error,
//! never skipped. Told as leaks: what the time of an instruction, or the next one, could depend on.

mod wide;

use crate::memory::Memory;
use crate::word::{Bit, Shift, Word};

const SP: usize = 13;
const LR: usize = 14;
const PC: usize = 15;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leak {
    /// A branch that a secret decides, or an instruction with the memory, or a long one, under such a condition.
    Branch,
    /// A load or store at, or a jump to, an address that depends on a secret.
    Address,
    /// A division of a secret: fewer cycles for a short quotient.
    Division,
}

pub struct Core<'a> {
    pub memory: &'a mut Memory,
    pub registers: [Word; 16],
    negative: Bit,
    zero: Bit,
    carry: Bit,
    overflow: Bit,
    /// The rest of an IT block: conditions, next first.
    block: Vec<u32>,
    /// Where the instruction under way is.
    pub at: u32,
    /// What it leaks.
    pub leaks: Vec<Leak>,
    /// Whether it reads a secret, so far as values of registers and memory go.
    pub touched: bool,
    /// Multiplications to 64 bits of secrets: on a Cortex-M3 their time depends on the values.
    pub long_multiplications: u64,
    /// Instructions between registers under a condition that a secret decides: on a Cortex-M3 or M4 they take a cycle either way.
    pub selections: u64,
}

/// What is not decoded here.
fn unknown<T>(what: &str, first: u32, second: u32) -> Result<T, String> {
    Err(format!(
        "unknown instruction ({what}) {first:04x} {second:04x}"
    ))
}

const fn sign_extended(value: u32, bits: u32) -> u32 {
    (((value << (32 - bits)) as i32) >> (32 - bits)) as u32
}

const fn field(word: u32, low: u32, bits: u32) -> u32 {
    word >> low & ((1 << bits) - 1)
}

const fn register(word: u32, low: u32) -> usize {
    field(word, low, 4) as usize
}

/// Shift of an immediate field: type and amount, 0 standing for 32 in right shifts.
fn immediate_shift(kind: u32, amount: u32) -> Result<(Shift, u32), String> {
    Ok(match (kind, amount) {
        (0, n) => (Shift::Left, n),
        (1, 0) => (Shift::Right, 32),
        (1, n) => (Shift::Right, n),
        (2, 0) => (Shift::Signed, 32),
        (2, n) => (Shift::Signed, n),
        (3, 0) => return Err("unknown instruction (RRX)".into()),
        (_, n) => (Shift::Rotate, n),
    })
}

/// Whether an instruction takes one cycle, under a condition that holds or does not, and only changes registers: all data processing but multiplication to 64
/// bits and division, and but what goes to the program counter, which wide instructions of this kind cannot.
fn selects(first: u32, second: u32) -> bool {
    if first >> 11 > 0b11100 {
        let moves = match first >> 9 & 15 {
            0b0101 => true,
            0b1000..=0b1011 => second >> 15 == 0,
            0b1101 => first >> 8 & 1 == 0,
            _ => false,
        };
        // 15 stands for a comparison, which changes flags only.
        return moves;
    }
    match first >> 8 {
        0x00..=0x43 => true,
        // Of the high registers: neither branches nor the program counter.
        0x44 | 0x46 => first & 0x87 != 0x87,
        0x45 | 0xb2 | 0xba => true,
        _ => false,
    }
}

impl<'a> Core<'a> {
    pub fn new(memory: &'a mut Memory) -> Self {
        Self {
            memory,
            registers: [Word::default(); 16],
            negative: Bit::default(),
            zero: Bit::default(),
            carry: Bit::default(),
            overflow: Bit::default(),
            block: Vec::new(),
            at: 0,
            leaks: Vec::new(),
            touched: false,
            long_multiplications: 0,
            selections: 0,
        }
    }

    fn get(&mut self, register: usize) -> Word {
        let word = if register == PC {
            Word::public(self.at + 4)
        } else {
            self.registers[register]
        };
        self.touched |= word.is_secret();
        word
    }

    fn set(&mut self, register: usize, word: Word) -> Result<(), String> {
        if register == PC {
            self.jump(word);
        } else {
            self.registers[register] = word;
        }
        Ok(())
    }

    fn jump(&mut self, to: Word) {
        if to.is_secret() {
            self.leaks.push(Leak::Address);
        }
        self.registers[PC] = Word::public(to.value & !1);
    }

    fn address(&mut self, word: Word) -> u32 {
        if word.is_secret() {
            self.leaks.push(Leak::Address);
        }
        word.value
    }

    fn load(&mut self, at: Word, len: u32) -> Result<Word, String> {
        let hidden = at.is_secret();
        let at = self.address(at);
        let mut word = self.memory.load(at, len)?;
        if hidden {
            word.secret = u32::MAX >> (32 - 8 * len);
        }
        self.touched |= word.is_secret();
        Ok(word)
    }

    fn store(&mut self, at: Word, len: u32, word: Word) -> Result<(), String> {
        let at = self.address(at);
        self.memory.store(at, len, word)
    }

    fn set_result_flags(&mut self, word: Word) {
        self.negative = word.bit(31);
        // One public 1 is enough to know that it is not zero.
        self.zero = Bit {
            value: word.value == 0,
            secret: word.is_secret() && word.value & !word.secret == 0,
        };
    }

    fn condition(&self, condition: u32) -> Bit {
        let both = |a: Bit, b: Bit, value| Bit {
            value,
            secret: a.secret || b.secret,
        };
        let (n, z, c, v) = (self.negative, self.zero, self.carry, self.overflow);
        let bit = match condition >> 1 {
            0 => z,
            1 => c,
            2 => n,
            3 => v,
            4 => both(c, z, c.value && !z.value),
            5 => both(n, v, n.value == v.value),
            6 => both(both(n, v, false), z, n.value == v.value && !z.value),
            _ => Bit::public(true),
        };
        Bit {
            value: bit.value != (condition & 1 == 1 && condition < 14),
            ..bit
        }
    }

    /// Adds and sets the flags if asked to.
    fn sum(&mut self, a: Word, b: Word, carry: Bit, flags: bool) -> Word {
        let (word, carry, overflow) = a.add(b, carry);
        if flags {
            self.set_result_flags(word);
            (self.carry, self.overflow) = (carry, overflow);
        }
        word
    }

    fn logic(&mut self, word: Word, carry: Option<Bit>, flags: bool) -> Word {
        if flags {
            self.set_result_flags(word);
            if let Some(carry) = carry {
                self.carry = carry;
            }
        }
        word
    }

    /// By the lowest byte of a register. Its time does not depend on the amount.
    fn shifted(&mut self, word: Word, how: Shift, by: Word, flags: bool) -> Word {
        if by.secret & 0xff == 0 {
            let (word, out) = word.shift(how, by.value & 0xff);
            return self.logic(word, out, flags);
        }
        let (word, out) = word.shift(how, by.value & 0xff);
        let out = Bit {
            value: out.unwrap_or(self.carry).value,
            secret: true,
        };
        self.logic(Word::unknown(word.value), Some(out), flags)
    }

    /// One instruction.
    pub fn step(&mut self) -> Result<(), String> {
        self.leaks.clear();
        self.touched = false;
        self.at = self.registers[PC].value;
        let first = self.memory.load(self.at, 2)?.value;
        let wide = first >> 11 > 0b11100;
        self.registers[PC].value = self.at + if wide { 4 } else { 2 };
        let second = if wide {
            self.memory.load(self.at + 2, 2)?.value
        } else {
            0
        };
        let inside = !self.block.is_empty();
        if inside {
            let condition = self.block.remove(0);
            let taken = self.condition(condition);
            if taken.secret {
                self.touched = true;
                if selects(first, second) {
                    return self.select(taken.value, first, second);
                }
                self.leaks.push(Leak::Branch);
            }
            if !taken.value {
                return Ok(());
            }
        }
        self.execute(first, second, !inside)
    }

    fn execute(&mut self, first: u32, second: u32, flags: bool) -> Result<(), String> {
        if first >> 11 > 0b11100 {
            self.wide(first, second)
        } else {
            self.narrow(first, flags)
        }
    }

    /// An instruction between registers under a condition that a secret decides: what it changes could be as before, or not.
    fn select(&mut self, taken: bool, first: u32, second: u32) -> Result<(), String> {
        let flags = |core: &Self| [core.negative, core.zero, core.carry, core.overflow];
        let (registers, bits) = (self.registers, flags(self));
        self.execute(first, second, false)?;
        self.selections += 1;
        let word = |old: Word, new: Word| Word {
            value: if taken { new.value } else { old.value },
            secret: old.secret | new.secret | (old.value ^ new.value),
        };
        let bit = |old: Bit, new: Bit| Bit {
            value: if taken { new.value } else { old.value },
            secret: old.secret || new.secret || old.value != new.value,
        };
        for (new, old) in self.registers.iter_mut().zip(registers) {
            *new = word(old, *new);
        }
        let mut merged = flags(self);
        for (new, old) in merged.iter_mut().zip(bits) {
            *new = bit(old, *new);
        }
        [self.negative, self.zero, self.carry, self.overflow] = merged;
        Ok(())
    }

    fn branch_if(&mut self, taken: Bit, offset: u32) {
        if taken.secret {
            self.touched = true;
            self.leaks.push(Leak::Branch);
        }
        if taken.value {
            self.registers[PC] = Word::public((self.at + 4).wrapping_add(offset));
        }
    }

    fn narrow(&mut self, op: u32, flags: bool) -> Result<(), String> {
        let (d, n, m) = (
            field(op, 0, 3) as usize,
            field(op, 3, 3) as usize,
            field(op, 6, 3) as usize,
        );
        let no = Bit::public(false);
        let yes = Bit::public(true);
        match op >> 11 {
            0..=2 => {
                let (how, amount) = immediate_shift(op >> 11, field(op, 6, 5))?;
                let (word, out) = self.get(n).shift(how, amount);
                let word = self.logic(word, out, flags);
                self.set(d, word)
            }
            3 => {
                let other = if op >> 10 & 1 == 1 {
                    Word::public(m as u32)
                } else {
                    self.get(m)
                };
                let word = self.get(n);
                let word = if op >> 9 & 1 == 1 {
                    self.difference(word, other, yes, flags, op >> 10 & 1 == 0 && n == m)
                } else {
                    self.sum(word, other, no, flags)
                };
                self.set(d, word)
            }
            4..=7 => {
                let (d, other) = (field(op, 8, 3) as usize, Word::public(op & 0xff));
                let word = self.get(d);
                match op >> 11 {
                    4 => {
                        let word = self.logic(other, None, flags);
                        self.set(d, word)
                    }
                    5 => {
                        self.sum(word, other.not(), yes, true);
                        Ok(())
                    }
                    6 => {
                        let word = self.sum(word, other, no, flags);
                        self.set(d, word)
                    }
                    _ => {
                        let word = self.sum(word, other.not(), yes, flags);
                        self.set(d, word)
                    }
                }
            }
            8 if op >> 10 & 1 == 0 => self.data(op, flags),
            8 => {
                let (d, m) = (d | (op >> 4 & 8) as usize, register(op, 3));
                let word = self.get(m);
                match op >> 8 & 3 {
                    0 => {
                        let word = self.get(d).add(word, no).0;
                        self.set(d, word)
                    }
                    1 => {
                        let other = self.get(d);
                        self.sum(other, word.not(), yes, true);
                        Ok(())
                    }
                    2 => self.set(d, word),
                    _ => {
                        if op >> 7 & 1 == 1 {
                            self.registers[LR] = Word::public((self.at + 2) | 1);
                        }
                        self.jump(word);
                        Ok(())
                    }
                }
            }
            9 => {
                let base = (self.at + 4) & !3;
                let word = self.load(Word::public(base + (op & 0xff) * 4), 4)?;
                self.set(field(op, 8, 3) as usize, word)
            }
            10 | 11 => {
                let (base, offset) = (self.get(n), self.get(m));
                let at = base.add(offset, no).0;
                match op >> 9 & 7 {
                    0 => self.store_from(d, at, 4),
                    1 => self.store_from(d, at, 2),
                    2 => self.store_from(d, at, 1),
                    3 => self.load_to(d, at, 1, true),
                    4 => self.load_to(d, at, 4, false),
                    5 => self.load_to(d, at, 2, false),
                    6 => self.load_to(d, at, 1, false),
                    _ => self.load_to(d, at, 2, true),
                }
            }
            12..=17 => {
                let len = [4, 1, 2][(op >> 12) as usize - 6];
                let at = self.get(n).add(Word::public(field(op, 6, 5) * len), no).0;
                if op >> 11 & 1 == 1 {
                    self.load_to(d, at, len, false)
                } else {
                    self.store_from(d, at, len)
                }
            }
            18 | 19 => {
                let at = self.get(SP).add(Word::public((op & 0xff) * 4), no).0;
                let d = field(op, 8, 3) as usize;
                if op >> 11 & 1 == 1 {
                    self.load_to(d, at, 4, false)
                } else {
                    self.store_from(d, at, 4)
                }
            }
            20 => {
                let base = (self.at + 4) & !3;
                self.set(
                    field(op, 8, 3) as usize,
                    Word::public(base + (op & 0xff) * 4),
                )
            }
            21 => {
                let word = self.get(SP).add(Word::public((op & 0xff) * 4), no).0;
                self.set(field(op, 8, 3) as usize, word)
            }
            22 | 23 => self.miscellaneous(op),
            24 | 25 => {
                let n = field(op, 8, 3) as usize;
                let load = op >> 11 & 1 == 1;
                // A base that is loaded too is not written back.
                let back = !load || op >> n & 1 == 0;
                self.many(n, op & 0xff, load, false, back)
            }
            26 | 27 => match op >> 8 & 15 {
                14 | 15 => unknown("UDF or SVC", op, 0),
                condition => {
                    let taken = self.condition(condition);
                    self.branch_if(taken, sign_extended(op & 0xff, 8) << 1);
                    Ok(())
                }
            },
            28 => {
                self.branch_if(yes, sign_extended(op & 0x7ff, 11) << 1);
                Ok(())
            }
            _ => unknown("narrow", op, 0),
        }
    }

    fn store_from(&mut self, from: usize, at: Word, len: u32) -> Result<(), String> {
        let word = self.get(from);
        self.store(at, len, word)
    }

    fn load_to(&mut self, to: usize, at: Word, len: u32, signed: bool) -> Result<(), String> {
        let mut word = self.load(at, len)?;
        if signed {
            word = word.moved(|w| sign_extended(w, 8 * len));
        }
        self.set(to, word)
    }

    /// a - b, or a - b - 1 with a carry of 0. What is taken from itself is known.
    fn difference(&mut self, a: Word, b: Word, carry: Bit, flags: bool, same: bool) -> Word {
        let (a, b) = if same {
            (Word::default(), Word::default())
        } else {
            (a, b)
        };
        self.sum(a, b.not(), carry, flags)
    }

    fn data(&mut self, op: u32, flags: bool) -> Result<(), String> {
        let (d, m) = (field(op, 0, 3) as usize, field(op, 3, 3) as usize);
        let (word, other) = (self.get(d), self.get(m));
        let (carry, yes) = (self.carry, Bit::public(true));
        let result = match op >> 6 & 15 {
            0 => self.logic(word.and(other), None, flags),
            1 if d == m => self.logic(Word::default(), None, flags),
            1 => self.logic(word.xor(other), None, flags),
            2 => self.shifted(word, Shift::Left, other, flags),
            3 => self.shifted(word, Shift::Right, other, flags),
            4 => self.shifted(word, Shift::Signed, other, flags),
            5 => self.sum(word, other, carry, flags),
            6 => self.difference(word, other, carry, flags, d == m),
            7 => self.shifted(word, Shift::Rotate, other, flags),
            8 => {
                self.logic(word.and(other), None, true);
                return Ok(());
            }
            9 => self.difference(Word::default(), other, yes, flags, false),
            10 => {
                self.difference(word, other, yes, true, d == m);
                return Ok(());
            }
            11 => {
                self.sum(word, other, Bit::public(false), true);
                return Ok(());
            }
            12 => self.logic(word.or(other), None, flags),
            13 => self.logic(word.multiply(other).low(), None, flags),
            14 => self.logic(word.and(other.not()), None, flags),
            _ => self.logic(other.not(), None, flags),
        };
        self.set(d, result)
    }

    fn miscellaneous(&mut self, op: u32) -> Result<(), String> {
        let no = Bit::public(false);
        let (d, m) = (field(op, 0, 3) as usize, field(op, 3, 3) as usize);
        match op >> 8 & 15 {
            0 => {
                let amount = Word::public((op & 0x7f) * 4);
                let word = if op >> 7 & 1 == 0 {
                    self.get(SP).add(amount, no).0
                } else {
                    self.get(SP).add(amount.not(), Bit::public(true)).0
                };
                self.set(SP, word)
            }
            1 | 3 | 9 | 11 => {
                let word = self.get(d);
                let mut taken = Bit {
                    value: word.value == 0,
                    secret: word.is_secret() && word.value & !word.secret == 0,
                };
                taken.value ^= op >> 11 & 1 == 1;
                self.branch_if(taken, field(op, 3, 5) << 1 | (op >> 9 & 1) << 6);
                Ok(())
            }
            2 => {
                let word = self.get(m);
                let word = match op >> 6 & 3 {
                    0 => word.moved(|w| sign_extended(w, 16)),
                    1 => word.moved(|w| sign_extended(w, 8)),
                    2 => word.moved(|w| w & 0xffff),
                    _ => word.moved(|w| w & 0xff),
                };
                self.set(d, word)
            }
            4 | 5 => self.many(SP, op & 0xff | (op >> 8 & 1) << 14, false, true, true),
            10 => {
                let word = self.get(m);
                let word = match op >> 6 & 3 {
                    0 => word.moved(u32::swap_bytes),
                    1 => word.moved(|w| w.swap_bytes().rotate_left(16)),
                    3 => word.moved(|w| sign_extended((w as u16).swap_bytes().into(), 16)),
                    _ => return unknown("miscellaneous", op, 0),
                };
                self.set(d, word)
            }
            12 | 13 => self.many(SP, op & 0xff | (op >> 8 & 1) << 15, true, false, true),
            15 if op & 15 == 0 => Ok(()),
            15 => {
                let (first, mask) = (op >> 4 & 15, op & 15);
                let len = 4 - mask.trailing_zeros();
                self.block = vec![first];
                for i in 1..len {
                    self.block.push(first & !1 | mask >> (4 - i) & 1);
                }
                Ok(())
            }
            _ => unknown("miscellaneous", op, 0),
        }
    }

    /// LDM, STM, PUSH and POP: the lowest register at the lowest address.
    fn many(
        &mut self,
        base: usize,
        list: u32,
        load: bool,
        down: bool,
        back: bool,
    ) -> Result<(), String> {
        let start = self.get(base);
        let start = Word::public(self.address(start));
        let size = 4 * list.count_ones();
        let mut at = if down {
            start.value - size
        } else {
            start.value
        };
        let end = if down { at } else { at + size };
        let mut loaded = Vec::new();
        for register in (0..16).filter(|r| list >> r & 1 == 1) {
            if load {
                loaded.push((register, self.load(Word::public(at), 4)?));
            } else {
                self.store_from(register, Word::public(at), 4)?;
            }
            at += 4;
        }
        if back {
            self.set(base, Word::public(end))?;
        }
        for (register, word) in loaded {
            self.set(register, word)?;
        }
        Ok(())
    }
}
