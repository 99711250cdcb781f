//! iotedge-sim.
