//! What a command is given: hex on the command line, a file (raw or hex), or standard input.

use anyhow::{Context, Result, bail};
use std::io::Read as _;
use std::path::Path;

/// The bytes of an argument, and the name to call them by in errors.
///
/// # Errors
/// The argument is neither a file that can be read nor hex.
pub fn read(argument: &str) -> Result<(String, Vec<u8>)> {
    if argument == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .context("standard input cannot be read")?;
        return Ok(("standard input".into(), unhex(bytes)));
    }
    if Path::new(argument).is_file() {
        let bytes =
            std::fs::read(argument).with_context(|| format!("{argument}: cannot be read"))?;
        return Ok((argument.into(), unhex(bytes)));
    }
    match hex::decode(argument.split_whitespace().collect::<String>()) {
        Ok(bytes) if !bytes.is_empty() => Ok(("the argument".into(), bytes)),
        _ => bail!(
            "{argument}: no file of this name, and not hex; give a file, hex, or - for standard input"
        ),
    }
}

/// A file may hold the bytes or their hex. No format of the protocol is made of hex digits only.
fn unhex(bytes: Vec<u8>) -> Vec<u8> {
    let text: Option<String> = std::str::from_utf8(&bytes)
        .ok()
        .map(|t| t.split_whitespace().collect());
    match text.map(hex::decode) {
        Some(Ok(decoded)) if !decoded.is_empty() => decoded,
        _ => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_raw_and_missing_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        let name = file.to_string_lossy().into_owned();
        std::fs::write(&file, [0x84, 0x01]).unwrap();
        assert_eq!(read(&name).unwrap().1, [0x84, 0x01]);
        std::fs::write(&file, "84 01\n").unwrap();
        assert_eq!(read(&name).unwrap(), (name, vec![0x84, 0x01]));
        assert_eq!(read("8401").unwrap().1, [0x84, 0x01]);
        assert!(
            read("/nonexistent.cwt")
                .unwrap_err()
                .to_string()
                .contains("/nonexistent.cwt: no file")
        );
        assert!(read("").is_err());
    }
}
