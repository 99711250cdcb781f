//! A serial line on a script of bytes: noise, frames of a true writer, bits that flip, a reset of either end. What comes out are frames that were
//! written, or bytes whose CRC is right; memory holds; the first frame after quiet always arrives.
#![no_main]

use iotedge_core::wire::crc::crc32;
use iotedge_core::wire::serial::{CRC, Decoder, Encoder, MAX_ENCODED, encode};
use libfuzzer_sys::fuzz_target;

const LONGEST: usize = 600;

/// The frame as it travels, in parts of `part` bytes.
fn written(frame: &[u8], part: usize) -> Vec<u8> {
    let (mut encoder, mut line) = (Encoder::default(), Vec::new());
    let mut room = vec![0; part];
    while !encoder.is_done() {
        let len = encoder.write(frame, &mut room).expect("a frame");
        line.extend(&room[..len]);
        encoder = Encoder::from_words(encoder.to_words()).expect("its own words");
    }
    let mut whole = [0; MAX_ENCODED];
    let len = encode(frame, &mut whole).expect("a frame");
    assert_eq!(line, whole[..len]);
    line
}

/// What the decoder gives for these bytes.
fn read(decoder: &mut Decoder<'_>, mut bytes: &[u8], out: &mut Vec<Vec<u8>>) {
    while let (taken, Some(frame)) = decoder.take(bytes) {
        assert!(taken > 0 && !frame.is_empty() && frame.len() <= LONGEST);
        out.push(frame.to_vec());
        bytes = &bytes[taken..];
    }
}

fuzz_target!(|script: &[u8]| {
    let mut room = [0; LONGEST + CRC];
    let mut decoder = Decoder::new(&mut room);
    let mut line: Vec<u8> = Vec::new();
    let mut came = Vec::new();
    let mut rest = script;
    // Operation, length, bytes.
    while let [what, len, tail @ ..] = rest {
        let (bytes, tail) = tail.split_at(tail.len().min(usize::from(*len)));
        rest = tail;
        match what % 8 {
            0 | 1 => line.extend(bytes),
            2 | 3 if !bytes.is_empty() => {
                let frame = bytes.repeat(1 + usize::from(what >> 6));
                line.extend(written(&frame, 1 + usize::from(*len) % 40));
            }
            // A bit of what waits on the line.
            4 => {
                let at = usize::from(*len) % line.len().max(1);
                if let Some(byte) = line.get_mut(at) {
                    *byte ^= 1 << (what >> 5);
                }
            }
            5 => line.truncate(usize::from(*len)),
            6 => decoder.reset(),
            _ => {
                let piece = 1 + usize::from(*len);
                for bytes in line.chunks(piece) {
                    read(&mut decoder, bytes, &mut came);
                }
                line.clear();
            }
        }
    }
    read(&mut decoder, &line, &mut came);
    let counted = decoder.counters().frames as usize;
    assert_eq!(counted, came.len());
    // Whatever happened: a frame whose zero in front is whole arrives.
    let last = b"the first frame after quiet";
    came.clear();
    read(&mut decoder, &written(last, 5), &mut came);
    assert_eq!(came.last().map(|f| &f[..]), Some(&last[..]));
    // What is given to the decoder between two zeros comes out only where its CRC is right.
    let mut between = [0; LONGEST + CRC];
    let mut fresh = Decoder::new(&mut between);
    let mut out = Vec::new();
    read(&mut fresh, script, &mut out);
    for frame in out {
        let mut again = Vec::new();
        read(&mut decoder, &written(&frame, 3), &mut again);
        assert_eq!(again, std::slice::from_ref(&frame));
        assert_eq!(
            crc32(&[&frame[..], &crc32(&frame).to_le_bytes()].concat()),
            0x2144_df1c
        );
    }
});
