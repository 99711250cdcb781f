//! The command line: what the words and flags are. Each subcommand has a file of its own.
//!
//! Results go to standard output (JSON where a program may read them), explanations and errors to standard error. Exit code 0:
//! it is done or it holds; 1: it was refused, and the message names the file, the field and the mend; 2: the command line is wrong.

pub mod ca;
pub mod export;
pub mod gchain;
pub mod input;
pub mod inspect;
pub mod provision;
pub mod run;
pub mod verify;

use clap::{Parser, Subcommand, ValueEnum};
use iotedge_core::crypto::Suite;
use iotedge_core::identity::Kind;

/// The GL-node of an IoTEdge neighbourhood, its validator, and the tools around them.
#[derive(Parser)]
#[command(name = "iotedge-gateway", version, propagate_version = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
A neighbourhood from nothing:
  iotedge-gateway ca init --name 'Acme Devices' --kind manufacturer  --out maker
  iotedge-gateway ca init --name 'Harbour 7'    --kind neighbourhood --out harbour
  iotedge-gateway provision --ca harbour --kind gateway --authority harbour/anchor.json --out gw
  iotedge-gateway provision --ca maker --authority harbour/anchor.json --gateway 127.0.0.1:7700 --out dev-1";

#[derive(Subcommand)]
pub enum Command {
    /// Run the GL-node of a neighbourhood.
    Run(run::Run),
    /// Run a validator: follow a neighbourhood, recompute its epochs, vote.
    Validator(run::Validator),
    /// Make an authority, issue and revoke certificates.
    #[command(subcommand)]
    Ca(ca::Ca),
    /// Make a device: key, certificate, self-test; prints the result as JSON.
    Provision(provision::Provision),
    /// Show what any of the protocol's bytes say; checks no signature.
    Inspect(inspect::Inspect),
    /// Write transactions, receipts and macro transactions of a store as files that strangers can check.
    Export(export::Export),
    /// Speak to the contract of the G-Chain: accounts, masternodes, deposits, withdrawals.
    #[command(subcommand, name = "gchain")]
    GChain(gchain::GChain),
    /// Check certificates, receipts, transactions and evidence offline.
    #[command(subcommand)]
    Verify(verify::Verify),
}

/// Whom a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KindArg {
    /// A device.
    Device,
    /// An authority below this one, which may sign devices.
    Authority,
    /// A GL-node.
    Gateway,
    /// A validator.
    Validator,
    /// A device too small for a window, which joins without weight.
    Leaf,
}

impl KindArg {
    /// The claim in the certificate.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Device => Kind::Device,
            Self::Authority => Kind::Authority,
            Self::Gateway => Kind::GlNode,
            Self::Validator => Kind::Validator,
            Self::Leaf => Kind::Leaf,
        }
    }

    /// The word for a claim.
    #[must_use]
    pub const fn word(kind: Kind) -> &'static str {
        match kind {
            Kind::Device => "device",
            Kind::Authority => "authority",
            Kind::GlNode => "gateway",
            Kind::Validator => "validator",
            Kind::Leaf => "leaf",
        }
    }
}

/// A signature suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SuiteArg {
    /// Ed25519.
    Ed25519,
    /// ECDSA on P-256, as most secure elements and phones hold.
    Es256,
}

impl SuiteArg {
    /// The suite.
    #[must_use]
    pub const fn suite(self) -> Suite {
        match self {
            Self::Ed25519 => Suite::Ed25519,
            Self::Es256 => Suite::Es256,
        }
    }
}

impl Cli {
    /// Runs the command; `Ok(false)` where what was to be checked does not hold.
    ///
    /// # Errors
    /// What went wrong, for people.
    pub fn run(self) -> anyhow::Result<bool> {
        match self.command {
            Command::Run(run) => run.run().map(|()| true),
            Command::Validator(validator) => validator.run().map(|()| true),
            Command::Ca(ca) => ca.run().map(|()| true),
            Command::Provision(provision) => provision.run().map(|()| true),
            Command::Inspect(inspect) => inspect.run().map(|()| true),
            Command::Export(export) => export.run().map(|()| true),
            Command::GChain(call) => call.run().map(|()| true),
            Command::Verify(verify) => verify.run().map(|()| true),
        }
    }
}

/// Prints a result on standard output.
pub(crate) fn print_json(value: &serde_json::Value) {
    println!(
        "{}",
        serde_json::to_string_pretty(value).expect("plain data")
    );
}

/// Seconds since 1970.
pub(crate) fn now_seconds() -> anyhow::Result<u64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Ok(now
        .map_err(|_| anyhow::anyhow!("the clock of this machine stands before 1970; set it"))?
        .as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed_and_explained() {
        Cli::command().debug_assert();
        let mut command = Cli::command();
        let help = command.render_long_help().to_string();
        assert!(help.contains("provision --ca maker"), "{help}");
        fn explained(command: &clap::Command) {
            for sub in command.get_subcommands() {
                assert!(sub.get_about().is_some(), "{} has no help", sub.get_name());
                for arg in sub.get_arguments() {
                    assert!(
                        arg.get_help().is_some(),
                        "{} {} has no help",
                        sub.get_name(),
                        arg.get_id()
                    );
                }
                explained(sub);
            }
        }
        explained(&Cli::command());
    }
}
