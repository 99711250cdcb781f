//! `vectors/tangle.json` is what the tangle says today.

#[path = "../examples/gen_tangle_vectors/dag.rs"]
mod dag;

#[test]
fn the_committed_file_is_what_the_generator_writes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/tangle.json");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == dag::vectors(),
        "run: cargo run -p iotedge-core --example gen_tangle_vectors"
    );
}

/// The file shows what it is for: refusals of several kinds, forks, both fates, every grade, a new G0.
#[test]
fn the_vectors_cover_what_they_claim() {
    let rows: serde_json::Value = serde_json::from_str(&dag::vectors()).unwrap();
    let text = rows.to_string();
    for word in [
        "\"Quorum\"",
        "\"Witnessed\"",
        "\"Seen\"",
        "FalseDebits",
        "NumberGap",
        "EpochUnknown",
        "UnknownParents",
        "TimeNotAboveParent",
        "VoidTrim(Stale)",
        "NotGlNode",
        "\"certified\":true",
        "\"evidence\"",
        ",true,",
        ",false,",
    ] {
        assert!(text.contains(word), "{word}");
    }
    let rows = rows.as_array().unwrap();
    assert!(
        rows.iter()
            .any(|r| !r["conflicts"].as_array().unwrap().is_empty())
    );
    assert!(
        rows.iter()
            .all(|r| !r["trims"].as_array().unwrap().is_empty())
    );
    for row in rows {
        let sum: u64 = row["found"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|v| row["tips"].as_array().unwrap().contains(&v["id"]))
            .map(|v| v["confidence"].as_u64().unwrap())
            .sum();
        assert_eq!(sum, 1 << 32, "{}", row["name"]);
    }
}
