//! Planned faults, for tests of clients and APIs.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

/// The planned faults by endpoint. Nothing fails unless a test plans it.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<HashMap<Endpoint, Planned>>);

/// An endpoint that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Endpoint {
    /// `…/.well-known/openid-configuration`.
    Metadata,
    /// `…/discovery/v2.0/keys` and `…/discovery/keys`.
    Keys,
    /// `/common/discovery/instance`.
    Instance,
    /// `…/oauth2/v2.0/authorize`.
    Authorize,
    /// `…/v2.0/adminconsent`.
    Adminconsent,
    /// `…/oauth2/v2.0/token`.
    Token,
    /// `…/oauth2/v2.0/devicecode`.
    Devicecode,
    /// `…/oauth2/deviceauth`.
    Deviceauth,
    /// `/oidc/userinfo`.
    Userinfo,
    /// `…/oauth2/v2.0/logout`.
    Logout,
    /// `/graph/…`.
    Graph,
    /// `…/msi/token` and `…/metadata/identity/oauth2/token`.
    Managedidentity,
}

/// How an endpoint fails.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct FaultPlan {
    /// Milliseconds to wait before the response.
    pub latency_ms: u64,
    /// Respond with this status and a fixed text, without handling the request.
    pub status: Option<u16>,
    /// Truncate the body to this number of bytes.
    pub truncate: Option<usize>,
    /// Hide the current signing key from the key set. Only for [`Endpoint::Keys`].
    pub hide_signing_key: bool,
    /// Every n-th request fails. Default 1: all of them. With 2, every other request fails.
    pub every: Option<u64>,
    /// The number of failures until the endpoint works again. Default: no limit.
    pub times: Option<u64>,
}

impl FaultPlan {
    /// Whether the plan changes nothing.
    pub(crate) fn does_nothing(&self) -> bool {
        let Self { latency_ms, status, truncate, hide_signing_key, every: _, times: _ } = self;
        *latency_ms == 0 && status.is_none() && truncate.is_none() && !hide_signing_key
    }
}

#[derive(Debug)]
struct Planned {
    plan: FaultPlan,
    requests: u64,
    failures: u64,
}

impl Faults {
    /// Makes an endpoint fail from now on. `None` makes it work again.
    pub(crate) fn plan(&self, endpoint: Endpoint, plan: Option<FaultPlan>) {
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match plan {
            Some(plan) => {
                plans.insert(endpoint, Planned { plan, requests: 0, failures: 0 });
            }
            None => {
                plans.remove(&endpoint);
            }
        }
    }

    /// Makes all endpoints work again.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The plans, by endpoint.
    pub(crate) fn plans(&self) -> Vec<(Endpoint, FaultPlan)> {
        let plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut plans: Vec<_> =
            plans.iter().map(|(endpoint, planned)| (*endpoint, planned.plan.clone())).collect();
        plans.sort_by_key(|(endpoint, _)| *endpoint);
        plans
    }

    /// The fault of the next request to this endpoint, if it fails.
    pub(crate) fn next(&self, endpoint: Endpoint) -> Option<FaultPlan> {
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let planned = plans.get_mut(&endpoint)?;
        planned.requests += 1;
        let due = planned.requests.is_multiple_of(planned.plan.every.unwrap_or(1).max(1));
        if !due || planned.plan.times.is_some_and(|times| planned.failures >= times) {
            return None;
        }
        planned.failures += 1;
        Some(planned.plan.clone())
    }
}
