//! The table: tokens, what the three judges say of them, and why they differ where they do.

use poem_entra::Rule;
use serde_json::json;

use super::{
    Row,
    Verdict::{Accepted, Refused},
    mint::{HEADER, Mint, parts, remove},
};

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
    bad("another tenant's token, signed by a key of all tenants", Rule::Tenant, |mint| {
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
    bad("HS256 that says RS256", Rule::Signature, |mint| {
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
        why: "Our owner key contains `tid`, so it must be the tenant that issued the token.",
        make: |mint| mint.claims(|claims| claims["tid"] = entra_dev::ids::FABRIKAM.into()),
    },
    Row {
        token: "no `tid`",
        ours: Some(Rule::Claims),
        jose: Accepted,
        fastapi: Accepted,
        why: "Our owner key contains `tid`.",
        make: |mint| mint.claims(|claims| remove(claims, "tid")),
    },
    Row {
        token: "a user's token without `oid`",
        ours: Some(Rule::CallerKind),
        jose: Accepted,
        fastapi: Accepted,
        why: "Our owner key contains `oid`.",
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
        why: "Entra copies it from clients that request `api://…//.default`; poem-entra ignores \
              one slash.",
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
        why: "In an app-only token, `oid` and `sub` are equal; this is an ID token without a \
              `nonce`.",
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
    Row {
        token: "`nonce` in the header, as in tokens for Microsoft Graph",
        ours: Some(Rule::AccessToken),
        jose: Accepted,
        fastapi: Accepted,
        why: "Only Graph can verify a real one; poem-entra says so before it checks the signature.",
        make: |mint| mint.header(r#"{"typ":"JWT","alg":"RS256","kid":"KID","nonce":"n"}"#),
    },
    Row {
        token: "`typ` is `dpop+jwt`",
        ours: Some(Rule::TokenHeader),
        jose: Accepted,
        fastapi: Accepted,
        why: "A token of one kind must not pass for another (RFC 8725, section 3.11); jose \
              compares `typ` only if an expected value is set.",
        make: |mint| mint.header(r#"{"typ":"dpop+jwt","alg":"RS256","kid":"KID"}"#),
    },
    Row {
        token: "`crit` names `b64`, which is true",
        ours: Some(Rule::TokenHeader),
        jose: Accepted,
        fastapi: Accepted,
        why: "The others support this extension (RFC 7797); Entra's tokens never use extensions.",
        make: |mint| {
            mint.header(r#"{"typ":"JWT","alg":"RS256","kid":"KID","crit":["b64"],"b64":true}"#)
        },
    },
    Row {
        token: "a duplicate header parameter",
        ours: Some(Rule::TokenFormat),
        jose: Accepted,
        fastapi: Accepted,
        why: "RFC 7515, section 4, lets a parser reject the token, as poem-entra does, or use the \
              last one, as the others do.",
        make: |mint| mint.header(r#"{"typ":"JWT","alg":"none","alg":"RS256","kid":"KID"}"#),
    },
    Row {
        token: "a duplicate claim, once written with an escape",
        ours: Some(Rule::TokenFormat),
        jose: Accepted,
        fastapi: Accepted,
        why: "RFC 7519, section 4, lets a parser reject the token, as poem-entra does, or use the \
              last one, as the others do.",
        make: |mint| mint.payload_starting(&format!(r#""o\u0069d":"{OTHER}","#)),
    },
    Row {
        token: "a payload that begins with a byte order mark",
        ours: Some(Rule::TokenFormat),
        jose: Accepted,
        fastapi: Accepted,
        why: "JSON must not begin with one (RFC 8259, section 8.1, lets a parser ignore it, as the \
              others do).",
        make: |mint| mint.raw_payload(&format!("\u{feff}{}", mint.payload())),
    },
    Row {
        token: "a claim with the value `NaN`",
        ours: Some(Rule::TokenFormat),
        jose: Refused,
        fastapi: Accepted,
        why: "JSON has no such number; Python's parser accepts it.",
        make: |mint| mint.payload_starting(r#""x":NaN,"#),
    },
    Row {
        token: "a signature whose unused last bits are not zero",
        ours: Some(Rule::TokenFormat),
        jose: Accepted,
        fastapi: Refused,
        why: "A signature must have only one encoding (RFC 4648, section 3.5); jose ignores these \
              bits.",
        make: |mint| {
            let token = mint.claims(|_| {});
            let (start, last) = token.split_at(token.len() - 1);
            // 256 bytes leave four unused bits: A, Q, g or w, and each has 15 neighbours.
            let next = char::from(last.as_bytes()[0] + 1);
            format!("{start}{next}")
        },
    },
    Row {
        token: "a signature with padding (`=`)",
        ours: Some(Rule::TokenFormat),
        jose: Accepted,
        fastapi: Accepted,
        why: "A JWS has no padding (RFC 7515, section 2); the others strip it.",
        make: |mint| format!("{}==", mint.claims(|_| {})),
    },
    Row {
        token: "longer than 16,384 bytes",
        ours: Some(Rule::TokenFormat),
        jose: Accepted,
        fastapi: Accepted,
        why: "Entra's tokens are shorter; the others leave the limit to the server.",
        make: |mint| mint.claims(|claims| claims["name"] = "x".repeat(16_384).into()),
    },
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

/// All three accept it.
const fn good(token: &'static str, make: fn(&Mint<'_>) -> String) -> Row {
    Row { token, ours: None, jose: Accepted, fastapi: Accepted, why: "", make }
}

/// All three refuse it.
const fn bad(token: &'static str, rule: Rule, make: fn(&Mint<'_>) -> String) -> Row {
    Row { token, ours: Some(rule), jose: Refused, fastapi: Refused, why: "", make }
}

const ALG_NONE: &str = r#"{"typ":"JWT","alg":"none","kid":"KID"}"#;
const PERSONAL_HEADER: &str = r#"{"typ":"JWT","alg":"RS256","kid":"PERSONAL"}"#;

/// Somebody else's object id.
const OTHER: &str = "0a000000-0000-4000-8000-000000000001";
