//! Gives the shared library its soname: the major version, or 0.minor before 1.0, since until then each minor may break the ABI. And says which cores are too small
//! for what a compiler's library brings: `cfg(narrow_core)`.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let part = |name: &str| std::env::var(name).unwrap_or_default();
    println!("cargo:rustc-check-cfg=cfg(narrow_core)");
    if part("TARGET").starts_with("thumbv6m") {
        println!("cargo:rustc-cfg=narrow_core");
    }
    if part("CARGO_CFG_TARGET_OS") == "linux" {
        let major = part("CARGO_PKG_VERSION_MAJOR");
        let soname = if major == "0" {
            format!("libiotedge.so.0.{}", part("CARGO_PKG_VERSION_MINOR"))
        } else {
            format!("libiotedge.so.{major}")
        };
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,{soname}");
    }
}
