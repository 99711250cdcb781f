//! Providers and receivers together: every size and link, refusals, resets, firmware.

use super::manifest::{MAX_MANIFEST, ManifestError, Signed};
use super::update::{Target, UpdateError, confirm, installed};
use super::*;
use crate::crypto::{PublicKey, SecretKey, Signature, SignatureError, Software, Verify};
use crate::identity::Seconds;
use crate::node::test_platform::MemoryPlatform;
use crate::types::Prefix;
use crate::wire::merkle;
use proptest::prelude::*;

fn chunk_size(log: u8) -> ChunkSize {
    ChunkSize::new(log).unwrap()
}

fn bytes_of(len: usize) -> Vec<u8> {
    (0..len as u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect()
}

struct Served {
    bytes: Vec<u8>,
    provider: Provider<'static>,
}

fn serve(len: usize, log: u8, level: u8) -> Served {
    let bytes = bytes_of(len);
    let chunk = chunk_size(log);
    let need = Provider::memory(len as u64, chunk, level).unwrap();
    let memory = Vec::leak(vec![Id::ZERO; need]);
    let provider =
        Provider::build(len as u64, chunk, level, memory, &mut bytes.as_slice()).unwrap();
    Served { bytes, provider }
}

impl Served {
    fn stream(&self) -> Stream {
        Stream::new(*self.provider.content())
    }

    fn answer(&self, request: &Request) -> Result<(Vec<u8>, Option<Request>), ContentError> {
        let mut out = vec![0; 1400];
        let mut source = self.bytes.as_slice();
        let (len, rest) = self.provider.answer(request, &mut source, &mut out)?;
        out.truncate(len);
        Ok((out, rest))
    }
}

/// Takes all; returns what was written, how many parts came, and the bytes on the wire.
fn fetch(served: &Served, most: u16, chunks: u8) -> (Vec<u8>, usize, usize) {
    let mut stream = served.stream();
    let (mut got, mut parts, mut wire) = (Vec::new(), 0, 0);
    while let Some(request) = stream.request(most, chunks) {
        let mut next = Some(request);
        while let Some(request) = next {
            let (frame, rest) = served.answer(&request).unwrap();
            assert!(frame.len() <= usize::from(most));
            let part = Part::parse(&frame).unwrap();
            let step = stream.take(&part, &mut |offset, bytes| {
                assert_eq!(offset, got.len() as u64);
                got.extend_from_slice(bytes);
                Ok(())
            });
            step.unwrap();
            parts += 1;
            wire += frame.len();
            next = rest;
        }
    }
    assert!(stream.is_complete());
    (got, parts, wire)
}

#[test]
fn every_size_arrives_over_every_link() {
    for len in [1, 63, 64, 65, 640, 1000, 64 * 64, 64 * 65 + 1, 5000] {
        for level in [0, 1, 2, 5, 20] {
            for (most, chunks) in [(1400, 1), (1400, 32), (222, 1), (222, 7), (165, 255)] {
                let served = serve(len, 6, level);
                let (got, _, _) = fetch(&served, most, chunks);
                assert_eq!(got, served.bytes, "{len} {level} {most} {chunks}");
            }
        }
    }
}

#[test]
fn the_root_is_rfc_9162s_over_the_chunks() {
    let served = serve(1000, 7, 2);
    let leaves = served.bytes.chunks(128).map(merkle::leaf_hash);
    assert_eq!(
        *served.provider.content().root(),
        merkle::root(leaves).unwrap()
    );
    assert_eq!(served.provider.content().count(), 8);
    assert_eq!(served.provider.content().len_of(7), 1000 - 7 * 128);
}

#[test]
fn each_hash_travels_once() {
    let served = serve(64 * 1024, 8, 3);
    let (_, parts, wire) = fetch(&served, 1400, 255);
    assert_eq!(parts, 256);
    let hashes = 32 * 255;
    assert!(wire <= served.bytes.len() + hashes + parts * MAX_PART_OVERHEAD);
    // A path for each chunk would be eight hashes.
    assert!(wire < served.bytes.len() + 256 * 8 * 32 / 3);
    // A narrow link takes a quarter more: a chunk with two siblings or more takes two parts.
    let (_, narrow, _) = fetch(&serve(16 * 1024, 7, 3), 222, 255);
    assert!((128..170).contains(&narrow), "{narrow}");
}

#[test]
fn a_part_that_was_changed_is_refused_and_nothing_changes() {
    let served = serve(1000, 6, 0);
    let mut stream = served.stream();
    for _ in 0..3 {
        let (frame, _) = served.answer(&stream.request(222, 1).unwrap()).unwrap();
        for at in 0..frame.len() {
            let mut changed = frame.clone();
            changed[at] ^= 1;
            let Ok(part) = Part::parse(&changed) else {
                continue;
            };
            let before = (stream.next(), stream.request(0, 1));
            let taken = stream.take(&part, &mut |_, _| panic!("handed on"));
            assert!(taken.is_err(), "{at}");
            assert_eq!(before, (stream.next(), stream.request(0, 1)));
        }
        let part = Part::parse(&frame).unwrap();
        stream.take(&part, &mut |_, _| Ok(())).unwrap();
    }
}

#[test]
fn refusals_say_why() {
    let served = serve(1000, 6, 0);
    let mut stream = served.stream();
    let request = stream.request(1400, 1).unwrap();
    let (frame, _) = served.answer(&request).unwrap();
    let part = Part::parse(&frame).unwrap();
    let never = &mut |_: u64, _: &[u8]| -> Result<(), ContentError> { panic!("handed on") };

    let other = Part {
        content: Prefix([9; 16]),
        ..part
    };
    assert_eq!(stream.take(&other, never), Err(ContentError::WrongContent));
    for (first, end) in [(1, 16), (0, 15), (0, 17)] {
        let other = Part { first, end, ..part };
        assert_eq!(stream.take(&other, never), Err(ContentError::WrongPart));
    }
    let siblings = &part.siblings[..part.siblings.len() - 1];
    assert_eq!(
        stream.take(&Part { siblings, ..part }, never),
        Err(ContentError::Length)
    );
    let long = [part.siblings, &[0; 32]].concat();
    let other = Part {
        siblings: &long,
        ..part
    };
    assert_eq!(stream.take(&other, never), Err(ContentError::Length));
    let body = &part.body[1..];
    assert_eq!(
        stream.take(&Part { body, ..part }, never),
        Err(ContentError::Length)
    );
    // What is known already, as an answer.
    let nothing = Part {
        siblings: &[],
        body: &served.provider.content().root().0,
        ..part
    };
    assert_eq!(stream.take(&nothing, never), Err(ContentError::Length));
    // The flash failed: the same chunk is taken again.
    let failed = stream.take(&part, &mut |_, _| Err(ContentError::Platform));
    assert_eq!(failed, Err(ContentError::Platform));
    assert_eq!(stream.take(&part, &mut |_, _| Ok(())), Ok(Step::Chunk));
    assert_eq!(stream.take(&part, never), Err(ContentError::WrongPart));

    let asked = |change: &dyn Fn(&mut Request)| {
        let mut asked = request;
        change(&mut asked);
        served.answer(&asked).unwrap_err()
    };
    assert_eq!(
        asked(&|r| r.content = Prefix([0; 16])),
        ContentError::WrongContent
    );
    assert_eq!(asked(&|r| r.end = 17), ContentError::Index);
    assert_eq!(asked(&|r| (r.first, r.end) = (16, 17)), ContentError::Index);
    assert_eq!(asked(&|r| (r.first, r.end) = (1, 3)), ContentError::Index);
    assert_eq!(asked(&|r| r.most = 97), ContentError::TooNarrow);
    let mut gone: &[u8] = &[];
    assert_eq!(
        served.provider.answer(&request, &mut gone, &mut [0; 1400]),
        Err(ContentError::Platform)
    );
    assert_eq!(
        Descriptor::new(0, chunk_size(6), Id::ZERO),
        Err(ContentError::Size)
    );
    assert!(Descriptor::new(1 << 30, chunk_size(10), Id::ZERO).is_ok());
    assert_eq!(
        Descriptor::new((1 << 30) + 1, chunk_size(10), Id::ZERO),
        Err(ContentError::Size)
    );
    let mut memory = [Id::ZERO; 15];
    let short = Provider::build(
        1000,
        chunk_size(6),
        0,
        &mut memory,
        &mut served.bytes.as_slice(),
    );
    assert_eq!(short.unwrap_err(), ContentError::Full);
}

#[test]
fn a_leaf_is_no_node_and_a_node_no_leaf() {
    // Two chunks of 32 bytes would be 64; a chunk that has the bytes of an inner node must not pass for it.
    let left = merkle::leaf_hash(&[1; 64]);
    let right = merkle::leaf_hash(&[2; 64]);
    let root = merkle::node_hash(&left, &right);
    let content = Descriptor::new(64, chunk_size(6), root).unwrap();
    let mut stream = Stream::new(content);
    let body = [left.0, right.0].concat();
    let part = Part {
        content: stream.prefix(),
        first: 0,
        end: 1,
        siblings: &[],
        body: &body,
    };
    let taken = stream.take(&part, &mut |_, _| panic!("handed on"));
    assert_eq!(taken, Err(ContentError::Forged));
}

fn saved(stream: &Stream) -> Vec<u8> {
    let mut out = [0; MAX_STATE];
    let mut w = Writer::new(&mut out);
    stream.save(&mut w).unwrap();
    w.written().to_vec()
}

#[test]
fn a_saved_state_goes_on_at_every_place() {
    let served = serve(64 * 21 + 3, 6, 1);
    let mut stream = served.stream();
    loop {
        let bytes = saved(&stream);
        let again = Stream::restore(*served.provider.content(), &bytes).unwrap();
        assert_eq!(again.next(), stream.next());
        assert_eq!(again.request(222, 3), stream.request(222, 3));
        for cut in 0..bytes.len() {
            let refused = Stream::restore(*served.provider.content(), &bytes[..cut]);
            assert_eq!(refused.unwrap_err(), ContentError::Stored);
        }
        let Some(request) = again.request(1400, 1) else {
            break;
        };
        stream = again;
        let (frame, _) = served.answer(&request).unwrap();
        let part = Part::parse(&frame).unwrap();
        stream.take(&part, &mut |_, _| Ok(())).unwrap();
    }
    let other = serve(64 * 21 + 4, 6, 1);
    let refused = Stream::restore(*other.provider.content(), &saved(&stream));
    assert_eq!(refused.unwrap_err(), ContentError::Stored);

    // Halfway to a chunk is no place to stop.
    let mut stream = served.stream();
    let (frame, _) = served.answer(&stream.request(165, 1).unwrap()).unwrap();
    let part = Part::parse(&frame).unwrap();
    assert_eq!(stream.take(&part, &mut |_, _| Ok(())), Ok(Step::Way));
    let refused = stream.save(&mut Writer::new(&mut [0; MAX_STATE]));
    assert_eq!(refused, Err(ContentError::WrongPart));
}

#[test]
fn the_longest_state_fits() {
    let content = Descriptor::new(1 << 30, chunk_size(10), Id([7; 32])).unwrap();
    let hashes = shape::known(content.count(), 1).len();
    assert_eq!(hashes, MAX_LEVELS);
    assert!(1 + 34 + 5 + 3 + 32 * hashes <= MAX_STATE);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 200 }))]

    #[test]
    fn any_content_arrives(len in 1usize..9000, log in 6u8..=10, level in 0u8..6, most in 0u16..1400, chunks in 1u8..=255) {
        let most = most.max((1 << log) + 98);
        let served = serve(len, log, level);
        prop_assert_eq!(fetch(&served, most.min(1400), chunks).0, served.bytes);
    }

    #[test]
    fn garbage_changes_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let served = serve(300, 6, 0);
        let mut stream = served.stream();
        if let Ok(part) = Part::parse(&bytes) {
            prop_assert!(stream.take(&part, &mut |_, _| Ok(())).is_err());
        }
        if let Ok(request) = Request::parse(&bytes) {
            let _ = served.answer(&request);
        }
        if let Ok(signed) = Signed::parse(&bytes) {
            prop_assert!(signed.verify(&maker().public_key(), &mut Software).is_err());
        }
    }

    #[test]
    fn what_is_written_is_read(first in 0u32..1 << 20, more in 1u32..1 << 20, most: u16, chunks in 1u8..=255) {
        let request = Request { content: Prefix([5; 16]), first, end: first + more, most, chunks };
        let mut out = [0; 40];
        let mut w = Writer::new(&mut out);
        request.write(&mut w).unwrap();
        prop_assert!(w.len() <= MAX_REQUEST);
        prop_assert_eq!(Request::parse(w.written()).unwrap(), request);
    }
}

