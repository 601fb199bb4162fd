//! Revoked callers, whose older tokens are refused although they have not expired.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    clock::Clock,
    ids::{ObjectId, TenantId},
    principal::Principal,
    rejection::{Refusal, Rejection},
    rule::Rule,
};

/// The maximum number of callers that [`Validator::revoke`](crate::Validator::revoke) can revoke at
/// the same time.
pub const REVOCATION_LIMIT: usize = 100_000;

/// How long a revoked caller is remembered, in seconds: 28 hours, the longest lifetime of a token
/// (<https://learn.microsoft.com/entra/identity-platform/app-resilience-continuous-access-evaluation>).
const KEPT: u64 = 28 * 3_600;

/// A list of revoked callers that the API keeps itself, so that all of its processes can share it.
/// Set it with [`ValidatorBuilder::revocation_list`](crate::ValidatorBuilder::revocation_list).
///
/// ```
/// use std::{collections::HashMap, sync::{Arc, RwLock}};
///
/// use poem_entra::{ObjectId, RevocationList, Settings, TenantId, Validator};
///
/// /// A copy of a database table, which a task renews every few seconds.
/// #[derive(Default)]
/// struct RevokedCallers(RwLock<HashMap<(TenantId, ObjectId), u64>>);
///
/// impl RevocationList for RevokedCallers {
///     fn not_before(&self, tenant: TenantId, object_id: ObjectId) -> Option<u64> {
///         self.0.read().ok()?.get(&(tenant, object_id)).copied()
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (tenant, api) =
/// #     ("11111111-1111-4111-8111-111111111111", "33333333-3333-4333-8333-333333333333");
/// # let mut settings = Settings::new(tenant, api);
/// # settings.instance = "http://localhost:8001".into();
/// let revoked = Arc::new(RevokedCallers::default());
/// let validator = Validator::builder(settings).revocation_list(revoked).build()?;
/// # Ok(())
/// # }
/// ```
pub trait RevocationList: Send + Sync {
    /// The time from which on tokens of this caller are accepted again, in seconds since 1970;
    /// `None` if the caller is not revoked.
    ///
    /// This is called for every request whose token is otherwise accepted, on the thread of the
    /// request. It must therefore answer from memory.
    fn not_before(&self, tenant: TenantId, object_id: ObjectId) -> Option<u64>;
}

/// Why a caller cannot be revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevokeError {
    /// The time is later than now, by more than the leeway. It may be in milliseconds. Every token
    /// would be refused until then, also a new one.
    #[error("the time of the revocation is in the future")]
    InFuture,
    /// As many callers as possible are revoked already: [`REVOCATION_LIMIT`].
    #[error("{REVOCATION_LIMIT} callers are revoked already")]
    TooMany,
}

/// The callers that this process has revoked, and the list that it shares with others.
pub(crate) struct Revocations {
    /// Whether this process has revoked anybody. If not, a request needs no lock.
    any: AtomicBool,
    own: RwLock<Own>,
    shared: Option<Arc<dyn RevocationList>>,
    clock: Arc<dyn Clock>,
    /// In seconds.
    leeway: u64,
}

#[derive(Default)]
struct Own {
    callers: HashMap<(TenantId, ObjectId), Revoked>,
    /// When the first of these entries ends, or earlier.
    first_end: u64,
}

struct Revoked {
    not_before: u64,
    /// The last second in which the entry counts.
    end: u64,
}

impl Revocations {
    pub(crate) fn new(
        shared: Option<Arc<dyn RevocationList>>,
        clock: Arc<dyn Clock>,
        leeway: u64,
    ) -> Self {
        Self { any: AtomicBool::new(false), own: RwLock::default(), shared, clock, leeway }
    }

    /// Adds a caller, or moves the time of one to a later time.
    pub(crate) fn revoke(
        &self,
        tenant: TenantId,
        object_id: ObjectId,
        not_before: u64,
    ) -> Result<(), RevokeError> {
        let now = self.clock.now();
        if not_before > now.saturating_add(self.leeway) {
            return Err(RevokeError::InFuture);
        }
        // A token that was issued just before is accepted until the leeway after its lifetime.
        let end = now.max(not_before).saturating_add(KEPT).saturating_add(self.leeway);
        let mut own = self.own.write().unwrap_or_else(PoisonError::into_inner);
        own.remove_ended(now);
        own.insert((tenant, object_id), Revoked { not_before, end })?;
        self.any.store(true, Ordering::Release);
        Ok(())
    }

    /// Refuses a caller who is revoked and whose token was issued before that.
    pub(crate) fn check(&self, caller: &Principal) -> Result<(), Rejection> {
        // Only an app that has no service principal in the tenant has no object id.
        let Some(object_id) = caller.object_id() else { return Ok(()) };
        let own = match self.any.load(Ordering::Acquire) {
            true => self.own(caller.tenant(), object_id),
            false => None,
        };
        let shared = self.shared.as_ref();
        let shared = shared.and_then(|list| list.not_before(caller.tenant(), object_id));
        match own.max(shared) {
            Some(not_before) => check_issued_at(caller, not_before),
            None => Ok(()),
        }
    }

    fn own(&self, tenant: TenantId, object_id: ObjectId) -> Option<u64> {
        let now = self.clock.now();
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        let revoked = own.callers.get(&(tenant, object_id)).filter(|revoked| now <= revoked.end);
        revoked.map(|revoked| revoked.not_before)
    }
}

impl Own {
    fn insert(&mut self, caller: (TenantId, ObjectId), new: Revoked) -> Result<(), RevokeError> {
        if let Some(known) = self.callers.get_mut(&caller) {
            known.not_before = known.not_before.max(new.not_before);
            known.end = known.end.max(new.end);
            return Ok(());
        }
        if self.callers.len() >= REVOCATION_LIMIT {
            return Err(RevokeError::TooMany);
        }
        let is_first = self.callers.is_empty();
        self.first_end = if is_first { new.end } else { self.first_end.min(new.end) };
        self.callers.insert(caller, new);
        Ok(())
    }

    fn remove_ended(&mut self, now: u64) {
        if now > self.first_end {
            self.callers.retain(|_, revoked| now <= revoked.end);
            self.first_end = self.callers.values().map(|revoked| revoked.end).min().unwrap_or(now);
        }
    }
}

/// A token that does not say when it was issued could be an old one.
fn check_issued_at(caller: &Principal, not_before: u64) -> Result<(), Rejection> {
    let (detail, issued_at) = match caller.issued_at() {
        Some(issued_at) if issued_at >= not_before => return Ok(()),
        Some(issued_at) => {
            let detail = "The caller's access was revoked after the token was issued.";
            (detail, issued_at.to_string())
        }
        None => {
            let detail = "The caller's access was revoked and the token does not say when it was \
                          issued (iat).";
            (detail, String::new())
        }
    };
    let refusal = match caller.handles_claims_challenges() {
        true => Refusal::Revoked(not_before),
        false => Refusal::InvalidToken,
    };
    let rejection = Rejection::new(refusal, Rule::NotRevoked, detail)
        .compared(format!("iat >= {not_before}"), &issued_at)
        .with_hint("Get a new token from the authority. A cached one stays refused.");
    Err(rejection.sent_by(caller.tenant(), caller.actor()))
}
