//! Cores without a 32 x 32 to 64 bit multiplication make their products of 16-bit halves: `cfg(narrow_products)`. Those of ARMv7E-M have an
//! instruction for a product with two sums: `cfg(umaal)`. ARMv8-M Mainline may be without it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(narrow_products)");
    println!("cargo::rustc-check-cfg=cfg(umaal)");
    let target = std::env::var("TARGET").unwrap_or_default();
    if ["thumbv6m", "thumbv8m.base"]
        .iter()
        .any(|t| target.starts_with(t))
    {
        println!("cargo::rustc-cfg=narrow_products");
    }
    if target.starts_with("thumbv7em") {
        println!("cargo::rustc-cfg=umaal");
    }
}