// Firmware.

const KEY: u16 = 0x60;
const STEP: u32 = 4;

fn maker() -> SecretKey {
    SecretKey::from_seed(&[0x55; 32]).unwrap()
}

fn manifest(sequence: u64, content: Descriptor) -> Manifest<'static> {
    Manifest {
        sequence,
        vendor: [1; 16],
        class: [2; 16],
        component: b"app",
        format: 0,
        expires: Some(Seconds(2_000_000_000)),
        precursor: None,
        digest: Id([3; 32]),
        content,
    }
}

fn signed(manifest: &Manifest<'_>) -> Vec<u8> {
    let mut out = [0; MAX_MANIFEST];
    let len = manifest.issue(&maker(), &mut out).unwrap();
    out[..len].to_vec()
}

fn target(authority: &PublicKey) -> Target<'_> {
    Target {
        vendor: [1; 16],
        class: [2; 16],
        component: b"app",
        authority,
        running: None,
        formats: 0,
        slot: 10_000,
        step: STEP,
        key: KEY,
    }
}

fn offer(platform: &mut MemoryPlatform, bytes: &[u8]) -> Result<Update, UpdateError> {
    let authority = maker().public_key();
    let now = Some(Seconds(1_900_000_000));
    Update::offer(platform, &target(&authority), bytes, now, &mut Software)
}

