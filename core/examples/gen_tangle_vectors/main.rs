//! Writes `vectors/tangle.json`: `cargo run -p iotedge-core --example gen_tangle_vectors`.

mod dag;

fn main() -> std::io::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/tangle.json");
    std::fs::write(path, dag::vectors())?;
    println!("wrote {path}");
    Ok(())
}
