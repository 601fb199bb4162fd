//! Tokens that are too old or too new, damaged, or not made for `Bearer`.

use crate::{cases::Case, cli::explain::times};

use super::{Advice, Situation};

pub(super) fn of(case: Case, situation: &Situation<'_>) -> Advice {
    match case {
        Case::Expired => expired(situation),
        Case::NotYetValid => not_yet_valid(situation),
        Case::BrokenSignature => Advice::new(
            "The signature does not match the token: at least one character was changed, on the way or \
             when it was copied. Common causes are a missing or added character, a changed case, and a \
             program that edits claims.",
        )
        .portal("Nothing in the portal helps. Copy the token again, as a whole, or get a new one.")
        .az_new_token(situation)
        .dev_token(),
        Case::TruncatedToken => truncated(situation),
        Case::EncryptedToken => encrypted(situation),
        Case::BoundToken => Advice::new(
            "The token is bound to a key or a certificate of the client (cnf): only the owner of the key \
             may use it. A token sent as Bearer does not prove who that is.",
        )
        .portal(
            "Nothing in the portal helps. In the client, turn off proof of possession (PoP, \
             WithProofOfPossession in MSAL) and certificate-bound tokens (mTLS).",
        )
        .az_new_token(situation)
        .dev_token(),
        Case::OtherScheme => Advice::new(format!(
            "The Authorization header does not have the scheme Bearer. {}",
            situation.detail
        ))
        .portal("Nothing in the portal helps. In the client, send: Authorization: Bearer <token>")
        .az_new_token(situation)
        .dev_token(),
        Case::WrongHeader => Advice::new(format!(
            "Entra does not write such a header into an access token for an API, so the token is not \
             from Entra, or it is of another kind. {}",
            situation.detail
        ))
        .portal(format!(
            "Nothing in the portal helps. Request the scope {} from Entra, and send the access_token.",
            situation.scope
        ))
        .az_new_token(situation)
        .dev_token(),
        Case::BadClaim => Advice::new(format!(
            "A claim that every access token of Entra has is missing or malformed. {} The token is not \
             from Entra, or it was changed, or the client did not request enough (oid and tid need the \
             scope profile in some flows).",
            situation.detail
        ))
        .portal(format!("In the client, request {}, and send the access_token.", situation.scope))
        .az_new_token(situation)
        .dev_token(),
        _ => Advice::new(format!(
            "This is not a token that can be read. {} A JWT has three parts in base64url, separated by \
             dots, and begins with eyJ. This may be an opaque token (as for personal accounts without \
             a scope of this API), a refresh token, an authorization code, or a placeholder.",
            situation.detail
        ))
        .portal(format!(
            "In the client, request the scope {}, and send the access_token.",
            situation.scope
        ))
        .az_new_token(situation)
        .dev_token(),
    }
}

fn truncated(situation: &Situation<'_>) -> Advice {
    let found = match situation.token.parts {
        3 => "the last of its three parts, the signature, is too short".to_owned(),
        parts => format!("it has {parts} of 3 parts"),
    };
    Advice::new(format!(
        "The end of the token is missing: {found}. Something cut it off, such as a terminal, a form, a \
         log or a limit for the size of header fields."
    ))
    .portal("Nothing in the portal helps. Copy the token again, as a whole, or get a new one.")
    .az_new_token(situation)
    .dev_token()
}

fn expired(situation: &Situation<'_>) -> Advice {
    let when = situation
        .token
        .seconds("exp")
        .map_or_else(|| "some time ago".to_owned(), |exp| times::in_words(exp, situation.now));
    Advice::new(format!(
        "The token expired {when}. A token is valid for 60 to 90 minutes. If the token is new, the clock \
         of this machine is fast."
    ))
    .portal(
        "Nothing in the portal helps. In the client, get a new token before each request \
         (acquireTokenSilent in MSAL renews it in time).",
    )
    .az_new_token(situation)
    .dev_token()
}

fn not_yet_valid(situation: &Situation<'_>) -> Advice {
    let start = ["nbf", "iat"].into_iter().filter_map(|claim| situation.token.seconds(claim)).max();
    let start = start
        .map_or_else(|| "in the future".to_owned(), |start| times::in_words(start, situation.now));
    Advice::new(format!(
        "The token is valid only from a time in the future: {start}. Entra issues tokens that are valid \
         at once, so the clock of this machine is slow."
    ))
    .portal(
        "Nothing in the portal helps. Set the clock of the machine on which the API runs, for example \
         with NTP: timedatectl set-ntp true. TOKEN_LEEWAY forgives up to 300 seconds.",
    )
    .az_new_token(situation)
    .dev_token()
}

fn encrypted(situation: &Situation<'_>) -> Advice {
    let api = situation.api();
    Advice::new(
        "The token is encrypted (JWE, five parts): the API's registration has a key for token \
         encryption, and this API cannot decrypt tokens.",
    )
    .portal(format!(
        "App registrations, the API ({api}), Manifest: set tokenEncryptionKeyId to null, and save. Then \
         get a new token."
    ))
    .az(format!("az ad app update --id {api} --set tokenEncryptionKeyId=null"))
    .dev_token()
}
