//! `posp`.
