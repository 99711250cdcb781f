//! Which library this is. The numbers of the header and of the library are compared by a test that compiles both.

/// Major version. Before 1.0 each minor version may change the ABI.
pub const IOTEDGE_VERSION_MAJOR: u32 = 0;
/// Minor version.
pub const IOTEDGE_VERSION_MINOR: u32 = 1;
/// Patch version.
pub const IOTEDGE_VERSION_PATCH: u32 = 0;
/// The version of this header as one number, `0x00MMmmpp`. Compare it with `iotedge_version()`.
pub const IOTEDGE_VERSION_NUMBER: u32 = 0x0000_0100;

/// The version of the library that is linked, as one number like `IOTEDGE_VERSION_NUMBER`. Different major or (before 1.0)
/// minor parts mean: header and library do not fit together.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub extern "C" fn iotedge_version() -> u32 {
    IOTEDGE_VERSION_NUMBER
}

/// The version of the library as text, `"0.1.0"`.
///
/// The text is constant, zero-terminated and lives as long as the program; never free it. From any thread, and from an
/// interrupt.
#[unsafe(no_mangle)]
pub extern "C" fn iotedge_version_text() -> *const core::ffi::c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_cargo() {
        let part = |text: &str| text.parse::<u32>().unwrap();
        assert_eq!(IOTEDGE_VERSION_MAJOR, part(env!("CARGO_PKG_VERSION_MAJOR")));
        assert_eq!(IOTEDGE_VERSION_MINOR, part(env!("CARGO_PKG_VERSION_MINOR")));
        assert_eq!(IOTEDGE_VERSION_PATCH, part(env!("CARGO_PKG_VERSION_PATCH")));
        let packed =
            IOTEDGE_VERSION_MAJOR << 16 | IOTEDGE_VERSION_MINOR << 8 | IOTEDGE_VERSION_PATCH;
        assert_eq!(IOTEDGE_VERSION_NUMBER, packed);
    }
}
