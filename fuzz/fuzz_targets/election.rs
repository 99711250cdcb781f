//! Records of elections: what is read is written again as the same bytes; no seat without a proof, and no proof is found.
#![no_main]

use iotedge_core::posp::election::{Entry, Record, encode_record, list_hash};
use iotedge_core::wire::Writer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Entry::decode(bytes);
    let Ok(mut record) = Record::parse(bytes) else {
        return;
    };
    let election = *record.election();
    let whole = record.clone();
    let mut entries = Vec::new();
    while let Ok(entry) = record.next_entry() {
        let Some(entry) = entry else {
            let mut room = [0; 4096];
            let mut w = Writer::new(&mut room);
            encode_record(&election, &entries, &mut w).expect("what was read can be written");
            assert_eq!(w.written(), bytes, "accepted bytes are written otherwise");
            break;
        };
        entries.push(entry);
    }
    let candidates: Vec<_> = entries.iter().map(|entry| entry.candidate).collect();
    if let Ok(list) = list_hash(&election.chain, election.term, &candidates)
        && let Ok(elected) = whole.run::<64>(&election, &list)
    {
        assert!(elected.seats().len() <= usize::from(election.seats));
        assert!(entries.iter().any(|entry| entry.proof.is_some()));
    }
});