fn resume(platform: &mut MemoryPlatform) -> Result<Option<Update>, UpdateError> {
    let authority = maker().public_key();
    Update::resume(platform, &target(&authority), &mut Software)
}

/// Takes up to so many chunks into a slot of flash.
fn load(
    update: &mut Update,
    platform: &mut MemoryPlatform,
    served: &Served,
    slot: &mut Vec<u8>,
    chunks: usize,
) {
    for _ in 0..chunks {
        let Some(request) = update.request(1400, 1) else {
            return;
        };
        let (frame, _) = served.answer(&request).unwrap();
        let part = Part::parse(&frame).unwrap();
        let step = update.take(platform, &part, &mut |offset, bytes| {
            let offset = offset as usize;
            assert!(offset <= slot.len(), "a hole");
            assert!(
                offset == slot.len() || offset.is_multiple_of(64 * STEP as usize),
                "not at a step"
            );
            slot.truncate(offset);
            slot.extend_from_slice(bytes);
            Ok(())
        });
        assert_eq!(step, Ok(Step::Chunk));
    }
}

#[test]
fn a_firmware_arrives_over_resets() {
    let served = serve(64 * 30 + 5, 6, 2);
    let bytes = signed(&manifest(3, *served.provider.content()));
    let mut platform = MemoryPlatform::default();
    let mut slot = Vec::new();
    assert!(resume(&mut platform).unwrap().is_none());
    let mut update = offer(&mut platform, &bytes).unwrap();
    for chunks in [0, 1, 3, 5, 2, 9, 1, 1, 40] {
        load(&mut update, &mut platform, &served, &mut slot, chunks);
        let at = update.next();
        let found = resume(&mut platform).unwrap().unwrap();
        let expected = match update.is_complete() {
            true => at,
            false => at - at % STEP,
        };
        assert_eq!(found.next(), expected);
        // The same offer goes on, too.
        assert_eq!(offer(&mut platform, &bytes).unwrap().next(), expected);
        update = found;
    }
    assert!(update.is_complete());
    assert_eq!(slot, served.bytes);
    assert_eq!(installed(&mut platform, KEY), Ok(0));
    confirm(&mut platform, KEY, update.sequence()).unwrap();
    assert_eq!(installed(&mut platform, KEY), Ok(3));
    assert!(resume(&mut platform).unwrap().is_none());
    assert_eq!(
        offer(&mut platform, &bytes).unwrap_err(),
        UpdateError::Older
    );
    assert_eq!(confirm(&mut platform, KEY, 2), Err(UpdateError::Older));
}

