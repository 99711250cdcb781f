//! Holds `vectors/sale.json` equal to what its generator writes, and runs every row as a payee does.

#[path = "../examples/gen_sale_vectors.rs"]
mod generator;

use generator::Row;
use iotedge_core::sale::{MAX_STEP, Payee, Sale, Tick};
use iotedge_core::{Id, SaleNumber};

const FILE: &str = include_str!("../../vectors/sale.json");

fn id(row: &Row, field: &str) -> Id {
    Id(hex::decode(&row[field]).unwrap().try_into().unwrap())
}

#[test]
fn the_committed_file_is_the_generated_one() {
    assert!(
        generator::render(&generator::vectors()) == FILE,
        "regenerate: cargo run -p iotedge-core --example gen_sale_vectors"
    );
}

#[test]
fn every_tick_leads_to_the_one_before() {
    let rows: Vec<Row> = serde_json::from_str(FILE).unwrap();
    assert_eq!(rows.len(), 6);
    for row in &rows {
        let lock = SaleNumber(row["lock"].parse().unwrap());
        let sale = Sale::new(&id(row, "neighbourhood"), &id(row, "payer"), lock);
        assert_eq!(sale.0, id(row, "sale"));
        let units = row["units"].parse().unwrap();
        let mut payee = Payee::new(sale, units, &id(row, "anchor")).unwrap();
        for shown in row["ticks"].split(',') {
            let (index, value) = shown.split_once(':').unwrap();
            let tick = Tick {
                index: index.parse().unwrap(),
                value: hex::decode(value).unwrap().try_into().unwrap(),
            };
            // The last one may be further than a stranger may ask for.
            match tick.index - payee.highest().index {
                ahead @ 1..=MAX_STEP => assert_eq!(payee.take(&tick), Ok(ahead)),
                _ => payee.restore(&tick).unwrap(),
            }
        }
        assert_eq!(payee.highest().index, units);
    }
}
