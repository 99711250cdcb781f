//! iotedge-ffi.