#[test]
fn a_place_for_an_update_asks_for_nothing_and_takes_nothing() {
    let served = serve(64, 6, 0);
    let mut platform = MemoryPlatform::default();
    let mut update = Update::vacant();
    assert!(!update.is_complete() && update.request(1400, 1).is_none());
    assert_eq!(
        update.verify(&mut [].as_slice()),
        Err(UpdateError::Incomplete)
    );
    let (frame, _) = served
        .answer(&served.stream().request(1400, 1).unwrap())
        .unwrap();
    let part = Part::parse(&frame).unwrap();
    for content in [part.content, Prefix([0; 16])] {
        let part = Part { content, ..part };
        let taken = update.take(&mut platform, &part, &mut |_, _| panic!("handed on"));
        assert!(matches!(taken, Err(UpdateError::Content(_))));
    }
    // Refused, it stays one.
    let mut other = manifest(3, *served.provider.content());
    other.vendor = [9; 16];
    let key = maker().public_key();
    let bytes = signed(&other);
    let begun = update.begin(&mut platform, &target(&key), &bytes, None, &mut Software);
    assert_eq!(begun, Err(UpdateError::WrongVendor));
    assert!(update.request(1400, 1).is_none());
    assert!(
        !update
            .go_on(&mut platform, &target(&key), &mut Software)
            .unwrap()
    );
}

