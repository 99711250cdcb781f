//! Writes `vectors/sale.json`: hash chains of metered sales (protocol section 14).
//!
//! `cargo run -p iotedge-core --example gen_sale_vectors` regenerates the file; a test compares and runs it. Rows are flat and hold strings only, so that a C program can run them.

use iotedge_core::platform::{Platform, PlatformError};
use iotedge_core::sale::{Config, Payer, Pebble, Sale, Secret, Tick};
use iotedge_core::{Id, SaleNumber};
use std::collections::BTreeMap;

/// One row of the file.
pub type Row = BTreeMap<String, String>;

/// Stores nothing: for vectors only.
struct Fixed;

impl Platform for Fixed {
    fn random(&mut self, _: &mut [u8]) -> Result<(), PlatformError> {
        Err(PlatformError::Random)
    }
    fn get(&mut self, _: u16, _: &mut [u8]) -> Result<Option<usize>, PlatformError> {
        Ok(None)
    }
    fn put(&mut self, _: u16, _: &[u8]) -> Result<(), PlatformError> {
        Ok(())
    }
    fn remove(&mut self, _: u16) -> Result<(), PlatformError> {
        Ok(())
    }
}

fn chain(neighbourhood: u8, payer: u8, lock: u32, units: u32) -> Row {
    let (neighbourhood, device) = (Id([neighbourhood; 32]), Id([payer; 32]));
    let sale = Sale::new(&neighbourhood, &device, SaleNumber(lock));
    let secret = [0x33; 32];
    let config = Config {
        sale,
        units,
        ahead: 64,
        key: 1,
    };
    let secret_key = Secret::from_bytes(secret);
    let mut pebbles = vec![Pebble::default(); Payer::pebbles(units)];
    let mut payer = Payer::open(&mut Fixed, &secret_key, config, &mut pebbles).unwrap();
    let ticks: Vec<Tick> = (0..units).map(|_| payer.pay(&mut Fixed).unwrap()).collect();
    let shown: Vec<String> = ticks
        .iter()
        .filter(|tick| tick.index <= 4 || tick.index == units)
        .map(|tick| format!("{}:{}", tick.index, hex::encode(tick.value)))
        .collect();
    let anchor = Payer::anchor(&secret_key, &sale, units).unwrap();
    [
        ("op", "ticks".to_owned()),
        ("name", format!("{units} units under lock {lock}")),
        ("neighbourhood", neighbourhood.to_string()),
        ("payer", device.to_string()),
        ("lock", lock.to_string()),
        ("secret", hex::encode(secret)),
        ("units", units.to_string()),
        ("sale", sale.0.to_string()),
        ("anchor", anchor.to_string()),
        ("ticks", shown.join(",")),
    ]
    .into_iter()
    .map(|(field, value)| (field.to_owned(), value))
    .collect()
}

/// All rows.
pub fn vectors() -> Vec<Row> {
    vec![
        chain(0x11, 7, 1, 1),
        chain(0x11, 7, 2, 2),
        chain(0x11, 7, 3, 5),
        chain(0x11, 8, 3, 5),
        chain(0x12, 7, 3, 5),
        chain(0x11, 7, u32::MAX, 1000),
    ]
}

/// The file.
pub fn render(rows: &[Row]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| serde_json::to_string(row).unwrap())
        .collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

#[allow(dead_code)]
fn main() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/sale.json");
    let rows = vectors();
    std::fs::write(path, render(&rows)).unwrap();
    println!("{path}: {} rows", rows.len());
}
