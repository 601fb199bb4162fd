//! Tokens on which the three validators agree.

use poem_entra::Rule;
use serde_json::json;

use crate::support::judges::{HEADER, Row, bad, good, parts, remove};

use super::OTHER;

pub(super) const ROWS: &[Row] = &[
    good("a user's token", |mint| mint.claims(|_| {})),
    good("an app's token, with roles and no `scp`", |mint| {
        mint.claims(|claims| {
            remove(claims, "scp");
            claims["idtyp"] = "app".into();
            claims["roles"] = json!(["Todos.Read.All"]);
        })
    }),
    good("`typ` is `at+jwt`", |mint| mint.header(r#"{"typ":"at+jwt","alg":"RS256","kid":"KID"}"#)),
    good("expired 30 seconds ago", |mint| {
        mint.claims(|claims| {
            claims["nbf"] = (mint.now() - 3_600).into();
            claims["exp"] = (mint.now() - 30).into();
        })
    }),
    good("valid in 30 seconds (`nbf`)", |mint| {
        mint.claims(|claims| claims["nbf"] = (mint.now() + 30).into())
    }),
    bad("expired two minutes ago", Rule::Lifetime, |mint| {
        mint.claims(|claims| {
            claims["nbf"] = (mint.now() - 3_600).into();
            claims["exp"] = (mint.now() - 120).into();
        })
    }),
    bad("valid in two minutes (`nbf`)", Rule::Lifetime, |mint| {
        mint.claims(|claims| claims["nbf"] = (mint.now() + 120).into())
    }),
    bad("for another API", Rule::Audience, |mint| {
        mint.claims(|claims| claims["aud"] = "66666666-6666-4666-8666-666666666666".into())
    }),
    bad("no `aud`", Rule::Claims, |mint| mint.claims(|claims| remove(claims, "aud"))),
    bad("no `iss`", Rule::Claims, |mint| mint.claims(|claims| remove(claims, "iss"))),
    bad("another tenant's token, signed by a key that all tenants share", Rule::Tenant, |mint| {
        mint.claims(|claims| {
            claims["iss"] = mint.issuer(entra_dev::ids::FABRIKAM).into();
            claims["tid"] = entra_dev::ids::FABRIKAM.into();
        })
    }),
    bad("another tenant's `iss`", Rule::Issuer, |mint| {
        mint.claims(|claims| claims["iss"] = mint.issuer(entra_dev::ids::FABRIKAM).into())
    }),
    bad("`iss` with a trailing slash", Rule::Issuer, |mint| {
        mint.claims(|claims| {
            claims["iss"] = format!("{}/", mint.issuer(entra_dev::ids::CONTOSO)).into();
        })
    }),
    bad("a v1 token from Entra's v1 issuer", Rule::Version, |mint| {
        mint.claims(|claims| {
            claims["iss"] = format!("https://sts.windows.net/{}/", entra_dev::ids::CONTOSO).into();
            claims["ver"] = "1.0".into();
        })
    }),
    bad("the payload of another token", Rule::Signature, |mint| {
        let (good, other) =
            (mint.claims(|_| {}), mint.claims(|claims| claims["oid"] = OTHER.into()));
        let [[header, _, signature], [_, payload, _]] = [parts(&good), parts(&other)];
        format!("{header}.{payload}.{signature}")
    }),
    bad("the signature of another token", Rule::Signature, |mint| {
        let (good, other) =
            (mint.claims(|_| {}), mint.claims(|claims| claims["oid"] = OTHER.into()));
        let [[header, payload, _], [_, _, signature]] = [parts(&good), parts(&other)];
        format!("{header}.{payload}.{signature}")
    }),
    bad("`alg` is `none`, no signature", Rule::TokenFormat, |mint| {
        let token = mint.header(ALG_NONE);
        let [header, payload, _] = parts(&token);
        format!("{header}.{payload}.")
    }),
    bad("`alg` is `none`, with a signature", Rule::TokenHeader, |mint| mint.header(ALG_NONE)),
    bad("HS256, with the public key as the secret", Rule::TokenHeader, |mint| {
        let header = r#"{"typ":"JWT","alg":"HS256","kid":"KID"}"#;
        mint.signed("general", "HS256", header, &mint.payload())
    }),
    bad("signed with HS256, but `alg` says RS256", Rule::Signature, |mint| {
        mint.signed("general", "HS256", HEADER, &mint.payload())
    }),
    bad("PS256, with the right key", Rule::TokenHeader, |mint| {
        let header = r#"{"typ":"JWT","alg":"PS256","kid":"KID"}"#;
        mint.signed("general", "PS256", header, &mint.payload())
    }),
    bad("`kid` names another published key", Rule::Signature, |mint| {
        mint.signed("next", "RS256", HEADER, &mint.payload())
    }),
    bad("`kid` names no published key", Rule::SigningKey, |mint| {
        mint.header(r#"{"typ":"JWT","alg":"RS256","kid":"unheard-of"}"#)
    }),
    bad("no `kid`", Rule::TokenHeader, |mint| mint.header(r#"{"typ":"JWT","alg":"RS256"}"#)),
    bad("signed by the key in its own header (`jwk`)", Rule::Signature, |mint| {
        let header = r#"{"typ":"JWT","alg":"RS256","kid":"KID","jwk":NEXT_JWK}"#;
        mint.signed("next", "RS256", header, &mint.payload())
    }),
    bad("an unknown extension in `crit`", Rule::TokenHeader, |mint| {
        mint.header(r#"{"typ":"JWT","alg":"RS256","kid":"KID","crit":["x"],"x":1}"#)
    }),
    bad("a payload that is an array", Rule::TokenFormat, |mint| mint.raw_payload("[]")),
    bad("`exp` is a word", Rule::Claims, |mint| {
        mint.claims(|claims| claims["exp"] = "soon".into())
    }),
];

const ALG_NONE: &str = r#"{"typ":"JWT","alg":"none","kid":"KID"}"#;
