//! The log of refused requests.

use std::sync::{Mutex, PoisonError};

use crate::rejection::{Refusal, Rejection};

/// The maximum number of log lines per second. Anybody can cause refusals, so further ones are only
/// counted.
const LIMIT: u32 = 10;

/// Logs why a request was refused: at most ten lines per second for tokens with a valid signature,
/// and ten for all others, so that made-up tokens cannot hide the misuse of a real one. The first
/// line after that says how many were left out. The token, names and addresses are never logged.
#[derive(Default)]
pub(crate) struct RefusalLog {
    verified: Mutex<Window>,
    unverified: Mutex<Window>,
}

#[derive(Default)]
struct Window {
    /// Seconds since 1970.
    second: u64,
    lines: u32,
    left_out: u64,
}

impl RefusalLog {
    /// Logs a refusal at `now`, in seconds since 1970. Nothing is logged if no token was sent or
    /// the keys are unavailable, because no token was refused.
    pub(crate) fn record(&self, rejection: &Rejection, now: u64) {
        if matches!(rejection.refusal(), Refusal::MissingToken | Refusal::KeysUnavailable(_)) {
            return;
        }
        let window = if rejection.tenant().is_some() { &self.verified } else { &self.unverified };
        let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(left_out) = window.admit(now) else { return };
        drop(window);
        let actor = rejection.actor();
        tracing::info!(
            rule = rejection.rule().name(),
            code = rejection.code(),
            expected = rejection.expected(),
            received = rejection.received(),
            tenant = rejection.tenant().map(display),
            client = rejection.client().map(display),
            agent = actor.and_then(|actor| actor.is_agent()),
            agent_user = actor.and_then(|actor| actor.has_agent_user()),
            blueprint = actor.and_then(|actor| actor.blueprint()).map(display),
            left_out = (left_out > 0).then_some(left_out),
            "refused a request: {}",
            rejection.detail(),
        );
    }
}

impl Window {
    /// How many lines were left out since the last one, if there is room for one more.
    fn admit(&mut self, now: u64) -> Option<u64> {
        if self.second != now {
            (self.second, self.lines) = (now, 0);
        }
        if self.lines == LIMIT {
            self.left_out += 1;
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_ten_lines_and_the_next_one_counts_the_rest() {
        let mut window = Window::default();
        let first: Vec<_> = (0..13).map(|_| window.admit(7)).collect();
        assert_eq!(first, [[Some(0); 10].as_slice(), &[None; 3]].concat());
        assert_eq!([window.admit(8), window.admit(8)], [Some(3), Some(0)]);
    }
}
