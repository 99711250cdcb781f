//! `wire`.

pub mod merkle;
