//! Contents and manifests: what a receiver hands on is the content's, whatever comes; every request is answered or refused; what a manifest's key signed is read as it is written, and so is what was installed.
#![no_main]

use iotedge_core::Id;
use iotedge_core::content::installed::MAX_INSTALLED;
use iotedge_core::content::manifest::{MAX_MANIFEST, Signed};
use iotedge_core::content::{ChunkSize, Installed, Part, Provider, Request, Stream};
use iotedge_core::crypto::Software;
use iotedge_core::wire::Writer;
use iotedge_fuzz::{SIGNER, signed};
use libfuzzer_sys::fuzz_target;

const SIZE: usize = 64 * 12 + 5;

fn piece(index: usize) -> u8 {
    (index * 7 + index / 64) as u8
}

fuzz_target!(|bytes: &[u8]| {
    let Some((place, rest)) = bytes.split_first() else {
        return;
    };
    let whole: Vec<u8> = (0..SIZE).map(piece).collect();
    let (mut memory, mut source) = ([Id::ZERO; 13], whole.as_slice());
    let chunk = ChunkSize::new(6).expect("64 bytes");
    let level = place >> 4 & 3;
    let provider =
        Provider::build(SIZE as u64, chunk, level, &mut memory, &mut source).expect("a content");
    let mut out = [0; 1400];

    // A receiver that is at some chunk takes whatever comes.
    let mut stream = Stream::new(*provider.content());
    for _ in 0..place & 15 {
        let Some(request) = stream.request(1400, 1) else {
            break;
        };
        let (len, _) = provider
            .answer(&request, &mut source, &mut out)
            .expect("an answer");
        let part = Part::parse(&out[..len]).expect("a part");
        stream
            .take(&part, &mut |_, _| Ok(()))
            .expect("the part asked for");
    }
    if let Ok(part) = Part::parse(rest) {
        let at = stream.next();
        let taken = stream.take(&part, &mut |offset, bytes| {
            let offset = usize::try_from(offset).expect("small");
            assert_eq!(&whole[offset..offset + bytes.len()], bytes);
            Ok(())
        });
        assert!(taken.is_ok() || stream.next() == at);
    }

    if let Ok(mut request) = Request::parse(rest) {
        request.content = provider.content().id().prefix();
        if let Ok((len, _)) = provider.answer(&request, &mut source, &mut out) {
            assert!(len <= usize::from(request.most));
            let part = Part::parse(&out[..len]).expect("a part");
            assert_eq!((part.first, part.end), (request.first, request.end));
        }
    }

    let mut room = [0; 4096];
    let by_maker = signed(b"\x81\x70iotedge/update/1", rest, &mut room);
    let read = Signed::parse(by_maker).map(|m| m.verify(&SIGNER.public_key(), &mut Software));
    if let Ok(Ok(manifest)) = read {
        let mut again = [0; MAX_MANIFEST];
        let len = manifest.issue(&SIGNER, &mut again).expect("room");
        assert_eq!(&again[..len], by_maker);
    }

    // What was installed has one encoding.
    if let Ok(Some(installed)) = Installed::parse(rest) {
        let mut again = [0; MAX_INSTALLED];
        let mut w = Writer::new(&mut again);
        installed.write(&mut w).expect("room");
        assert_eq!(w.written(), rest);
    }
});