#[test]
fn what_lies_in_the_slot_is_held_against_the_digest() {
    let served = serve(64 * 9 + 5, 6, 2);
    let digest = Id(crate::crypto::sha256(&[&served.bytes]));
    let named = Manifest {
        digest,
        ..manifest(3, *served.provider.content())
    };
    let mut platform = MemoryPlatform::default();
    let mut slot = Vec::new();
    let mut update = offer(&mut platform, &signed(&named)).unwrap();
    load(&mut update, &mut platform, &served, &mut slot, 9);
    assert_eq!(
        update.verify(&mut slot.as_slice()),
        Err(UpdateError::Incomplete)
    );
    load(&mut update, &mut platform, &served, &mut slot, 9);
    assert_eq!(update.verify(&mut slot.as_slice()), Ok(()));
    assert_eq!(
        update.verify(&mut &slot[1..]),
        Err(UpdateError::Content(ContentError::Platform))
    );
    for at in [0, 256, slot.len() - 1] {
        slot[at] ^= 1;
        assert_eq!(
            update.verify(&mut slot.as_slice()),
            Err(UpdateError::Digest)
        );
        slot[at] ^= 1;
    }
    Update::give_up(&mut platform, KEY).unwrap();
    assert!(resume(&mut platform).unwrap().is_none());
}

/// Counts what is checked.
struct Counting(u32);

impl Verify for Counting {
    fn verify(
        &mut self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        self.0 += 1;
        Software.verify(key, message, signature)
    }
}

