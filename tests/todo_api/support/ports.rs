//! Ports for servers that a test starts.

use std::net::{Ipv4Addr, TcpListener};

/// Ports that nothing listens on. All are held at the same time, so they differ.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
