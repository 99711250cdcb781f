//! A naive encoder beside ours, every cut and every flipped bit.

use super::*;
use crate::wire::crc::crc32;
use proptest::prelude::*;

/// COBS as its paper has it, over the whole datagram, and the two zeros.
fn naive(frame: &[u8]) -> Vec<u8> {
    let mut datagram = frame.to_vec();
    datagram.extend(crc32(frame).to_le_bytes());
    let mut out = vec![0];
    let pieces: Vec<&[u8]> = datagram.split(|b| *b == 0).collect();
    for (number, piece) in pieces.iter().enumerate() {
        let mut rest = *piece;
        while rest.len() >= 254 {
            out.push(0xff);
            out.extend(&rest[..254]);
            rest = &rest[254..];
        }
        // What ends with a full block and is followed by nothing needs no more.
        let last = number + 1 == pieces.len();
        if !(last && rest.is_empty() && piece.len() >= 254) {
            out.push(rest.len() as u8 + 1);
            out.extend(rest);
        }
    }
    out.push(0);
    out
}

fn encoded(frame: &[u8]) -> Vec<u8> {
    let mut out = [0; MAX_ENCODED];
    let len = encode(frame, &mut out).unwrap();
    out[..len].to_vec()
}

/// What a decoder makes of these pieces.
fn decoded<'p>(
    room: usize,
    pieces: impl IntoIterator<Item = &'p [u8]>,
) -> (Vec<Vec<u8>>, SerialCounters) {
    let mut memory = vec![0; room + CRC];
    let mut decoder = Decoder::new(&mut memory);
    let mut frames = Vec::new();
    for mut piece in pieces {
        loop {
            let (taken, frame) = decoder.take(piece);
            match frame {
                Some(frame) => frames.push(frame.to_vec()),
                None => break,
            }
            piece = &piece[taken..];
        }
    }
    (frames, decoder.counters())
}

fn frame_of(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + 3) as u8).collect()
}

#[test]
fn the_first_frames_of_the_page() {
    // GENESIS_REQUEST: four zeros of tag, type 0x10, an empty array.
    let frame = [0, 0, 0, 0, 0x10, 0x80];
    let line = encoded(&frame);
    assert_eq!(line, naive(&frame));
    assert_eq!(line[..5], [0, 1, 1, 1, 1]);
    let (frames, counted) = decoded(MAX_FRAME, [&line[..]]);
    assert_eq!(frames, [frame]);
    assert_eq!((counted.frames, counted.empty), (1, 1));
}

#[test]
fn lengths_and_blocks() {
    for len in (1..=600).chain([1269, 1270, 1271, 1399, MAX_FRAME]) {
        for frame in [vec![0; len], vec![0xff; len], frame_of(len)] {
            let line = encoded(&frame);
            assert_eq!(line, naive(&frame), "{len}");
            assert!(line.len() <= encoded_len(len), "{len}");
            assert_eq!(line.iter().filter(|b| **b == 0).count(), 2);
            assert_eq!(decoded(len, [&line[..]]).0, [frame]);
        }
    }
    assert_eq!(MAX_ENCODED, 1412);
    let mut out = [0; MAX_ENCODED];
    assert_eq!(encode(&[], &mut out), None);
    assert_eq!(encode(&[1; MAX_FRAME + 1], &mut [0; 2000]), None);
    assert_eq!(encode(&[1; 10], &mut out[..16]), None);
    assert_eq!(encode(&[1; 10], &mut out[..17]), Some(17));
}

#[test]
fn a_full_block_may_be_followed_by_an_empty_one_at_the_end() {
    // As many encoders do: a frame whose datagram is one full block.
    let frame = (1..)
        .map(|n: u32| {
            let mut frame = vec![0x55; 250];
            frame[..4].copy_from_slice(&(n | 0x0101_0101).to_be_bytes());
            frame
        })
        .find(|f| !crc32(f).to_le_bytes().contains(&0))
        .unwrap();
    let mut line = encoded(&frame);
    assert_eq!(line.len(), 1 + 1 + 254 + 1);
    let zero = line.pop().unwrap();
    line.extend([1, zero]);
    assert_eq!(decoded(MAX_FRAME, [&line[..]]).0, [frame]);
}

type Counter = fn(&SerialCounters) -> u32;

