//! `Node::receive` and what stands around it, on a script of frames, times, submissions, reboots and failing stores.
//! The invariants are in `iotedge_fuzz::world`.
#![no_main]

use iotedge_fuzz::world;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: &[u8]| world::run(script));
