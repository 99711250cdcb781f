//! The packets of a link: what one radio frame carries.
//!
//! Every packet begins with a byte below 0x40, which 6LoWPAN leaves to others (NALP, RFC 4944 section 5.1), so both can share a
//! radio. A fragment has two header bytes, as many as the shortest of RFC 4944 and RFC 8931 without their datagram size: 5 bits of index (so 32
//! fragments, one bitmap of 32 bits as in RFC 8931), one bit "last", 7 bits of datagram id.

/// Bytes of a fragment's header.
pub(super) const FRAGMENT_HEAD: usize = 2;
/// Bytes of the CRC-32 at the end of a datagram that travels in fragments.
pub(super) const CRC: usize = 4;
/// Most fragments of a datagram.
pub(super) const MAX_FRAGMENTS: usize = 32;
/// Longest packet that asks for something: a repair request with a whole bitmap.
pub(super) const MAX_CONTROL: usize = 6;

/// The whole form of a compressed frame is wanted.
const WHOLE_WANTED: u8 = 0x01;
/// Fragments are wanted.
const REPAIR: u8 = 0x02;
const FRAGMENT: u8 = 0x20;
const LAST: u8 = 0x80;

/// A packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    /// A datagram in one packet.
    Datagram(&'a [u8]),
    /// A part of one.
    Fragment {
        id: u8,
        index: u8,
        last: bool,
        bytes: &'a [u8],
    },
    /// "I could not rebuild the frame with this check: send it whole."
    WholeWanted(u16),
    /// "Of this datagram I have these fragments only."
    Repair { id: u8, got: u32 },
}

impl<'a> Packet<'a> {
    /// Reads one; `None` where no honest peer writes so.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (first, rest) = bytes.split_first()?;
        match *first {
            FRAGMENT..=0x3f => {
                let (second, bytes) = rest.split_first()?;
                let (index, last) = (first & 0x1f, second & LAST != 0);
                // One fragment alone would have been a datagram in one packet.
                let alone = index == 0 && last;
                (!alone && !bytes.is_empty()).then_some(Self::Fragment {
                    id: second & !LAST,
                    index,
                    last,
                    bytes,
                })
            }
            WHOLE_WANTED => Some(Self::WholeWanted(u16::from_be_bytes(rest.try_into().ok()?))),
            REPAIR => {
                let (id, map) = rest.split_first()?;
                let mut got = [0; 4];
                crate::copy::copy(got.get_mut(..map.len())?, map);
                (*id < LAST && map.last() != Some(&0)).then_some(Self::Repair {
                    id: *id,
                    got: u32::from_le_bytes(got),
                })
            }
            first if first == super::rule::WHOLE || super::rule::is_rule(first) => {
                Some(Self::Datagram(bytes))
            }
            _ => None,
        }
    }
}

/// The two bytes before a fragment.
pub(super) fn fragment_head(id: u8, index: u8, last: bool) -> [u8; FRAGMENT_HEAD] {
    let last = if last { LAST } else { 0 };
    [FRAGMENT | (index & 0x1f), (id & !LAST) | last]
}

/// Asks for the whole form.
pub(super) fn whole_wanted(check: u16, out: &mut [u8]) -> Option<usize> {
    let [high, low] = check.to_be_bytes();
    put(&[WHOLE_WANTED, high, low], out)
}

/// Asks for what is missing: the bitmap of what is here, without the zeros at its end.
pub(super) fn repair(id: u8, got: u32, out: &mut [u8]) -> Option<usize> {
    let [a, b, c, d] = got.to_le_bytes();
    let zeros = (got.leading_zeros() / 8) as usize;
    let packet = [REPAIR, id & !LAST, a, b, c, d];
    put(packet.get(..MAX_CONTROL.checked_sub(zeros)?)?, out)
}

fn put(packet: &[u8], out: &mut [u8]) -> Option<usize> {
    crate::copy::copy(out.get_mut(..packet.len())?, packet);
    Some(packet.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_come_back_and_have_one_form() {
        let mut out = [0; 8];
        for got in [0, 1, 0x80, 0x100, 0x1_0000, 0x8000_0000, u32::MAX] {
            let len = repair(0x7f, got, &mut out).unwrap();
            assert_eq!(len, 2 + (32 - got.leading_zeros() as usize).div_ceil(8));
            let packet = Packet::parse(&out[..len]);
            assert_eq!(packet, Some(Packet::Repair { id: 0x7f, got }));
        }
        assert_eq!(Packet::parse(&[2, 5, 1, 0]), None, "a zero at the end");
        assert_eq!(Packet::parse(&[2, 0x85, 1]), None);
        assert_eq!(Packet::parse(&[2, 5, 1, 1, 1, 1, 1]), None);
        let len = whole_wanted(0x1234, &mut out).unwrap();
        assert_eq!(
            Packet::parse(&out[..len]),
            Some(Packet::WholeWanted(0x1234))
        );
        assert_eq!(Packet::parse(&[1, 2]), None);
    }

    #[test]
    fn fragments_come_back() {
        let head = fragment_head(3, 31, true);
        assert_eq!(head, [0x3f, 0x83]);
        let [a, b] = head;
        let packet = Packet::parse(&[a, b, 9]).map(|p| match p {
            Packet::Fragment {
                id,
                index,
                last,
                bytes,
            } => (id, index, last, bytes.len()),
            _ => panic!(),
        });
        assert_eq!(packet, Some((3, 31, true, 1)));
        assert_eq!(Packet::parse(&[a, b]), None, "empty");
        assert_eq!(Packet::parse(&[0x20, 0x80, 1]), None, "alone");
        for first in [0x03, 0x07, 0x18, 0x1f, 0x40, 0x80, 0xff] {
            assert_eq!(Packet::parse(&[first, 0, 0, 0]), None);
        }
        assert_eq!(Packet::parse(&[]), None);
    }
}
