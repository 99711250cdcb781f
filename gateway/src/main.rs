//! The `iotedge-gateway` command.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match iotedge_gateway::cli::Cli::parse().run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