#[test]
fn no_manifest_is_checked_more_often_than_it_has_to_be() {
    let served = serve(1000, 6, 0);
    let content = *served.provider.content();
    let authority = maker().public_key();
    let mut platform = MemoryPlatform::default();
    // The first, the same again, a newer one in its place.
    for (sequence, checks) in [(5, 1), (5, 1), (6, 2)] {
        let bytes = signed(&manifest(sequence, content));
        let (target, mut count) = (target(&authority), Counting(0));
        Update::offer(&mut platform, &target, &bytes, None, &mut count).unwrap();
        assert_eq!(count.0, checks, "{sequence}");
    }
    let mut count = Counting(0);
    Update::resume(&mut platform, &target(&authority), &mut count).unwrap();
    assert_eq!(count.0, 1);
}

#[test]
fn an_older_firmware_never_begins() {
    let served = serve(1000, 6, 0);
    let content = *served.provider.content();
    let of = |sequence| signed(&manifest(sequence, content));
    let mut platform = MemoryPlatform::default();
    let mut slot = Vec::new();
    let mut update = offer(&mut platform, &of(5)).unwrap();
    load(&mut update, &mut platform, &served, &mut slot, 8);
    assert_eq!(
        offer(&mut platform, &of(4)).unwrap_err(),
        UpdateError::Older
    );
    // The same number for something else.
    let mut other = manifest(5, content);
    other.digest = Id([4; 32]);
    assert_eq!(
        offer(&mut platform, &signed(&other)).unwrap_err(),
        UpdateError::Older
    );
    assert_eq!(resume(&mut platform).unwrap().unwrap().next(), 8);
    // A newer one takes its place, from the beginning.
    assert_eq!(offer(&mut platform, &of(6)).unwrap().next(), 0);
    assert_eq!(resume(&mut platform).unwrap().unwrap().sequence(), 6);
    // Another one was installed meanwhile: by wire, by a second bootloader.
    confirm(&mut platform, KEY, 5).unwrap();
    assert_eq!(resume(&mut platform).unwrap().unwrap().sequence(), 6);
    confirm(&mut platform, KEY, 9).unwrap();
    assert!(resume(&mut platform).unwrap().is_none());
    assert_eq!(
        offer(&mut platform, &of(9)).unwrap_err(),
        UpdateError::Older
    );
    assert!(offer(&mut platform, &of(10)).is_ok());
}

#[test]
fn a_cut_between_number_and_record_leaves_nothing_to_go_on_with() {
    let served = serve(1000, 6, 0);
    let bytes = signed(&manifest(5, *served.provider.content()));
    let mut platform = MemoryPlatform::default();
    offer(&mut platform, &bytes).unwrap();
    let mut number = [0; 9];
    let mut w = Writer::new(&mut number);
    w.put_uint(5);
    crate::platform::Platform::put(&mut platform, KEY, w.written()).unwrap();
    assert_eq!(resume(&mut platform).unwrap_err(), UpdateError::Older);
    assert_eq!(
        offer(&mut platform, &bytes).unwrap_err(),
        UpdateError::Older
    );
    confirm(&mut platform, KEY, 5).unwrap();
    assert!(resume(&mut platform).unwrap().is_none());
}

#[test]
fn what_is_damaged_in_the_store_begins_anew() {
    let served = serve(1000, 6, 0);
    let bytes = signed(&manifest(5, *served.provider.content()));
    let mut platform = MemoryPlatform::default();
    let mut slot = Vec::new();
    let mut update = offer(&mut platform, &bytes).unwrap();
    load(&mut update, &mut platform, &served, &mut slot, 8);
    crate::platform::Platform::put(&mut platform, KEY + 1, &[0x83, 5]).unwrap();
    assert_eq!(resume(&mut platform).unwrap_err(), UpdateError::Stored);
    assert_eq!(offer(&mut platform, &bytes).unwrap().next(), 0);
    crate::platform::Platform::put(&mut platform, KEY + 1, &[0x83, 5]).unwrap();
    confirm(&mut platform, KEY, 4).unwrap();
    assert!(resume(&mut platform).unwrap().is_none());
}

