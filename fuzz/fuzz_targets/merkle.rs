//! RFC 9162 inclusion: the path of a leaf leads to the tree's root, and a hostile path never panics and never passes.
#![no_main]

use iotedge_core::Id;
use iotedge_core::wire::merkle;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let [a, b, c, d, rest @ ..] = bytes else {
        return;
    };
    let (size, index) = (
        u32::from(*a) | u32::from(*b & 1) << 8,
        u32::from(*c) | u32::from(*d & 1) << 8,
    );
    let leaf = |i: u32| merkle::leaf_hash(&i.to_be_bytes());

    let hostile: Vec<Id> = rest
        .chunks_exact(32)
        .map(|chunk| Id(chunk.try_into().expect("32")))
        .collect();
    let Ok(length) = merkle::path_length(index, size) else {
        assert!(index >= size);
        assert!(merkle::root_from_path(&leaf(index), index, size, &hostile).is_err());
        return;
    };
    let root = merkle::root((0..size).map(leaf)).expect("a tree of this size");
    let mut room = [Id::ZERO; merkle::MAX_PATH];
    assert_eq!(merkle::path(index, size, leaf, &mut room), Ok(length));
    let path = &room[..length];
    assert_eq!(
        merkle::verify_inclusion(&leaf(index), index, size, path, &root),
        Ok(())
    );
    // Other leaf, other place, other path: refused.
    assert!(merkle::verify_inclusion(&Id::ZERO, index, size, path, &root).is_err());
    if index + 1 < size {
        assert!(merkle::verify_inclusion(&leaf(index), index + 1, size, path, &root).is_err());
    }
    if hostile != path {
        assert!(merkle::verify_inclusion(&leaf(index), index, size, &hostile, &root).is_err());
    }
});
