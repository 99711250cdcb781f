//! The L-node.