#[test]
fn a_manifest_for_another_device_or_by_another_key_is_refused() {
    let served = serve(1000, 6, 0);
    let base = manifest(5, *served.provider.content());
    let large = *serve(10_001, 10, 0).provider.content();
    let cases = [
        (
            Manifest {
                vendor: [9; 16],
                ..base
            },
            UpdateError::WrongVendor,
        ),
        (
            Manifest {
                class: [9; 16],
                ..base
            },
            UpdateError::WrongClass,
        ),
        (
            Manifest {
                component: b"radio",
                ..base
            },
            UpdateError::WrongComponent,
        ),
        (Manifest { format: 1, ..base }, UpdateError::Format),
        (
            Manifest {
                expires: Some(Seconds(1_900_000_000)),
                ..base
            },
            UpdateError::Expired,
        ),
        (
            Manifest {
                precursor: Some(Id([8; 32])),
                ..base
            },
            UpdateError::WrongPrecursor,
        ),
        (
            Manifest {
                content: large,
                ..base
            },
            UpdateError::TooLarge,
        ),
    ];
    let mut platform = MemoryPlatform::default();
    for (manifest, error) in cases {
        assert_eq!(offer(&mut platform, &signed(&manifest)).unwrap_err(), error);
    }
    let stranger = SecretKey::from_seed(&[0x66; 32]).unwrap();
    let mut out = [0; MAX_MANIFEST];
    let len = base.issue(&stranger, &mut out).unwrap();
    assert_eq!(
        offer(&mut platform, &out[..len]).unwrap_err(),
        UpdateError::Manifest(ManifestError::WrongSigner)
    );
    let mut bytes = signed(&base);
    let last = bytes.len() - 1;
    bytes[last] ^= 0x40;
    assert!(matches!(
        offer(&mut platform, &bytes).unwrap_err(),
        UpdateError::Manifest(ManifestError::Signature(
            SignatureError::Rejected | SignatureError::Malformed
        ))
    ));
    let mut nothing = base;
    nothing.sequence = 0;
    assert_eq!(
        nothing.issue(&maker(), &mut out),
        Err(ManifestError::Element)
    );
    nothing.sequence = 1;
    nothing.component = b"a name of 17 byte";
    assert_eq!(
        nothing.issue(&maker(), &mut out),
        Err(ManifestError::Element)
    );
    assert!(resume(&mut platform).unwrap().is_none());
}

#[test]
fn the_largest_manifest_fits() {
    let content = Descriptor::new(1 << 30, chunk_size(10), Id([7; 32])).unwrap();
    let largest = Manifest {
        sequence: u64::MAX,
        component: &[b'x'; 16],
        format: u32::MAX,
        expires: Some(Seconds(u64::MAX)),
        precursor: Some(Id([8; 32])),
        ..manifest(1, content)
    };
    let bytes = signed(&largest);
    assert!(bytes.len() <= MAX_MANIFEST, "{}", bytes.len());
    let read = Signed::parse(&bytes).unwrap();
    assert_eq!(
        read.verify(&maker().public_key(), &mut Software).unwrap(),
        largest
    );
    assert_eq!(signed(&manifest(1, content)).len(), 207);
}

#[test]
fn a_store_that_fails_loses_no_chunk() {
    let served = serve(1000, 6, 0);
    let bytes = signed(&manifest(5, *served.provider.content()));
    let mut platform = MemoryPlatform::default();
    let mut update = offer(&mut platform, &bytes).unwrap();
    let mut written = 0;
    while let Some(request) = update.request(1400, 1) {
        let (frame, _) = served.answer(&request).unwrap();
        let part = Part::parse(&frame).unwrap();
        platform.fail_put = update.next() == STEP - 1;
        let step = update.take(&mut platform, &part, &mut |_, _| {
            written += 1;
            Ok(())
        });
        match platform.fail_put {
            true => assert_eq!(step, Err(UpdateError::Platform)),
            false => assert_eq!(step, Ok(Step::Chunk)),
        }
    }
    assert_eq!(written, 16);
    assert!(resume(&mut platform).unwrap().unwrap().is_complete());
}
