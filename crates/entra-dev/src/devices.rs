//! Signing in on another device than the one that asks (RFC 8628).

use std::sync::Arc;

use crate::directory::{App, Authority, Person, Platform};
use crate::grants::Grant;
use crate::random;
use crate::refusal::Refusal;
use crate::scope::Scopes;
use crate::shelf::Shelf;
use crate::tokens::ClaimsRequest;

/// How long a device code counts, in seconds, as in Entra.
pub(crate) const LIFETIME: u64 = 900;

/// How long a device is to wait between two questions, in seconds, as in Entra.
pub(crate) const INTERVAL: u64 = 5;

/// Devices that wait for somebody to sign in.
#[derive(Debug)]
pub(crate) struct Devices {
    by_device_code: Shelf<Device>,
    /// Device codes.
    by_user_code: Shelf<String>,
}

/// A device that waits.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) app: Arc<App>,
    pub(crate) authority: Authority,
    pub(crate) scopes: Scopes,
    pub(crate) claims: ClaimsRequest,
    answer: Answer,
}

#[derive(Debug, Clone)]
enum Answer {
    Pending,
    Accepted(Arc<Person>),
    Declined,
    Collected,
}

impl Device {
    pub(crate) fn new(
        app: Arc<App>,
        authority: Authority,
        scopes: Scopes,
        claims: ClaimsRequest,
    ) -> Self {
        Self { app, authority, scopes, claims, answer: Answer::Pending }
    }

    /// Whether this authority is the one that gave the code, or is the tenant of who has signed in.
    fn is_answered_at(&self, authority: &Authority) -> bool {
        let is_of = |person: &Person| authority.tenant().is_some_and(|t| t.id == person.tenant);
        self.authority == *authority
            || matches!(&self.answer, Answer::Accepted(person) if is_of(person))
    }
}

/// What a device is given: the code it asks with, and the one that the person types.
pub(crate) struct DeviceCodes {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
}

impl Devices {
    pub(crate) fn new() -> Self {
        // For longer than they count, so that who is late is told so.
        let memory = 2 * LIFETIME;
        Self {
            by_device_code: Shelf::remembering(memory),
            by_user_code: Shelf::remembering(memory),
        }
    }

    /// Lets a device wait.
    pub(crate) fn wait(&self, device: Device, now: u64) -> DeviceCodes {
        let device_code = random::secret();
        let user_code = random::user_code();
        self.by_device_code.put(device_code.clone(), device, now);
        self.by_user_code.put(user_code.clone(), device_code.clone(), now);
        DeviceCodes { device_code, user_code }
    }

    /// The device that waits for this code, in any case, to be typed.
    pub(crate) fn find(&self, user_code: &str, now: u64) -> Result<Device, Refusal> {
        self.waiting(user_code, now, |device| device.clone())
    }

    /// Lets the device have what this person grants; nothing for `None`.
    pub(crate) fn answer(
        &self,
        user_code: &str,
        person: Option<Arc<Person>>,
        now: u64,
    ) -> Result<(), Refusal> {
        self.waiting(user_code, now, |device| {
            device.answer = person.map_or(Answer::Declined, Answer::Accepted);
        })
    }

    fn waiting<R>(
        &self,
        user_code: &str,
        now: u64,
        look: impl FnOnce(&mut Device) -> R,
    ) -> Result<R, Refusal> {
        let user_code = user_code.trim().to_ascii_uppercase();
        let device_code = self.by_user_code.look(&user_code, now, |code, _| code.clone());
        device_code
            .and_then(|code| {
                self.by_device_code.look(&code, now, |device, age| {
                    let waits = matches!(device.answer, Answer::Pending) && age < LIFETIME;
                    waits.then(|| look(device))
                })
            })
            .flatten()
            .ok_or_else(Refusal::user_code_unknown)
    }

    /// What the person has granted to the device of this app, which asks at this authority; once.
    pub(crate) fn collect(
        &self,
        code: &str,
        app: &App,
        authority: &Authority,
        now: u64,
    ) -> Result<Grant, Refusal> {
        let collected = self.by_device_code.look(code, now, |device, age| {
            if device.app.client_id != app.client_id {
                return Err(Refusal::device_unknown());
            }
            if age >= LIFETIME {
                return Err(Refusal::device_expired());
            }
            if !device.is_answered_at(authority) {
                return Err(Refusal::code_of_another_tenant("Device"));
            }
            match std::mem::replace(&mut device.answer, Answer::Collected) {
                Answer::Pending => {
                    device.answer = Answer::Pending;
                    Err(Refusal::device_pending())
                }
                Answer::Declined => {
                    device.answer = Answer::Declined;
                    Err(Refusal::device_declined())
                }
                Answer::Collected => Err(Refusal::code_redeemed()),
                Answer::Accepted(person) => Ok(Grant {
                    app: Arc::clone(&device.app),
                    person,
                    authority: device.authority.clone(),
                    platform: Platform::Native,
                    scopes: device.scopes.clone(),
                    claims: device.claims.clone(),
                    nonce: None,
                }),
            }
        });
        collected.unwrap_or_else(|| Err(Refusal::device_unknown()))
    }
}
