//! Where the clocks of past epochs start.
//!
//! The clock of an epoch outlives its table: a vertex of a void epoch has no effect, but others stand on it, so whether it can be placed must
//! not depend on when it came (decision 0011). Who was not there learns a start from the header itself: each header names the one
//! before by its hash, so going down from a settled one needs neither votes nor signatures. Invariant: every start is that of a settled header.

use crate::wire::{Reader, WireError, Writer};
use crate::{Epoch, HeaderNumber, Id, Millis};
use heapless::Vec;

/// Epochs whose clock is kept, the newest ones. Who was away for longer starts anew from the chain heads of the table.
pub const CLOCKS: usize = 32;
/// Longest stored form.
pub(crate) const STORED_CLOCKS: usize = 4 + CLOCKS * 16;

/// The clocks that are known, and which header comes next on the way down.
#[derive(Debug, Default)]
pub(crate) struct Clocks {
    starts: Vec<(Epoch, Millis), CLOCKS>,
    below: Option<(HeaderNumber, Id)>,
}

impl Clocks {
    /// Where the clock of an epoch starts.
    pub(crate) fn start(&self, epoch: Epoch) -> Option<Millis> {
        let known = self.starts.iter().find(|(e, _)| *e == epoch);
        known.map(|(_, start)| *start)
    }

    /// Learns a start. Where there is no room, the oldest is forgotten.
    pub(crate) fn learn(&mut self, epoch: Epoch, start: Millis) {
        if self.start(epoch).is_some() {
            return;
        }
        if self.starts.is_full() {
            let oldest = self.starts.iter().map(|(e, _)| *e).min();
            if oldest.is_none_or(|oldest| epoch < oldest) {
                return;
            }
            self.starts.retain(|(e, _)| Some(*e) != oldest);
        }
        let _ = self.starts.push((epoch, start));
    }

    /// A header was settled. After a gap the way down begins at it.
    pub(crate) fn settled(&mut self, header: HeaderNumber, cut: Millis, previous: Id) {
        let before = header.saturating_sub(1);
        let gap = self.start(before.opens()).is_none();
        self.learn(header.opens(), cut);
        if gap || self.below.is_none() {
            self.below = (before > HeaderNumber(0)).then_some((before, previous));
        }
    }

    /// The header to ask for where the clock of `epoch` is not known; `None` where none will tell.
    pub(crate) fn wanted(&self, epoch: Epoch) -> Option<HeaderNumber> {
        let (header, _) = self.below?;
        (self.start(epoch).is_none() && epoch <= header.opens()).then_some(header)
    }

    /// Takes a header that its number and hash say is the next one down. False: it is another.
    pub(crate) fn take(
        &mut self,
        header: HeaderNumber,
        hash: Id,
        cut: Millis,
        previous: Id,
    ) -> bool {
        if self.below != Some((header, hash)) {
            return false;
        }
        self.learn(header.opens(), cut);
        let next = header.saturating_sub(1);
        let newest = self.starts.iter().map(|(e, _)| e.0).max().unwrap_or(0);
        let near = newest.saturating_sub(next.opens().0) < CLOCKS as u32;
        self.below = (next > HeaderNumber(0) && near).then_some((next, previous));
        true
    }

    pub(crate) fn encode(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.array(self.starts.len())?;
        for (epoch, start) in &self.starts {
            w.array(2)?;
            w.uint(u64::from(epoch.0))?;
            w.uint(start.0)?;
        }
        Ok(())
    }

    /// Reads back what [`Self::encode`] wrote.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let mut r = Reader::new(bytes);
        let count = r.array()?;
        for _ in 0..count {
            r.array_of(2)?;
            let epoch = Epoch(r.u32()?);
            self.learn(epoch, Millis(r.uint()?));
        }
        r.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> Id {
        Id([n; 32])
    }

    #[test]
    fn goes_down_by_hashes_alone_and_takes_no_other() {
        let mut clocks = Clocks::default();
        clocks.learn(Epoch(1), Millis(10));
        clocks.settled(HeaderNumber(5), Millis(50), id(4));
        assert_eq!(clocks.start(Epoch(6)), Some(Millis(50)));
        assert_eq!(clocks.wanted(Epoch(3)), Some(HeaderNumber(4)));
        assert_eq!(clocks.wanted(Epoch(1)), None, "known");
        assert_eq!(clocks.wanted(Epoch(7)), None, "to come");
        let number = HeaderNumber(4);
        assert!(!clocks.take(number, id(9), Millis(1), id(3)), "forged");
        assert!(!clocks.take(HeaderNumber(3), id(4), Millis(1), id(3)));
        assert!(clocks.take(number, id(4), Millis(40), id(3)));
        assert!(!clocks.take(number, id(4), Millis(40), id(3)), "again");
        assert!(clocks.take(HeaderNumber(3), id(3), Millis(30), id(2)));
        assert_eq!(clocks.start(Epoch(5)), Some(Millis(40)));
        assert_eq!(clocks.start(Epoch(4)), Some(Millis(30)));
        assert_eq!(clocks.wanted(Epoch(3)), Some(HeaderNumber(2)));
        assert!(clocks.take(HeaderNumber(2), id(2), Millis(20), id(1)));
        assert!(clocks.take(HeaderNumber(1), id(1), Millis(15), id(0)));
        assert_eq!(clocks.wanted(Epoch(2)), None, "all known");
    }

    #[test]
    fn a_gap_begins_the_way_down_anew_and_the_next_header_does_not() {
        let mut clocks = Clocks::default();
        clocks.learn(Epoch(1), Millis(0));
        clocks.settled(HeaderNumber(1), Millis(10), id(0));
        assert_eq!(clocks.wanted(Epoch(1)), None);
        clocks.settled(HeaderNumber(4), Millis(40), id(3));
        assert_eq!(clocks.wanted(Epoch(4)), Some(HeaderNumber(3)));
        clocks.settled(HeaderNumber(5), Millis(50), id(4));
        assert_eq!(clocks.wanted(Epoch(4)), Some(HeaderNumber(3)));
        clocks.settled(HeaderNumber(9), Millis(90), id(8));
        assert_eq!(clocks.wanted(Epoch(4)), Some(HeaderNumber(8)));
    }

    #[test]
    fn keeps_the_newest_and_survives_the_store() {
        let mut clocks = Clocks::default();
        for n in 1..=100u32 {
            clocks.settled(HeaderNumber(n), Millis(u64::from(n) << 40), id(n as u8));
        }
        assert_eq!(clocks.start(Epoch(101)), Some(Millis(100 << 40)));
        assert_eq!(clocks.start(Epoch(70)), Some(Millis(69 << 40)));
        assert_eq!(clocks.start(Epoch(69)), None);
        let mut buffer = [0; STORED_CLOCKS];
        let mut w = Writer::new(&mut buffer);
        clocks.encode(&mut w).unwrap();
        let mut again = Clocks::default();
        again.decode(w.written()).unwrap();
        for n in 60..=101 {
            assert_eq!(again.start(Epoch(n)), clocks.start(Epoch(n)));
        }
        assert!(Clocks::default().decode(b"\x81\x82\x01").is_err());
    }
}
