//! The same operations under criterion: absolute times with their spread, kept from run to run for comparison.

use criterion::{Criterion, criterion_group, criterion_main};
use iotedge_bench::transfer::{Many, Transfer};
use iotedge_bench::window::Neighbourhood;

fn signatures(c: &mut Criterion) {
    let transfer = Transfer::default();
    c.bench_function("bare signature", |b| b.iter(|| transfer.bare_sign()));
    c.bench_function("create a transfer", |b| b.iter(|| transfer.create()));
    c.bench_function("bare check", |b| b.iter(|| transfer.bare_verify()));
    c.bench_function("verify a transfer", |b| b.iter(|| transfer.verify()));
    let mut many = Many::new(255);
    c.bench_function("255 checks singly", |b| b.iter(|| many.singly()));
    c.bench_function("255 checks batched", |b| b.iter(|| many.batched()));
}

fn windows(c: &mut Criterion) {
    for capacity in [256, 4096] {
        for followed in [0, 64] {
            let mut neighbourhood = Neighbourhood::new(capacity, followed);
            (0..2 * capacity).for_each(|_| neighbourhood.step());
            let name = format!("insert + select, window {capacity}, {followed} followed");
            c.bench_function(&name, |b| b.iter(|| neighbourhood.step()));
        }
        let mut neighbourhood = Neighbourhood::new(capacity, 0);
        (0..2 * capacity).for_each(|_| neighbourhood.step());
        c.bench_function(&format!("exact confidence, window {capacity}"), |b| {
            b.iter(|| neighbourhood.confidences())
        });
    }
}

criterion_group!(operations, signatures, windows);
criterion_main!(operations);
