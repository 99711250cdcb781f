//! The memory of an image, with a mark for each bit that depends on a secret, and its symbols.

use crate::word::Word;

/// Flash and RAM are of 4 MiB each, as the linker was told.
const SIZE: usize = 0x40_0000;
const RAM: u32 = 0x2000_0000;

#[derive(Default)]
struct Region {
    bytes: Vec<u8>,
    secrets: Vec<u8>,
}

pub struct Memory {
    flash: Region,
    ram: Region,
}

pub struct Symbol {
    pub at: u32,
    pub name: String,
}

/// An executable, loaded: memory and the functions and objects in it, in the order of addresses.
pub struct Image {
    pub memory: Memory,
    pub symbols: Vec<Symbol>,
}

impl Region {
    fn new() -> Self {
        Self {
            bytes: vec![0; SIZE],
            secrets: vec![0; SIZE],
        }
    }
}

impl Memory {
    fn region(&mut self, at: u32, len: u32) -> Result<(&mut Region, usize), String> {
        let (region, offset) = if at >= RAM {
            (&mut self.ram, at - RAM)
        } else {
            (&mut self.flash, at)
        };
        let offset = offset as usize;
        if offset + len as usize > SIZE {
            return Err(format!("no memory at {at:#x}"));
        }
        Ok((region, offset))
    }

    /// Little-endian, of 1, 2 or 4 bytes.
    pub fn load(&mut self, at: u32, len: u32) -> Result<Word, String> {
        let (region, offset) = self.region(at, len)?;
        let mut word = Word::default();
        for i in (0..len as usize).rev() {
            word.value = word.value << 8 | u32::from(region.bytes[offset + i]);
            word.secret = word.secret << 8 | u32::from(region.secrets[offset + i]);
        }
        Ok(word)
    }

    pub fn store(&mut self, at: u32, len: u32, word: Word) -> Result<(), String> {
        if at < RAM {
            return Err(format!("a store into flash, at {at:#x}"));
        }
        let (region, offset) = self.region(at, len)?;
        for i in 0..len as usize {
            region.bytes[offset + i] = (word.value >> (8 * i)) as u8;
            region.secrets[offset + i] = (word.secret >> (8 * i)) as u8;
        }
        Ok(())
    }

    pub fn mark(&mut self, at: u32, len: u32) -> Result<(), String> {
        let (region, offset) = self.region(at, len)?;
        region.secrets[offset..][..len as usize].fill(0xff);
        Ok(())
    }

    pub fn forget_marks(&mut self) {
        self.ram.secrets.fill(0);
    }

    pub fn bytes(&mut self, at: u32, len: u32) -> Result<Vec<u8>, String> {
        let (region, offset) = self.region(at, len)?;
        Ok(region.bytes[offset..][..len as usize].to_vec())
    }
}

impl Image {
    /// Of a little-endian ELF32 file for ARM: what it loads where it runs, the rest zero, as the start-up code leaves it.
    pub fn load(file: &[u8]) -> Result<Self, String> {
        let field = |at: usize, len: usize| -> Result<usize, String> {
            let bytes = file.get(at..at + len).ok_or("the file is cut short")?;
            Ok(bytes
                .iter()
                .rev()
                .fold(0, |all, byte| all << 8 | usize::from(*byte)))
        };
        if field(0, 4)? != 0x464c_457f || field(4, 2)? != 0x0101 || field(18, 2)? != 40 {
            return Err("not a 32-bit ARM executable".into());
        }
        let mut memory = Memory {
            flash: Region::new(),
            ram: Region::new(),
        };
        let (headers, size, count) = (field(28, 4)?, field(42, 2)?, field(44, 2)?);
        for header in (0..count).map(|i| headers + i * size) {
            let (kind, from, len) = (
                field(header, 4)?,
                field(header + 4, 4)?,
                field(header + 16, 4)?,
            );
            let to = field(header + 8, 4)? as u32;
            if kind == 1 && len > 0 {
                let (region, offset) = memory.region(to, len as u32)?;
                let bytes = file.get(from..from + len).ok_or("the file is cut short")?;
                region.bytes[offset..][..len].copy_from_slice(bytes);
            }
        }
        let (sections, size, count) = (field(32, 4)?, field(46, 2)?, field(48, 2)?);
        let mut symbols = Vec::new();
        for section in (0..count).map(|i| sections + i * size) {
            if field(section + 4, 4)? != 2 {
                continue;
            }
            let (table, len) = (field(section + 16, 4)?, field(section + 20, 4)?);
            let names = field(sections + field(section + 24, 4)? * size + 16, 4)?;
            for symbol in (table..table + len).step_by(16) {
                let name = names + field(symbol, 4)?;
                // Functions and objects.
                if [1, 2].contains(&(field(symbol + 12, 1)? & 15)) {
                    let bytes = file.get(name..).ok_or("the file is cut short")?;
                    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
                    symbols.push(Symbol {
                        at: field(symbol + 4, 4)? as u32 & !1,
                        name: String::from_utf8_lossy(bytes).into(),
                    });
                }
            }
        }
        symbols.sort_by_key(|symbol| symbol.at);
        Ok(Self { memory, symbols })
    }

    pub fn find(&self, name: &str) -> Result<u32, String> {
        let found = self.symbols.iter().find(|symbol| symbol.name == name);
        found
            .map(|symbol| symbol.at)
            .ok_or(format!("no symbol {name}"))
    }

    /// The function that an address is in, and how far.
    pub fn place(&self, at: u32) -> String {
        let before = self.symbols.partition_point(|symbol| symbol.at <= at);
        match self.symbols[..before].last() {
            Some(symbol) => format!("{:#x}, {} + {:#x}", at, symbol.name, at - symbol.at),
            None => format!("{at:#x}"),
        }
    }
}
