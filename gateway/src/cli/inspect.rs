//! `inspect`: what any of the protocol's bytes say.

use super::{input, print_json};
use crate::inspect::{What, inspect, text};
use anyhow::{Context, Result};
use clap::Args;

/// Show what any of the protocol's bytes say; checks no signature.
#[derive(Args)]
#[command(after_help = "\
Examples:
  iotedge-gateway inspect dev-1/device.cwt
  iotedge-gateway inspect --json out/demo/0001.tx.cose
  echo a1012701... | iotedge-gateway inspect --as cose-key -")]
pub struct Inspect {
    /// A file (raw or hex), hex, or - for standard input.
    #[arg(default_value = "-")]
    input: String,
    /// What it is; without it, it is detected.
    #[arg(long = "as", value_enum)]
    what: Option<What>,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
}

impl Inspect {
    /// Does it.
    ///
    /// # Errors
    /// The input cannot be read, or is not what it should be.
    pub fn run(self) -> Result<()> {
        let (name, bytes) = input::read(&self.input)?;
        let value = inspect(&bytes, self.what).with_context(|| name)?;
        if self.json {
            print_json(&value);
        } else {
            print!("{}", text(&value));
        }
        Ok(())
    }
}
