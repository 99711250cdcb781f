//! The command-line tools as a newcomer runs them: real processes, real files.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_iotedge-gateway"))
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let output = run(folder, args);
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{args:?} must be refused: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(output.stdout.is_empty(), "a refusal prints no result");
    String::from_utf8(output.stderr).unwrap()
}

fn authorities(folder: &Path) {
    json(
        folder,
        &[
            "ca",
            "init",
            "--name",
            "Acme",
            "--kind",
            "manufacturer",
            "--out",
            "maker",
        ],
    );
    json(
        folder,
        &[
            "ca",
            "init",
            "--name",
            "Harbour 7",
            "--kind",
            "neighbourhood",
            "--out",
            "harbour",
        ],
    );
}

#[test]
fn a_device_is_provisioned_once_and_a_dry_run_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    authorities(folder);
    let arguments = [
        "provision",
        "--ca",
        "maker",
        "--authority",
        "harbour/anchor.json",
        "--gateway",
        "127.0.0.1:7700",
        "--out",
        "dev-1",
    ];
    let mut dry = arguments.to_vec();
    dry.push("--dry-run");
    let answer = json(folder, &dry);
    assert_eq!(answer["dry_run"], true);
    assert!(!folder.join("dev-1").exists());
    assert!(!folder.join("maker/issued.jsonl").exists());

    let made = json(folder, &arguments);
    let file: Value =
        serde_json::from_slice(&std::fs::read(folder.join("dev-1/device.json")).unwrap()).unwrap();
    assert_eq!(made["device_id"], file["device_id"]);
    assert_eq!(made["chain"], file["chain"]);
    assert_eq!(file["gateway"], "127.0.0.1:7700");
    assert_eq!(file["authority_public_key"].as_str().unwrap().len(), 64);
    let certificate = std::fs::read(folder.join("dev-1/device.cwt")).unwrap();
    assert_eq!(made["certificate"], hex::encode(certificate));
    assert!(
        !made.to_string().contains(file["seed"].as_str().unwrap()),
        "the seed is never printed"
    );

    let error = refused(folder, &arguments);
    assert!(
        error.contains("dev-1/device.json") && error.contains("never overwritten"),
        "{error}"
    );
    let again: Value =
        serde_json::from_slice(&std::fs::read(folder.join("dev-1/device.json")).unwrap()).unwrap();
    assert_eq!(file, again);
}

#[test]
fn certificates_are_issued_shown_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    authorities(folder);
    json(
        folder,
        &[
            "ca",
            "init",
            "--name",
            "Plant",
            "--kind",
            "manufacturer",
            "--out",
            "plant",
        ],
    );
    json(
        folder,
        &[
            "ca",
            "issue",
            "--ca",
            "maker",
            "--device-json",
            "plant/anchor.json",
            "--kind",
            "authority",
            "--days",
            "365",
            "--out",
            "plant/authority.cwt",
        ],
    );
    let made = json(folder, &["provision", "--ca", "plant", "--out", "dev"]);
    assert_eq!(made["chain"].as_array().unwrap().len(), 2);
    assert!(folder.join("dev/authority.cwt").is_file());

    let error = refused(
        folder,
        &[
            "ca", "issue", "--ca", "maker", "--key", "00", "--kind", "device", "--days", "1",
        ],
    );
    assert!(error.contains("--key"), "{error}");
    let error = refused(
        folder,
        &["ca", "revoke", "--ca", "plant", "--cti", "0011223344556677"],
    );
    assert!(error.contains("was not issued here"), "{error}");
    let cti = made["cti"].as_str().unwrap();
    let answer = json(folder, &["ca", "revoke", "--ca", "plant", "--cti", cti]);
    assert_eq!(answer["list_number"], 1);
    assert_eq!(answer["device_id"], made["device_id"]);
    let shown = json(folder, &["ca", "show", "--ca", "plant"]);
    assert_eq!(shown["revoked"][0], cti);
    assert_eq!(shown["below_another_authority"], true);
    assert_eq!(shown["issued"].as_array().unwrap().len(), 1);
    let error = refused(folder, &["ca", "show", "--ca", "nowhere"]);
    assert!(
        error.contains("nowhere/key.json") && error.contains("ca init"),
        "{error}"
    );
}

#[test]
fn chains_are_verified_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    authorities(folder);
    let made = json(folder, &["provision", "--ca", "maker", "--out", "dev"]);
    let arguments = [
        "verify",
        "certificate",
        "--anchor",
        "maker/anchor.json",
        "--crl",
        "maker/revoked.crl",
        "dev/device.cwt",
    ];
    let answer = json(folder, &arguments);
    assert_eq!(answer["device_id"], made["device_id"]);
    let shown = json(folder, &["inspect", "--json", "dev/device.cwt"]);
    assert_eq!(shown["type"], "certificate");
    assert_eq!(shown["cti"], made["cti"]);
    let by_hex = json(
        folder,
        &["inspect", "--json", made["certificate"].as_str().unwrap()],
    );
    assert_eq!(shown, by_hex);
    let text = run(folder, &["inspect", "dev/device.cwt"]);
    assert!(
        String::from_utf8(text.stdout)
            .unwrap()
            .contains("issuer: Acme\n")
    );

    let error = refused(
        folder,
        &[
            "verify",
            "certificate",
            "--anchor",
            "harbour/anchor.json",
            "dev/device.cwt",
        ],
    );
    assert!(
        error.contains("dev/device.cwt") && error.contains("UnknownAuthority"),
        "{error}"
    );
    let error = refused(
        folder,
        &[
            "verify",
            "certificate",
            "--anchor",
            "maker/anchor.json",
            "--kind",
            "gateway",
            "dev/device.cwt",
        ],
    );
    assert!(error.contains("WrongKind"), "{error}");
    json(
        folder,
        &[
            "ca",
            "revoke",
            "--ca",
            "maker",
            "--cti",
            made["cti"].as_str().unwrap(),
        ],
    );
    let error = refused(folder, &arguments);
    assert!(error.contains("Revoked"), "{error}");
    let error = refused(
        folder,
        &[
            "verify",
            "certificate",
            "--anchor",
            "harbour/anchor.json",
            "--crl",
            "maker/revoked.crl",
            "dev/device.cwt",
        ],
    );
    assert!(
        error.contains("maker/revoked.crl") && error.contains("none of the anchors"),
        "{error}"
    );
    let error = refused(folder, &["inspect", "nothing.cwt"]);
    assert!(error.contains("nothing.cwt: no file"), "{error}");
}
