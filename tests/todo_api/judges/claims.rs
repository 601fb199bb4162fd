//! Tokens with claims on which the validators differ.

use poem_entra::Rule;
use serde_json::json;

use crate::support::judges::{
    Row,
    Verdict::{Accepted, Refused},
    remove,
};

pub(super) const ROWS: &[Row] = &[
    Row {
        token: "signed by the key of personal accounts, for a work account",
        ours: Some(Rule::KeyIssuer),
        jose: Accepted,
        fastapi: Accepted,
        why: "Entra's key set says which issuer each key belongs to; only poem-entra reads this.",
        make: |mint| mint.signed("personal", "RS256", PERSONAL_HEADER, &mint.payload()),
    },
    Row {
        token: "`tid` and `iss` name different tenants",
        ours: Some(Rule::Issuer),
        jose: Accepted,
        fastapi: Accepted,
        why: "We identify owners by `tid` and `oid`, so `tid` must be the tenant that issued the token.",
        make: |mint| mint.claims(|claims| claims["tid"] = entra_dev::ids::FABRIKAM.into()),
    },
    Row {
        token: "no `tid`",
        ours: Some(Rule::Claims),
        jose: Accepted,
        fastapi: Accepted,
        why: "We identify owners by `tid` and `oid`.",
        make: |mint| mint.claims(|claims| remove(claims, "tid")),
    },
    Row {
        token: "a user's token without `oid`",
        ours: Some(Rule::CallerKind),
        jose: Accepted,
        fastapi: Accepted,
        why: "We identify owners by `tid` and `oid`.",
        make: |mint| mint.claims(|claims| remove(claims, "oid")),
    },
    Row {
        token: "no `sub`",
        ours: Some(Rule::Claims),
        jose: Accepted,
        fastapi: Refused,
        why: "jose requires only the claims it is told to.",
        make: |mint| mint.claims(|claims| remove(claims, "sub")),
    },
    Row {
        token: "no `exp`",
        ours: Some(Rule::Claims),
        jose: Accepted,
        fastapi: Refused,
        why: "jose requires only the claims it is told to; this token would never expire.",
        make: |mint| mint.claims(|claims| remove(claims, "exp")),
    },
    Row {
        token: "no `nbf`",
        ours: None,
        jose: Accepted,
        fastapi: Refused,
        why: "`nbf` is optional (RFC 7519, section 4.1.5); fastapi-azure-auth requires what Entra \
              always sends.",
        make: |mint| mint.claims(|claims| remove(claims, "nbf")),
    },
    Row {
        token: "no `iat`",
        ours: None,
        jose: Accepted,
        fastapi: Refused,
        why: "`iat` is optional (RFC 7519, section 4.1.6); fastapi-azure-auth requires what Entra \
              always sends.",
        make: |mint| mint.claims(|claims| remove(claims, "iat")),
    },
    Row {
        token: "issued two minutes in the future (`iat`)",
        ours: Some(Rule::Lifetime),
        jose: Accepted,
        fastapi: Refused,
        why: "jose checks `iat` only if a maximum age is set.",
        make: |mint| mint.claims(|claims| claims["iat"] = (mint.now() + 120).into()),
    },
    Row {
        token: "`nbf` later than `exp`, both within the leeway",
        ours: Some(Rule::Lifetime),
        jose: Accepted,
        fastapi: Accepted,
        why: "The token was never valid; the leeway hides this from the others.",
        make: |mint| {
            mint.claims(|claims| {
                claims["exp"] = (mint.now() - 20).into();
                claims["nbf"] = (mint.now() + 20).into();
            })
        },
    },
    Row {
        token: "`exp` is more than 2^53",
        ours: Some(Rule::Claims),
        jose: Accepted,
        fastapi: Accepted,
        why: "JSON parsers may disagree on such a number (RFC 8259, section 6).",
        make: |mint| mint.claims(|claims| claims["exp"] = ((1_u64 << 53) + 1).into()),
    },
    Row {
        token: "`exp` is a string of digits",
        ours: Some(Rule::Claims),
        jose: Refused,
        fastapi: Accepted,
        why: "A date is a number (RFC 7519, section 2); PyJWT converts the string to one.",
        make: |mint| mint.claims(|claims| claims["exp"] = (mint.now() + 3_600).to_string().into()),
    },
    Row {
        token: "`exp` with a fraction of a second",
        ours: None,
        jose: Accepted,
        fastapi: Refused,
        why: "Dates may have fractions (RFC 7519, section 2); fastapi-azure-auth's user model \
              allows none.",
        make: |mint| mint.claims(|claims| claims["exp"] = (mint.now() as f64 + 3_600.5).into()),
    },
    Row {
        token: "`aud` is an array that contains this API",
        ours: None,
        jose: Accepted,
        fastapi: Refused,
        why: "RFC 7519, section 4.1.3, allows it; fastapi-azure-auth's user model has one \
              audience.",
        make: |mint| {
            mint.claims(|claims| {
                claims["aud"] = json!(["https://other.example", entra_dev::ids::API_CLIENT_ID]);
            })
        },
    },
    Row {
        token: "`aud` is the App ID URI",
        ours: None,
        jose: Accepted,
        fastapi: Refused,
        why: "v1 tokens have it; fastapi-azure-auth accepts only the client id.",
        make: |mint| {
            let uri = format!("api://{}", entra_dev::ids::API_CLIENT_ID);
            mint.claims(|claims| claims["aud"] = uri.into())
        },
    },
    Row {
        token: "`aud` with a trailing slash",
        ours: None,
        jose: Refused,
        fastapi: Refused,
        why: "If a client requests `api://…//.default`, Entra copies the extra slash into `aud`; \
              poem-entra ignores one slash.",
        make: |mint| {
            let uri = format!("api://{}/", entra_dev::ids::API_CLIENT_ID);
            mint.claims(|claims| claims["aud"] = uri.into())
        },
    },
    Row {
        token: "no `scp` and no roles",
        ours: Some(Rule::Consent),
        jose: Accepted,
        fastapi: Accepted,
        why: "Any app of any tenant can get such a token without consent; the others leave this to \
              the API.",
        make: |mint| mint.claims(|claims| remove(claims, "scp")),
    },
    Row {
        token: "`scp` is empty, no roles",
        ours: Some(Rule::Consent),
        jose: Accepted,
        fastapi: Accepted,
        why: "An empty list of scopes counts as no scope.",
        make: |mint| mint.claims(|claims| claims["scp"] = "".into()),
    },
    Row {
        token: "`scp` is an array",
        ours: Some(Rule::Claims),
        jose: Accepted,
        fastapi: Accepted,
        why: "Entra writes one string; jose does not know `scp`.",
        make: |mint| mint.claims(|claims| claims["scp"] = json!(["access_as_user"])),
    },
    Row {
        token: "`roles` is a string",
        ours: Some(Rule::Claims),
        jose: Accepted,
        fastapi: Refused,
        why: "Entra writes an array; jose does not know `roles`.",
        make: |mint| mint.claims(|claims| claims["roles"] = "Admin".into()),
    },
    Row {
        token: "no `ver`",
        ours: Some(Rule::Version),
        jose: Accepted,
        fastapi: Refused,
        why: "The version determines the right issuer; jose does not know `ver`.",
        make: |mint| mint.claims(|claims| remove(claims, "ver")),
    },
    Row {
        token: "`ver` is 1.0, from the v2 issuer",
        ours: Some(Rule::Version),
        jose: Accepted,
        fastapi: Accepted,
        why: "Each version has its own issuer; the others know one issuer and ignore `ver`.",
        make: |mint| mint.claims(|claims| claims["ver"] = "1.0".into()),
    },
    Row {
        token: "an ID token (a `nonce`, no `scp`)",
        ours: Some(Rule::AccessToken),
        jose: Accepted,
        fastapi: Accepted,
        why: "ID tokens are for the client that requested them; the others cannot tell them apart.",
        make: |mint| {
            mint.claims(|claims| {
                remove(claims, "scp");
                claims["nonce"] = "n".into();
            })
        },
    },
    Row {
        token: "an ID token with app roles (a `nonce`, no `scp`)",
        ours: Some(Rule::AccessToken),
        jose: Accepted,
        fastapi: Accepted,
        why: "If client and API share a registration, ID tokens contain the user's app roles.",
        make: |mint| {
            mint.claims(|claims| {
                remove(claims, "scp");
                claims["nonce"] = "n".into();
                claims["roles"] = json!(["Admin"]);
            })
        },
    },
    Row {
        token: "roles without `scp` and `idtyp`, `oid` is not `sub`",
        ours: Some(Rule::CallerKind),
        jose: Accepted,
        fastapi: Accepted,
        why: "In an app-only token, `oid` and `sub` are equal. They differ here, so this can only \
              be an ID token without a `nonce`.",
        make: |mint| {
            mint.claims(|claims| {
                remove(claims, "scp");
                claims["roles"] = json!(["Admin"]);
            })
        },
    },
    Row {
        token: "`idtyp` is `device`",
        ours: Some(Rule::CallerKind),
        jose: Accepted,
        fastapi: Accepted,
        why: "A device is neither a user nor an app; the others do not read `idtyp`.",
        make: |mint| mint.claims(|claims| claims["idtyp"] = "device".into()),
    },
    Row {
        token: "`scp` is `/`, no roles",
        ours: Some(Rule::Consent),
        jose: Accepted,
        fastapi: Accepted,
        why: "Entra writes `/` for \"no scope\"; the others leave scopes to the API.",
        make: |mint| mint.claims(|claims| claims["scp"] = "/".into()),
    },
    Row {
        token: "a token bound to a certificate (`cnf`)",
        ours: Some(Rule::Unbound),
        jose: Accepted,
        fastapi: Accepted,
        why: "Without proof of possession, anybody could send it (RFC 8705, section 3).",
        make: |mint| mint.claims(|claims| claims["cnf"] = json!({ "x5t#S256": "x" })),
    },
];

/// Tokens of guests, on which the validators differ.
pub(super) const GUESTS: &[Row] = &[
    Row {
        token: "a guest's token (`acct` is 1)",
        ours: None,
        jose: Accepted,
        fastapi: Refused,
        why: "The operation's policy decides about guests; fastapi-azure-auth refuses them by \
              default.",
        make: |mint| mint.claims(|claims| claims["acct"] = 1.into()),
    },
    Row {
        token: "a user who signed in elsewhere (`idp` is not `iss`)",
        ours: None,
        jose: Accepted,
        fastapi: Refused,
        why: "fastapi-azure-auth treats them as guests; poem-entra uses `acct`.",
        make: |mint| mint.claims(|claims| claims["idp"] = "https://idp.example/".into()),
    },
];

const PERSONAL_HEADER: &str = r#"{"typ":"JWT","alg":"RS256","kid":"PERSONAL"}"#;
