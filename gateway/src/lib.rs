//! iotedge-gateway.
