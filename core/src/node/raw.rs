//! The bytes of the transactions in the window, in one ring of caller memory.
//!
//! Neighbours ask for transactions by prefix and get exactly the bytes that came. The ring forgets the oldest bytes first; a vertex
//! whose bytes are gone stays in the tangle and is simply not served any more. Invariant: what `get` returns is what `put`
//! was given, or nothing.

/// Where the bytes of one window slot are.
use crate::copy::copy;

#[derive(Clone, Copy, Debug, Default)]
pub struct RawSlot {
    seq: u32,
    start: u64,
    len: u16,
}

/// A ring of bytes with one entry per window slot.
#[derive(Debug)]
pub struct Raw<'m> {
    bytes: &'m mut [u8],
    slots: &'m mut [RawSlot],
    written: u64,
}

impl<'m> Raw<'m> {
    pub(crate) fn new(bytes: &'m mut [u8], slots: &'m mut [RawSlot]) -> Self {
        slots.fill(RawSlot::default());
        Self {
            bytes,
            slots,
            written: 0,
        }
    }

    pub(crate) fn into_parts(self) -> (&'m mut [u8], &'m mut [RawSlot]) {
        (self.bytes, self.slots)
    }

    fn slot_index(&self, seq: u32) -> Option<usize> {
        (seq as usize).checked_rem(self.slots.len())
    }

    /// Keeps `head` then `tail` for the vertex with this sequence number. Too long for the ring: not kept.
    pub(crate) fn put(&mut self, seq: u32, head: &[u8], tail: &[u8]) {
        let Some(slot) = self.slot_index(seq) else {
            return;
        };
        let Some(entry) = self.append(head, tail) else {
            return;
        };
        if let Some(place) = self.slots.get_mut(slot) {
            *place = RawSlot { seq, ..entry };
        }
    }

    fn append(&mut self, head: &[u8], tail: &[u8]) -> Option<RawSlot> {
        let len = head.len().saturating_add(tail.len());
        let short = u16::try_from(len).ok()?;
        let capacity = self.bytes.len();
        if len > capacity || len == 0 {
            return None;
        }
        // An entry never wraps: the rest of the ring is skipped when it is too short, so that `get` can return one slice.
        let at = self.position(self.written);
        if at.saturating_add(len) > capacity {
            self.written = self
                .written
                .saturating_add(capacity.saturating_sub(at) as u64);
        }
        let at = self.position(self.written);
        let middle = at.saturating_add(head.len());
        let end = at.saturating_add(len);
        if let Some(place) = self.bytes.get_mut(at..middle) {
            copy(place, head);
        }
        if let Some(place) = self.bytes.get_mut(middle..end) {
            copy(place, tail);
        }
        let entry = RawSlot {
            seq: 0,
            start: self.written,
            len: short,
        };
        self.written = self.written.saturating_add(len as u64);
        Some(entry)
    }

    /// The bytes of the vertex with this sequence number, while the ring still has them.
    pub(crate) fn get(&self, seq: u32) -> Option<&[u8]> {
        let entry = self.slots.get(self.slot_index(seq)?)?;
        if entry.seq != seq {
            return None;
        }
        self.kept(entry)
    }

    /// Keeps bytes that belong to no vertex, for as long as the ring does not come round.
    pub(crate) fn keep(&mut self, bytes: &[u8]) -> Option<RawSlot> {
        self.append(bytes, &[])
    }

    /// What [`Raw::keep`] kept, while the ring still has it.
    pub(crate) fn kept(&self, entry: &RawSlot) -> Option<&[u8]> {
        let oldest = self.written.saturating_sub(self.bytes.len() as u64);
        if entry.len == 0 || entry.start < oldest {
            return None;
        }
        let at = self.position(entry.start);
        self.bytes.get(at..at.checked_add(usize::from(entry.len))?)
    }

    fn position(&self, absolute: u64) -> usize {
        absolute.checked_rem(self.bytes.len() as u64).unwrap_or(0) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn returns_what_was_put_or_nothing(lens in prop::collection::vec(1usize..60, 1..80), capacity in 60usize..400) {
            let mut bytes = vec![0; capacity];
            let mut slots = vec![RawSlot::default(); 16];
            let mut raw = Raw::new(&mut bytes, &mut slots);
            for (i, len) in lens.iter().enumerate() {
                let body = vec![u8::try_from(i % 251).unwrap(); *len];
                let (head, tail) = body.split_at(len / 2);
                raw.put(u32::try_from(i).unwrap(), head, tail);
                prop_assert_eq!(raw.get(u32::try_from(i).unwrap()), Some(body.as_slice()));
            }
            let mut held = 0;
            for (i, len) in lens.iter().enumerate() {
                if let Some(got) = raw.get(u32::try_from(i).unwrap()) {
                    let body = vec![u8::try_from(i % 251).unwrap(); *len];
                    prop_assert_eq!(got, body.as_slice());
                    held += len;
                }
            }
            prop_assert!(held <= capacity);
        }
    }

    #[test]
    fn too_long_is_not_kept_and_harms_nothing() {
        let mut bytes = vec![0; 64];
        let mut slots = vec![RawSlot::default(); 4];
        let mut raw = Raw::new(&mut bytes, &mut slots);
        raw.put(1, b"kept", b"");
        raw.put(2, &[7; 65], b"");
        assert_eq!(raw.get(2), None);
        assert_eq!(raw.get(1), Some(b"kept".as_slice()));
    }

    #[test]
    fn what_belongs_to_no_vertex_is_kept_until_the_ring_comes_round() {
        let mut bytes = vec![0; 64];
        let mut slots = vec![RawSlot::default(); 4];
        let mut raw = Raw::new(&mut bytes, &mut slots);
        let entry = raw.keep(&[9; 30]).unwrap();
        raw.put(1, &[1; 30], b"");
        assert_eq!(raw.kept(&entry), Some([9; 30].as_slice()));
        assert_eq!(raw.get(1), Some([1; 30].as_slice()));
        raw.put(2, &[2; 30], b"");
        assert_eq!(raw.kept(&entry), None);
        assert!(raw.keep(&[0; 65]).is_none() && raw.keep(&[]).is_none());
    }
}
