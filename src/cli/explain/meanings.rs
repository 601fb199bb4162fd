//! What each header parameter and claim says, in a sentence
//! (<https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>).

use poem_entra::Settings;
use serde_json::Value;

use crate::cases::{PERSONAL_ACCOUNTS, is_graph};

use super::times;

/// What the sentences depend on.
pub(super) struct Reader<'a> {
    pub(super) settings: &'a Settings,
    /// Seconds since 1970.
    pub(super) now: u64,
}

impl Reader<'_> {
    /// What a header parameter says (RFC 7515, section 4.1).
    pub(super) fn header(&self, name: &str, value: &Value) -> String {
        let text = value.as_str().unwrap_or_default();
        let sentence = match name {
            "alg" if text == "RS256" => "The signature algorithm. Entra always uses this one.",
            "alg" => "The algorithm. Entra signs access tokens with RS256.",
            "kid" => "The id of the key that signed the token, as in the authority's key set.",
            "typ" => "The type of the token.",
            "x5t" => "The thumbprint of the key's certificate. This API uses kid instead.",
            "nonce" => "Only tokens for Microsoft Graph have it, and only Graph can verify them.",
            "enc" => "The content is encrypted with this algorithm.",
            "crit" => "Extensions that a receiver must understand. This API knows none.",
            "jku" | "jwk" | "x5u" | "x5c" => "A key of the token's own choice. It is never used.",
            _ => "This API does not use it.",
        };
        sentence.to_owned()
    }

    /// What a claim says.
    pub(super) fn claim(&self, name: &str, value: &Value) -> String {
        let text = value.as_str().unwrap_or_default();
        match name {
            "aud" => self.audience(value),
            "iss" => "The authority that issued the token (issuer).".to_owned(),
            "iat" => self.time("Issued", value),
            "nbf" => self.time("Valid from", value),
            "exp" => self.expiry(value),
            "auth_time" => self.time("The user signed in", value),
            "tid" => self.tenant(text),
            "acct" => account(value).to_owned(),
            "ver" => version(text).to_owned(),
            "idtyp" => caller_kind(text).to_owned(),
            "azpacr" | "appidacr" => client_authentication(text).to_owned(),
            "scp" if text.trim().is_empty() || text == "/" => "No scope.".to_owned(),
            "roles" => "The app roles of the caller in the API. They are set under Enterprise \
                        applications."
                .to_owned(),
            _ => fixed(name).to_owned(),
        }
    }

    fn audience(&self, value: &Value) -> String {
        let api = self.settings.client_id.to_lowercase();
        let is_ours = |aud: &str| {
            let uris = &self.settings.app_id_uris;
            aud.to_lowercase() == api
                || aud == format!("api://{api}")
                || uris.iter().any(|uri| uri == aud)
        };
        let who = match value.as_str() {
            Some(aud) if is_ours(aud) => ": this API",
            Some(aud) if is_graph(aud) => ": Microsoft Graph, not this API",
            _ => "",
        };
        format!("The app that the token is for (audience){who}.")
    }

    fn tenant(&self, tid: &str) -> String {
        let which = match tid {
            PERSONAL_ACCOUNTS => ": the one of all personal Microsoft accounts",
            tid if tid == self.settings.tenant => ": the one that this API is configured for",
            _ => "",
        };
        format!("The tenant that issued the token{which}.")
    }

    fn expiry(&self, value: &Value) -> String {
        let is_past = value.as_u64().is_some_and(|exp| exp < self.now);
        self.time(if is_past { "Expired" } else { "Expires" }, value)
    }

    fn time(&self, what: &str, value: &Value) -> String {
        let seconds =
            value.as_u64().or_else(|| value.as_f64().filter(|v| *v >= 0.0).map(|v| v as u64));
        match seconds {
            Some(seconds) => format!("{what} {}.", times::in_words(seconds, self.now)),
            None => "Not a date: it must be a number of seconds.".to_owned(),
        }
    }
}

fn account(value: &Value) -> &'static str {
    match value {
        value if *value == 0 || *value == "0" => "The user is a member of the tenant.",
        value if *value == 1 || *value == "1" => "The user is a guest of the tenant.",
        _ => "Whether the user is a member (0) or a guest (1) of the tenant.",
    }
}

fn version(ver: &str) -> &'static str {
    match ver {
        "1.0" => "The version of the token: the API's registration requests v1 tokens.",
        "2.0" => "The version of the token: the API's registration requests v2 tokens.",
        _ => "The version of the token. Entra writes 1.0 or 2.0.",
    }
}

fn caller_kind(idtyp: &str) -> &'static str {
    match idtyp {
        "app" => "The caller is an app that acts for itself.",
        "user" => "The caller is a user.",
        _ => "The caller is neither a user nor an app.",
    }
}

fn client_authentication(acr: &str) -> &'static str {
    match acr {
        "0" => "The client did not authenticate: it is a public client.",
        "1" => "The client authenticated with a secret.",
        "2" => "The client authenticated with a certificate or as a managed identity.",
        _ => "How the client authenticated.",
    }
}

/// Sentences that do not depend on the value.
fn fixed(name: &str) -> &'static str {
    match name {
        "oid" => {
            "The caller's object id in the tenant. With tid, it identifies the owner of a todo."
        }
        "sub" => "The caller's id for this API only (subject). It is required, but not used.",
        "scp" => "The scopes that somebody consented to, for a user.",
        "azp" | "appid" => "The client id of the app that requested the token.",
        "name" | "given_name" | "family_name" => "A name of the user. It never identifies anybody.",
        "preferred_username" | "upn" | "unique_name" | "email" => {
            "An address of the user. It can be reassigned, so it never identifies anybody."
        }
        "groups" => "The object ids of the user's groups.",
        "_claim_names" | "_claim_sources" | "hasgroups" => {
            "The user has more groups than a token can list (groups overage)."
        }
        "cnf" => "The key or certificate that the token is bound to. It is not a bearer token.",
        "nonce" => "Links an ID token to a sign-in. An access token has no nonce.",
        "c_hash" | "at_hash" => "Only ID tokens have it.",
        "acrs" => "The authentication contexts that the sign-in satisfied.",
        "acr" | "amr" => "How the user authenticated.",
        "xms_cc" => "The capabilities of the client. cp1: it handles claims challenges.",
        "xms_act_fct" => "Facets of the client. 11: it is an agent.",
        "xms_sub_fct" => "Facets of the caller. 13: the user account belongs to an agent.",
        "xms_mirid" => "The Azure resource of the managed identity.",
        "xms_par_app_azp" => "The blueprint of the agent.",
        "idp" => "Where the user has signed in. For a guest, it is the home organization.",
        "ipaddr" => "The address from which the user signed in.",
        "wids" => "Roles of the user in the tenant itself, such as Global Administrator.",
        "login_hint" | "sid" => "Data about the session, for the sign-out.",
        "aio" | "rh" | "uti" => "Internal to Entra.",
        name if name.starts_with("xms_") => "Internal to Entra, or requested as an optional claim.",
        _ => "This API does not use it.",
    }
}
