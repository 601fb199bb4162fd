//! Hostile clients. What each of them does follows from a seed: it composes bytes that are almost
//! requests, and delivers them in an unusual way.

mod delivery;
mod requests;

use std::net::SocketAddr;

use fastrand::Rng;

/// The server under attack, and what attackers know about it.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// A token that the server accepts.
    pub(crate) token: String,
}

/// A hostile client.
pub(crate) struct Attacker {
    target: Target,
    /// Its address in the loopback network.
    from: SocketAddr,
    random: Rng,
}

impl Attacker {
    /// The attacker with this number. The seed and the number determine all its attacks.
    pub(crate) fn new(target: Target, seed: u64, number: u16) -> Self {
        // Another network of the loopback addresses than that of other clients, and few enough
        // connections from each address.
        let from = SocketAddr::from(([127, 0, 1, 1 + (number % 4) as u8], 0));
        let random = Rng::with_seed(seed.wrapping_mul(65_537).wrapping_add(number.into()));
        Self { target, from, random }
    }

    /// Connects, does harm, and disconnects. It takes a few seconds at most.
    pub(crate) async fn attack(&mut self) {
        let bytes = requests::compose(&mut self.random, &self.target.token);
        delivery::deliver(&mut self.random, self.from, self.target.address, &bytes).await;
    }
}
