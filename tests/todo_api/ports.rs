//! Ports that nobody listens on yet.

use std::net::{Ipv4Addr, TcpListener};

/// Held at the same time, so that they differ.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
