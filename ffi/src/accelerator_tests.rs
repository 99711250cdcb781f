//! All vectors of the signature rule through engines of every character: the verdicts are the software's.

use super::*;
use crate::status;
use core::ptr::null_mut;
use iotedge_core::crypto::{PublicKey, Signature, Software, Verify, in_form};

/// What an engine does after the known answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    Right,
    /// It accepts whatever it should never be asked: numbers out of range, keys and R of small order or not canonical.
    Lax,
    /// It refuses everything, as one without the cofactor refuses what has a part of small order.
    Strict,
    Busy,
}

struct Engine {
    manner: Manner,
    started: bool,
    asked: usize,
    failed: usize,
    disagreed: usize,
}

unsafe extern "C" fn ask(
    user: *mut c_void,
    suite: i32,
    key: *const u8,
    message: *const u8,
    len: usize,
    signature: *const u8,
) -> u32 {
    // SAFETY: what the contract of the structure says.
    let (engine, key, message, signature) = unsafe {
        (
            &mut *user.cast::<Engine>(),
            match suite {
                crate::key::IOTEDGE_SUITE_ED25519 => PublicKey::Ed25519(*key.cast()),
                _ => PublicKey::Es256(*key.cast()),
            },
            core::slice::from_raw_parts(message, len),
            Signature(*signature.cast::<[u8; 64]>()),
        )
    };
    engine.asked += 1;
    let manner = match engine.started {
        true => engine.manner,
        false => Manner::Right,
    };
    let valid = match manner {
        Manner::Busy => return 0,
        Manner::Strict => false,
        Manner::Right => Software.verify(&key, message, &signature).is_ok(),
        Manner::Lax => {
            Software.verify(&key, message, &signature).is_ok()
                || key.check().is_err()
                || in_form(&key, &signature).is_err()
        }
    };
    match valid {
        true => IOTEDGE_ACCELERATOR_VALID,
        false => IOTEDGE_ACCELERATOR_INVALID,
    }
}

unsafe extern "C" fn told(user: *mut c_void, what: u32) {
    // SAFETY: as above.
    let engine = unsafe { &mut *user.cast::<Engine>() };
    match what {
        IOTEDGE_ACCELERATOR_FAILED => engine.failed += 1,
        IOTEDGE_ACCELERATOR_DISAGREED => engine.disagreed += 1,
        other => panic!("told {other}"),
    }
}

/// Asks everything of an engine of this manner; gives what it counted and how many were accepted.
fn all(manner: Manner, cases: &[(PublicKey, Vec<u8>, Signature)]) -> (Engine, usize) {
    let mut engine = Engine {
        manner,
        started: false,
        asked: 0,
        failed: 0,
        disagreed: 0,
    };
    let user: *mut Engine = &raw mut engine;
    let given = iotedge_accelerator_t {
        size: size_of::<iotedge_accelerator_t>() as u32,
        suites: IOTEDGE_ACCELERATE_ED25519,
        user: user.cast(),
        verify: Some(ask),
        told: Some(told),
    };
    // SAFETY: the contract is kept; the engine outlives the verifier, and is touched through the pointer only while that lives.
    let mut verifier = unsafe { verifier(&raw const given) }.unwrap();
    // SAFETY: as above: no call is under way.
    unsafe {
        (*user).started = true;
        (*user).asked = 0;
    }
    let mut accepted = 0;
    for (key, message, signature) in cases {
        let verdict = verifier.verify(key, message, signature);
        let software = Software.verify(key, message, signature);
        assert_eq!(
            verdict.is_ok(),
            software.is_ok(),
            "{manner:?} {key:?} {signature:?}"
        );
        accepted += usize::from(verdict.is_ok());
    }
    (engine, accepted)
}

fn vectors() -> Vec<(PublicKey, Vec<u8>, Signature)> {
    let text = include_str!("../../vectors/ed25519.json");
    let field = |line: &str, name: &str| -> Option<Vec<u8>> {
        let rest = line.split_once(&format!("\"{name}\":\""))?.1;
        let digits = rest.split_once('"')?.0;
        let pairs = digits.as_bytes().chunks(2);
        pairs
            .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok())
            .collect()
    };
    let case = |line: &str| {
        Some((
            PublicKey::Ed25519(field(line, "key")?.try_into().ok()?),
            field(line, "message")?,
            Signature(field(line, "signature")?.try_into().ok()?),
        ))
    };
    text.lines().filter_map(case).collect()
}

#[test]
fn the_verdicts_are_the_softwares_whatever_the_engine_is_like() {
    let cases = vectors();
    assert!(cases.len() > 800, "{}", cases.len());
    let (right, accepted) = all(Manner::Right, &cases);
    assert!(accepted > 100 && right.asked < cases.len());
    assert_eq!((right.failed, right.disagreed), (0, 0));
    let (lax, _) = all(Manner::Lax, &cases);
    assert_eq!((lax.asked, lax.failed, lax.disagreed), (right.asked, 0, 0));
    let (strict, _) = all(Manner::Strict, &cases);
    assert_eq!((strict.asked, strict.disagreed), (right.asked, accepted));
    let (busy, _) = all(Manner::Busy, &cases);
    assert_eq!(
        (busy.asked, busy.failed, busy.disagreed),
        (right.asked, right.asked, 0)
    );
}

#[test]
fn a_suite_that_the_engine_has_not_stays_with_the_software() {
    let (engine, _) = all(
        Manner::Busy,
        &[(PublicKey::Es256([1; 64]), vec![1], Signature([1; 64]))],
    );
    assert_eq!((engine.asked, engine.failed), (0, 0));
}

#[test]
fn without_an_engine_there_is_the_software() {
    // SAFETY: none is given.
    let mut none = unsafe { verifier(core::ptr::null()) }.unwrap();
    for (key, message, signature) in vectors().iter().take(40) {
        let software = Software.verify(key, message, signature);
        assert_eq!(none.verify(key, message, signature), software);
    }
    let given = iotedge_accelerator_t {
        size: size_of::<iotedge_accelerator_t>() as u32,
        suites: 0,
        user: null_mut(),
        verify: Some(ask),
        told: None,
    };
    // SAFETY: it is refused before it is asked.
    let refused = unsafe { verifier(&raw const given) };
    assert_eq!(refused.err(), Some(status::IOTEDGE_E_ARGUMENT));
}
