//! Ports for servers that a test starts.
//!
//! They are below the ports that the system gives to clients and to listeners on port 0 (from 32768
//! on Linux). A test may use its ports late, or once more after a restart, and until then no other
//! test may get them.

use std::{
    net::{Ipv4Addr, TcpListener},
    process,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// Ports that nothing listens on. In this process, no other call returns them until all others have
/// been returned.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    [(); N].map(|()| free_port())
}

fn free_port() -> u16 {
    // Different processes begin at different ports.
    static NEXT: LazyLock<AtomicU32> =
        LazyLock::new(|| AtomicU32::new(process::id().wrapping_mul(611)));
    let ports = (0..COUNT).map(|_| FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT);
    let mut ports = ports.map(|port| u16::try_from(port).unwrap());
    let free = ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.unwrap()
}
