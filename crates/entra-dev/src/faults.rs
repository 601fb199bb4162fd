use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// What goes wrong at which endpoint. Nothing, unless a test asks for it.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<HashMap<Endpoint, Planned>>);

/// An endpoint that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Endpoint {
    /// `…/.well-known/openid-configuration`.
    Metadata,
    /// `…/discovery/v2.0/keys`.
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
}

/// How an endpoint fails. What is left out goes as ever.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct FaultPlan {
    /// Wait so many milliseconds before the answer.
    pub latency_ms: u64,
    /// Answer with this status and no body of use.
    pub status: Option<u16>,
    /// Cut the body after so many bytes.
    pub truncate: Option<usize>,
    /// At the key set: leave the key out that signs.
    pub hide_signing_key: bool,
    /// Of so many requests the last one fails. 1, which is also the default, means all of them; 2
    /// makes the key set flap.
    pub every: Option<u64>,
    /// How often it fails before all is well again. Default: until told otherwise.
    pub times: Option<u64>,
}

impl FaultPlan {
    /// Whether nothing would be different, however often it is done.
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
    /// Lets an endpoint fail from now on; `None` lets it work again.
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

    /// Lets everything work again.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What is planned, by endpoint.
    pub(crate) fn plans(&self) -> Vec<(Endpoint, FaultPlan)> {
        let plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut plans: Vec<_> =
            plans.iter().map(|(endpoint, planned)| (*endpoint, planned.plan.clone())).collect();
        plans.sort_by_key(|(endpoint, _)| *endpoint);
        plans
    }

    /// What goes wrong with a request that comes in now.
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