#[test]
fn each_kind_of_damage_has_its_counter_and_ends_at_the_next_zero() {
    let good = encoded(&frame_of(40));
    let mut wrong = good.clone();
    wrong[20] ^= 0x10;
    let cases: [(&[u8], u32, Counter); 6] = [
        // Beside the zero in front of each frame.
        (&[0, 0, 0], 6, |c| c.empty),
        (&[4, 1, 2, 3, 0], 1, |c| c.too_short),
        // Four bytes are a CRC of nothing.
        (&[5, 1, 2, 3, 4, 0], 1, |c| c.too_short),
        // Half a frame before a reset: no zero behind it but that in front of the next.
        (&good[1..good.len() / 2], 1, |c| c.cut),
        (&[7; 60], 1, |c| c.too_long),
        (&wrong, 1, |c| c.corrupt),
    ];
    for (noise, wanted, counter) in cases {
        let (frames, counted) = decoded(40, [&good[..], noise, &good[..], &good[..]]);
        assert_eq!(frames.len(), 3, "{noise:x?}: {counted:?}");
        assert_eq!(counter(&counted), wanted, "{noise:x?}: {counted:?}");
        assert_eq!(counted.frames, 3);
    }
    // Longer than the room by one byte.
    let (frames, counted) = decoded(39, [&good[..], &good[..]]);
    assert_eq!((frames.len(), counted.too_long), (0, 2));
}

#[test]
fn one_flipped_bit_never_makes_another_frame() {
    for frame in [frame_of(5), vec![0; 30], frame_of(148), vec![1; 300]] {
        let line = encoded(&frame);
        let next = encoded(b"the next one");
        for bit in 0..line.len() * 8 {
            let mut bent = line.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            let (frames, _) = decoded(MAX_FRAME, [&bent[..], &next[..]]);
            assert_eq!(frames.last().unwrap(), b"the next one", "bit {bit}");
            // Where the border in front is hit the frame itself may live.
            assert!(frames.len() == 1 || frames[0] == frame, "bit {bit}");
        }
    }
}

#[test]
fn a_cut_anywhere_costs_that_frame_only() {
    let line = encoded(&frame_of(300));
    let next = encoded(b"the next one");
    for cut in 0..line.len() - 1 {
        let (frames, counted) = decoded(MAX_FRAME, [&line[..cut], &next[..]]);
        assert_eq!(frames, [b"the next one"], "{cut}");
        let lost = counted.cut + counted.corrupt + counted.too_short;
        assert_eq!(lost, u32::from(cut > 1), "{cut}: {counted:?}");
    }
}

#[test]
fn an_encoder_in_words_goes_on_where_it_stood() {
    let frame = frame_of(700);
    let mut words = Encoder::default().to_words();
    assert_eq!(words, [0; 4]);
    let mut line: Vec<u8> = Vec::new();
    loop {
        let mut encoder = Encoder::from_words(words).unwrap();
        let mut piece = [0; 16];
        let len = encoder.write(&frame, &mut piece).unwrap();
        line.extend(&piece[..len]);
        words = encoder.to_words();
        if len < piece.len() {
            assert!(encoder.is_done());
            break;
        }
    }
    assert_eq!(line, naive(&frame));
    for bad in [[5, 0, 0, 0], [1, 65_536, 0, 0], [1, 0, 512, 0]] {
        assert_eq!(Encoder::from_words(bad), None);
    }
    // Another frame, or a place that none has: an end, not a panic.
    for (step, at, place) in [(2, 3000, 7), (2, 3, 0), (1, 65_535, 0), (2, 65_535, 511)] {
        if let Some(mut encoder) = Encoder::from_words([step, at, place, 1]) {
            let _ = encoder.write(&frame[..9], &mut [0; 64]);
        }
    }
}

proptest! {
    /// Any frame, in any pieces on both sides.
    #[test]
    fn what_is_written_in_pieces_is_read_in_pieces(
        frames in prop::collection::vec(prop::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 1..=MAX_FRAME), 1..4),
        write in 1usize..300,
        read in 1usize..300,
    ) {
        let mut line = Vec::new();
        for frame in &frames {
            let mut encoder = Encoder::default();
            let mut piece = vec![0; write];
            while !encoder.is_done() {
                let len = encoder.write(frame, &mut piece).unwrap();
                line.extend(&piece[..len]);
            }
        }
        let whole: Vec<u8> = frames.iter().flat_map(|f| naive(f)).collect();
        prop_assert_eq!(&line, &whole);
        let (came, counted) = decoded(MAX_FRAME, line.chunks(read));
        prop_assert_eq!(came, frames.clone());
        prop_assert_eq!(counted.frames as usize, frames.len());
    }

    /// Whatever comes before: the frame behind it is read, and nothing else but what was right.
    #[test]
    fn no_noise_costs_the_next_frame(
        noise in prop::collection::vec(prop_oneof![3 => any::<u8>(), 1 => Just(0u8), 1 => Just(0xffu8)], 0..3000),
        room in 20usize..=MAX_FRAME,
        read in 1usize..100,
    ) {
        let line = [&noise[..], &encoded(b"a frame behind it")].concat();
        let (came, counted) = decoded(room, line.chunks(read));
        prop_assert_eq!(came.last().unwrap(), b"a frame behind it");
        prop_assert_eq!(came.len(), 1);
        let borders = line.iter().filter(|b| **b == 0).count() as u32;
        let SerialCounters { frames, empty, too_short, cut, too_long, corrupt } = counted;
        prop_assert_eq!(frames + empty + too_short + cut + too_long + corrupt, borders);
    }
}
