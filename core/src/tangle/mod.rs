//! `tangle`.
