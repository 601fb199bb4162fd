//! The device authorization grant (RFC 8628): devices that wait for a person to sign in elsewhere.

use std::sync::Arc;

use crate::{
    directory::{App, Authority, Directory, Person, Platform, Removed},
    expiring_map::ExpiringMap,
    grants::{Grant, person_removed},
    random,
    refusal::Refusal,
    scope::Scopes,
    tokens::ClaimsRequest,
};

/// The lifetime of a device code in seconds, as in Entra.
pub(crate) const LIFETIME: u64 = 900;

/// The polling interval for devices in seconds, as in Entra.
pub(crate) const INTERVAL: u64 = 5;

/// The devices that wait for a sign-in.
#[derive(Debug)]
pub(crate) struct Devices {
    by_device_code: ExpiringMap<Device>,
    /// The device code of each user code.
    by_user_code: ExpiringMap<String>,
}

/// A device that waits for a sign-in.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) app: Arc<App>,
    pub(crate) authority: Authority,
    pub(crate) scopes: Scopes,
    pub(crate) claims: ClaimsRequest,
    decision: Decision,
}

/// What the person has decided.
#[derive(Debug, Clone)]
enum Decision {
    Pending,
    Accepted(Arc<Person>),
    Declined,
    Redeemed,
    /// The person has signed in, but was removed from the directory.
    Removed(Arc<Person>),
}

impl Device {
    pub(crate) fn new(
        app: Arc<App>,
        authority: Authority,
        scopes: Scopes,
        claims: ClaimsRequest,
    ) -> Self {
        Self { app, authority, scopes, claims, decision: Decision::Pending }
    }

    /// The device with the app and the APIs as they are now: the directory may have changed since.
    pub(crate) fn in_directory(&self, directory: &Directory) -> Result<Self, Refusal> {
        let app = directory.app(&self.app.client_id).ok_or_else(Refusal::user_code_unknown)?;
        let scopes = self.scopes.in_directory(directory, self.authority.segment())?;
        Ok(Self { app: Arc::clone(app), scopes, ..self.clone() })
    }

    /// Whether this authority issued the code, or is the tenant of the person who signed in.
    fn is_redeemable_at(&self, authority: &Authority) -> bool {
        let is_of = |person: &Person| authority.tenant().is_some_and(|t| t.id == person.tenant);
        self.authority == *authority
            || matches!(&self.decision, Decision::Accepted(person) if is_of(person))
    }
}

/// The code without the spaces and hyphens with which people group its letters (RFC 8628, section
/// 6.1).
fn without_separators(user_code: &str) -> String {
    let is_separator =
        |letter: &char| letter.is_whitespace() || "-\u{2010}\u{2011}\u{2013}".contains(*letter);
    user_code.chars().filter(|letter| !is_separator(letter)).collect()
}

/// The code with which the device polls, and the code that the person types.
pub(crate) struct DeviceCodes {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
}

impl Devices {
    pub(crate) fn new() -> Self {
        // Entries are kept beyond their lifetime, so that late requests get precise errors.
        let kept = 2 * LIFETIME;
        Self { by_device_code: ExpiringMap::new(kept), by_user_code: ExpiringMap::new(kept) }
    }

    /// Registers a device, and returns its codes.
    pub(crate) fn register(&self, device: Device, now: u64) -> DeviceCodes {
        let device_code = random::secret();
        let user_code = random::user_code();
        self.by_device_code.insert(device_code.clone(), device, now);
        self.by_user_code.insert(user_code.clone(), device_code.clone(), now);
        DeviceCodes { device_code, user_code }
    }

    /// The waiting device with this user code, ignoring case, spaces and hyphens.
    pub(crate) fn find(&self, user_code: &str, now: u64) -> Result<Device, Refusal> {
        self.waiting(user_code, now, |device| device.clone())
    }

    /// Records that this person has signed in; `None` if the person declined.
    pub(crate) fn decide(
        &self,
        user_code: &str,
        person: Option<Arc<Person>>,
        now: u64,
    ) -> Result<(), Refusal> {
        self.waiting(user_code, now, |device| {
            device.decision = person.map_or(Decision::Declined, Decision::Accepted);
        })
    }

    fn waiting<R>(
        &self,
        user_code: &str,
        now: u64,
        access: impl FnOnce(&mut Device) -> R,
    ) -> Result<R, Refusal> {
        let user_code = without_separators(user_code).to_ascii_uppercase();
        let device_code = self.by_user_code.access(&user_code, now, |code, _| code.clone());
        device_code
            .and_then(|code| {
                self.by_device_code.access(&code, now, |device, age| {
                    let waits = matches!(device.decision, Decision::Pending) && age < LIFETIME;
                    waits.then(|| access(device))
                })
            })
            .flatten()
            .ok_or_else(Refusal::user_code_unknown)
    }

    /// The grant for a device of this app that polls at this authority. It is returned only once,
    /// if `check` accepts its scopes.
    pub(crate) fn redeem(
        &self,
        code: &str,
        app: &App,
        authority: &Authority,
        now: u64,
        check: impl FnOnce(&Scopes) -> Result<(), Refusal>,
    ) -> Result<Grant, Refusal> {
        let redeemed = self.by_device_code.access(code, now, |device, age| {
            if device.app.client_id != app.client_id {
                return Err(Refusal::device_unknown());
            }
            if age >= LIFETIME {
                return Err(Refusal::device_expired());
            }
            if !device.is_redeemable_at(authority) {
                return Err(Refusal::code_of_another_tenant("Device"));
            }
            check(&device.scopes)?;
            match std::mem::replace(&mut device.decision, Decision::Redeemed) {
                Decision::Pending => {
                    device.decision = Decision::Pending;
                    Err(Refusal::device_pending())
                }
                Decision::Declined => {
                    device.decision = Decision::Declined;
                    Err(Refusal::device_declined())
                }
                Decision::Redeemed => Err(Refusal::code_redeemed()),
                Decision::Removed(person) => {
                    let refusal = person_removed(&person);
                    device.decision = Decision::Removed(person);
                    Err(refusal)
                }
                Decision::Accepted(person) => Ok(Grant {
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
        redeemed.unwrap_or_else(|| Err(Refusal::device_unknown()))
    }

    /// Ends the devices of people and apps that were removed from the directory.
    pub(crate) fn end(&self, removed: &Removed) {
        self.by_device_code.retain(|device| {
            match &device.decision {
                Decision::Accepted(person) if removed.has_person(&person.oid) => {
                    device.decision = Decision::Removed(Arc::clone(person));
                }
                _ => {}
            }
            !removed.has_app(&device.app.client_id)
        });
    }
}
