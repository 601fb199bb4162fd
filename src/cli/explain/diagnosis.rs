//! Finds the case of a refusal. The rejection says which rule is broken; what the token claims
//! about itself says why. Nothing here changes the verdict.

use poem_entra::{Examination, Refusal, Rejection, Rule, Settings};
use serde_json::Value;
use url::Url;

use crate::cases::{Case, PERSONAL_ACCOUNTS, is_graph};

use super::unverified::UnverifiedToken;

/// The case of a rejection of this token. `published` is what the authority publishes, if the key
/// of the token is unknown.
pub(super) fn case_of(
    rejection: &Rejection,
    token: &UnverifiedToken,
    settings: &Settings,
    published: Option<&Examination>,
) -> Case {
    let general = Case::of(rejection);
    match rejection.rule() {
        Rule::TokenFormat | Rule::TokenHeader => format(general, token),
        Rule::AuthorizationHeader => match rejection.refusal() {
            Refusal::MissingToken => Case::OtherScheme,
            _ => Case::NotAJwt,
        },
        Rule::SigningKey => unknown_key(token, published),
        Rule::Signature if !has_whole_signature(token) => Case::TruncatedToken,
        Rule::Tenant => tenant(token, settings),
        Rule::Audience => audience(token, settings),
        Rule::Consent if token.looks_like_id_token() => Case::IdToken,
        _ => general.unwrap_or(Case::Denied),
    }
}

/// What is special about a token, whether or not it is accepted.
pub(super) fn notes(token: &UnverifiedToken) -> Vec<Case> {
    let facet = |claim: &str, number: &str| {
        token.text(claim).is_some_and(|facets| facets.split(' ').any(|facet| facet == number))
    };
    let acct = token.claims.get("acct");
    let is_guest = acct.is_some_and(|acct| *acct == 1 || *acct == "1");
    let is_agent = facet("xms_act_fct", "11") || facet("xms_sub_fct", "13");
    let names = token.claims.get("_claim_names").and_then(|names| names.get("groups"));
    let has_overage =
        names.is_some() || token.claims.get("hasgroups").is_some_and(|has| *has != false);
    [(Case::Guest, is_guest), (Case::Agent, is_agent), (Case::GroupsOverage, has_overage)]
        .into_iter()
        .filter_map(|(case, is)| is.then_some(case))
        .collect()
}

fn format(general: Option<Case>, token: &UnverifiedToken) -> Case {
    let unsigned = token.header.get("alg").is_some_and(|alg| alg == "none");
    match general {
        Some(Case::NotAJwt) if unsigned => Case::WrongHeader,
        // The header is there, but the rest is not.
        Some(Case::NotAJwt) if token.header.contains_key("alg") => Case::TruncatedToken,
        other => other.unwrap_or(Case::NotAJwt),
    }
}

/// Whether the signature is as long as one of an RSA key of 2,048, 3,072 or 4,096 bits.
fn has_whole_signature(token: &UnverifiedToken) -> bool {
    matches!(token.signature_length, Some(256 | 384 | 512))
}

fn unknown_key(token: &UnverifiedToken, published: Option<&Examination>) -> Case {
    let kid = token.header.get("kid").and_then(Value::as_str).unwrap_or_default();
    let own_keys = published.and_then(|published| published.own_keys.as_ref());
    if own_keys.is_some_and(|keys| keys.iter().any(|own| own == kid)) {
        return Case::OwnSigningKey;
    }
    let (Some(iss), Some(published)) = (token.text("iss"), published) else {
        return Case::UnknownKey;
    };
    let own = &published.issuer;
    let clouds = (cloud_of(iss), cloud_of(own));
    match clouds {
        _ if origin(iss) == origin(own) => Case::RotatedKey,
        (Some(EXTERNAL_ID), _) => Case::ExternalIdKey,
        (Some(theirs), Some(ours)) if theirs == ours => Case::RotatedKey,
        (Some(_), _) => Case::OtherCloudKey,
        (None, _) => Case::OtherAuthorityKey,
    }
}

fn cloud_of(issuer: &str) -> Option<&'static str> {
    poem_entra::authority::cloud_of_issuer(issuer)
}

const EXTERNAL_ID: &str = "External ID";

fn origin(url: &str) -> Option<String> {
    Url::parse(url).ok().map(|url| url.origin().ascii_serialization())
}

fn tenant(token: &UnverifiedToken, settings: &Settings) -> Case {
    match token.text("tid") {
        Some(PERSONAL_ACCOUNTS) => Case::PersonalAccount,
        _ if settings.allowed_tenants.is_empty() => Case::WrongTenant,
        _ => Case::TenantNotAllowed,
    }
}

fn audience(token: &UnverifiedToken, settings: &Settings) -> Case {
    let audiences = token.audiences();
    let api = settings.client_id.to_lowercase();
    if audiences.iter().any(|aud| is_graph(aud)) {
        Case::GraphToken
    } else if audiences.iter().any(|aud| aud.to_lowercase().contains(&api)) {
        Case::AudienceForm
    } else if token.looks_like_id_token() {
        Case::IdToken
    } else if audiences.iter().any(|aud| may_be_own_uri(aud)) {
        Case::AudienceForm
    } else if !token.scopes().is_empty() {
        Case::OtherScope
    } else {
        Case::OtherAudience
    }
}

/// Whether this may be an App ID URI that the settings do not list: not one that names another app,
/// and not one of Microsoft.
fn may_be_own_uri(audience: &str) -> bool {
    const MICROSOFT: [&str; 7] = [
        "azure.com",
        "azure.net",
        "microsoft.com",
        "microsoftonline.com",
        "office.com",
        "office365.com",
        "windows.net",
    ];
    let Ok(url) = Url::parse(audience) else { return false };
    let host = url.host_str().unwrap_or_default();
    let is_microsofts =
        MICROSOFT.iter().any(|domain| host == *domain || host.ends_with(&format!(".{domain}")));
    let names_app = audience.split('/').any(|part| poem_entra::ClientId::parse(part).is_some());
    !is_microsofts && !names_app
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_id_uri_may_be_ones_own_unless_it_names_another_app_or_microsoft() {
        for (audience, may_be) in [
            ("https://api.contoso.example", true),
            ("api://todo", true),
            ("api://88888888-8888-4888-8888-888888888888", false),
            ("api://localhost:3000/88888888-8888-4888-8888-888888888888", false),
            ("https://management.azure.com/", false),
            ("https://vault.azure.net", false),
            ("88888888-8888-4888-8888-888888888888", false),
        ] {
            assert_eq!(may_be_own_uri(audience), may_be, "{audience}");
        }
    }
}
