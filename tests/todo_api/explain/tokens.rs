//! What the command says about each kind of token.

use std::path::Path;

use entra_dev::{DevTenant, Directory, Options, ids};
use poem_entra::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::support::Launch;

use super::{explain, forge};

/// A token, and what must be said about it.
struct Expected {
    name: &'static str,
    /// For the forge of the development tenant.
    token: Value,
    /// Settings besides those of the tenant Contoso.
    settings: &'static [(&'static str, &'static str)],
    arguments: &'static [&'static str],
    verdict: Verdict,
    /// The cause and the fix.
    says: &'static [&'static str],
}

enum Verdict {
    Accepted,
    /// By all operations except the one that requires the role Admin.
    AcceptedWithoutRole,
    /// With the title of this case.
    Refused(&'static str),
}

use Verdict::{Accepted, AcceptedWithoutRole, Refused};

impl Expected {
    /// What is wrong with the explanation of the forged token.
    fn faults(&self, tenant: &DevTenant) -> Option<String> {
        self.faults_with(tenant, &forge(tenant, &self.token))
    }

    /// The same for a token from elsewhere.
    fn faults_with(&self, tenant: &DevTenant, token: &str) -> Option<String> {
        let mut launch = Launch::serve(tenant.base_url());
        for (name, value) in self.settings {
            launch = launch.with(name, *value);
        }
        let explained = explain(&launch, &[&[token], self.arguments].concat());
        let (code, verdict) = match self.verdict {
            Accepted => (0, "ACCEPTED Judged as".to_owned()),
            AcceptedWithoutRole => (
                0,
                "ACCEPTED, but not for: deleteAllTodos (missing: the app role Admin) Judged as"
                    .to_owned(),
            ),
            Refused(title) => (1, format!("REFUSED: {title} Judged as")),
        };
        let mut lacks = explained.lacks(self.says);
        // The first line is the same.
        let line = verdict.trim_end_matches(" Judged as");
        if explained.text.lines().next() != Some(line) {
            lacks.push(format!("the first line {line}"));
        }
        lacks.extend(explained.lacks(&[&verdict]));
        let signature = token.rsplit('.').next().unwrap();
        let shows_token = !signature.is_empty() && explained.text.contains(signature);
        let ends_well = explained.code == Some(code) && explained.errors.is_empty() && !shows_token;
        let name = self.name;
        (!ends_well || !lacks.is_empty())
            .then(|| format!("{name} lacks {lacks:#?}, or shows the token: {explained:?}"))
    }
}

#[track_caller]
fn assert_none(faults: impl Iterator<Item = Option<String>>) {
    let faults: Vec<_> = faults.flatten().collect();
    assert!(faults.is_empty(), "{} wrong:\n{}", faults.len(), faults.join("\n"));
}

const WRONG_CLIENT_ID: &str = "1. In the settings of this API (.env): the token is for the app \
    88888888-8888-4888-8888-888888888888, but this API is configured as \
    33333333-3333-4333-8333-333333333333. If 88888888-8888-4888-8888-888888888888 is the Application \
    (client) ID of your API, set API_CLIENT_ID=88888888-8888-4888-8888-888888888888 and restart.";

/// Tokens at the API of the single tenant Contoso.
fn of_one_tenant() -> Vec<Expected> {
    let person = |name: &str| json!({ "person": name });
    let claims = |claims: Value| json!({ "person": "uma", "claims": claims });
    let case = |name, token, title, says| Expected {
        name,
        token,
        settings: &[],
        arguments: &[],
        verdict: Refused(title),
        says,
    };
    vec![
        case(
            "v1 token",
            json!({ "person": "uma", "version": 1 }),
            "v1 token",
            &[
                "its ver is 1.0",
                "Manifest: set requestedAccessTokenVersion, inside api, to 2",
                "az ad app update --id 33333333-3333-4333-8333-333333333333 --set \
                 api.requestedAccessTokenVersion=2",
                "not reached issuer the rule version is broken",
            ],
        ),
        case(
            "Graph token",
            json!({ "resource": "https://graph.microsoft.com" }),
            "Graph token",
            &[
                "only Graph can verify it",
                "Only tokens for Microsoft Graph have it",
                "aud https://graph.microsoft.com The app that the token is for (audience): Microsoft Graph",
                "request the scope api://33333333-3333-4333-8333-333333333333/access_as_user",
                "az account get-access-token --tenant 11111111-1111-4111-8111-111111111111 --scope \
                 api://33333333-3333-4333-8333-333333333333/access_as_user",
            ],
        ),
        case(
            "ID token of a client, without roles",
            json!({ "person": "noel", "kind": "id" }),
            "ID token",
            &[
                "never sent to an API. It has neither scopes nor app roles.",
                "send the access_token",
            ],
        ),
        case(
            "ID token for the API, with roles",
            json!({ "person": "uma", "kind": "id", "client": "Todo API" }),
            "ID token",
            &["It has app roles because", "if client and API share one registration"],
        ),
        case(
            "ID token for the API, without roles",
            json!({ "person": "noel", "kind": "id", "client": "Todo API" }),
            "ID token",
            &["It has neither scopes nor app roles."],
        ),
        Expected {
            settings: &[("APP_ID_URI", "https://api.contoso.example")],
            ..case(
                "audience in the form api://",
                claims(json!({ "aud": format!("api://{}", ids::API_CLIENT_ID) })),
                "Audience in another form",
                &[
                    "The aud is api://33333333-3333-4333-8333-333333333333, which this API does not \
                     list",
                    "APP_ID_URI=https://api.contoso.example,api://33333333-3333-4333-8333-333333333333",
                    "az ad app show --id 33333333-3333-4333-8333-333333333333 --query identifierUris",
                ],
            )
        },
        case(
            "audience that may be an own URI",
            claims(json!({ "aud": "https://api.contoso.example" })),
            "Audience in another form",
            &[
                "a v1 token by the App ID URI",
                "Expose an API: compare the Application ID URI with https://api.contoso.example",
                "APP_ID_URI=api://33333333-3333-4333-8333-333333333333,https://api.contoso.example",
            ],
        ),
        Expected {
            settings: &[("APP_ID_URI", "https://api.contoso.example")],
            verdict: AcceptedWithoutRole,
            ..case(
                "audience as a GUID",
                person("uma"),
                "",
                &["The app that the token is for (audience): this API.", "pass audience"],
            )
        },
        case(
            "audience of another app",
            json!({ "kind": "app", "client": "Nightly job", "resource": "Reports API" }),
            "Audience of another app",
            &[
                "its aud is 88888888-8888-4888-8888-888888888888, and this API is \
                 33333333-3333-4333-8333-333333333333",
                "In the portal (entra.microsoft.com): App registrations, the client \
                 (55555555-5555-4555-8555-555555555555), API permissions",
            ],
        ),
        case(
            "audience of the client itself",
            claims(json!({ "aud": ids::SWAGGER_UI_CLIENT_ID, "scp": null, "roles": null })),
            "Audience of another app",
            &[
                "That is the client itself: it requested its own client id as the scope",
                "In the portal (entra.microsoft.com): App registrations, the client (44444444",
            ],
        ),
        case(
            "scope of another API",
            json!({ "person": "uma", "resource": "Reports API" }),
            "Scope of another API",
            &[
                "its aud is 88888888-8888-4888-8888-888888888888, and this API is \
                 33333333-3333-4333-8333-333333333333. Its scp (read) lists scopes of 88888888",
                // Swagger UI requests tokens only for this API.
                WRONG_CLIENT_ID,
                "2. If API_CLIENT_ID is right, the client requested the wrong scope. App registrations, \
                 the client (44444444-4444-4444-8444-444444444444), API permissions",
                // Nothing is said about the scopes and roles of another API.
                "no listTodos GET /todoitems missing: an accepted token no createTodo",
            ],
        ),
        case(
            "scope of another API, of the same name",
            claims(json!({
                "aud": "88888888-8888-4888-8888-888888888888",
                "azp": "66666666-6666-4666-8666-666666666666",
            })),
            "Scope of another API",
            &["Its scp (access_as_user) lists scopes of 88888888", WRONG_CLIENT_ID],
        ),
        case(
            "scope of another API, for another client",
            claims(json!({
                "aud": "88888888-8888-4888-8888-888888888888",
                "azp": "66666666-6666-4666-8666-666666666666",
                "scp": "read",
            })),
            "Scope of another API",
            &["In the portal (entra.microsoft.com): App registrations, the client (66666666"],
        ),
        case(
            "wrong tenant",
            person("tia"),
            "Wrong tenant",
            &[
                "from the tenant 22222222-2222-4222-8222-222222222222, but this API serves only \
                 11111111-1111-4111-8111-111111111111",
                "Invite external user",
                "az login --tenant 11111111-1111-4111-8111-111111111111",
                "AAD_TENANT_ID=organizations",
            ],
        ),
        case(
            "personal account",
            person("pia"),
            "Personal account",
            &[
                "personal Microsoft account",
                "the one of all personal Microsoft accounts",
                "az ad app update --id 33333333-3333-4333-8333-333333333333 --sign-in-audience \
                 AzureADandPersonalMicrosoftAccount",
            ],
        ),
        Expected {
            verdict: AcceptedWithoutRole,
            ..case(
                "guest",
                person("gus"),
                "",
                &[
                    "The user is a guest of the tenant.",
                    "Note: Guest",
                    "app roles must be assigned",
                ],
            )
        },
        case(
            "missing scope",
            claims(json!({ "scp": "todos.read" })),
            "Missing scope",
            &[
                "its scp (todos.read) does not contain access_as_user",
                "if this is not the registration of your API, do not change it, because \
                 API_CLIENT_ID is wrong",
                "403 insufficient_scope",
                "missing: the scope access_as_user",
                "az ad app permission grant --id 44444444-4444-4444-8444-444444444444 --api \
                 33333333-3333-4333-8333-333333333333 --scope access_as_user",
            ],
        ),
        case(
            "a user's .default without consent",
            claims(json!({ "scp": null, "roles": null })),
            "No consent",
            &["With .default", "nobody has", "az ad app permission grant --id 44444444"],
        ),
        case(
            "an app's .default without consent",
            json!({ "kind": "app", "client": "Command line" }),
            "No consent",
            &[
                "Application permissions, then Grant admin consent",
                "az ad app permission admin-consent --id 66666666-6666-4666-8666-666666666666",
            ],
        ),
        case(
            "app-only token",
            json!({ "kind": "app", "client": "Nightly job" }),
            "App-only token",
            &[
                "acts for itself (client credentials), here 55555555-5555-4555-8555-555555555555",
                "sign a user in",
                "no listTodos GET /todoitems missing: a signed-in user",
                "403 insufficient_scope",
            ],
        ),
        Expected {
            arguments: &["--operation", "deleteAllTodos"],
            ..case(
                "missing app role",
                person("uma"),
                "Missing app role",
                &[
                    "There are four causes. Check them in this order",
                    "1. The role is not assigned to the user.",
                    "2. The role is assigned, but the token is older than the assignment: it was issued",
                    "so this is unlikely, unless you assigned the role within the last minutes. Sign \
                     out in the client",
                    "3. The role was created on the registration of the client instead of that of the \
                     API",
                    "4. The role is assigned to a group",
                    "members of nested groups get no roles",
                    "Enterprise applications, the API (33333333-3333-4333-8333-333333333333), Users and \
                     groups",
                    "users/0a000000-0000-4000-8000-000000000002/appRoleAssignments",
                    "no deleteAllTodos DELETE /todoitems missing: the app role Admin",
                    "FAIL policy The caller lacks the app role Admin.",
                ],
            )
        },
        Expected {
            arguments: &["--operation", "deleteAllTodos"],
            ..case(
                "missing app role in an older token",
                // Two hours and a half: there is time before it becomes "3 hours ago".
                claims(json!({ "iat": SystemClock.now() - 9_000 })),
                "Missing app role",
                &["it was issued 2 hours ago (", "UTC). Sign out in the client"],
            )
        },
        case(
            "expired",
            json!({ "person": "uma", "expires_in": -9_000 }),
            "Expired token",
            &[
                "The token expired 2 hours ago (20",
                "acquireTokenSilent",
                "FAIL lifetime The token has expired. (the rules below are shown as if this fault \
                 were gone) pass",
            ],
        ),
        case(
            "not yet valid",
            json!({ "person": "uma", "valid_in": 9_000 }),
            "Token not yet valid",
            &["valid only from a time in the future: in 2 hours", "timedatectl set-ntp true"],
        ),
        case(
            "key of another cloud",
            json!({ "person": "uma", "header": { "kid": "of-another-cloud" }, "claims": {
                "iss": "https://login.microsoftonline.us/11111111-1111-4111-8111-111111111111/v2.0",
            } }),
            "Unknown key of another cloud",
            &[
                "its iss is https://login.microsoftonline.us/",
                "az cloud set --name",
                "AAD_INSTANCE",
            ],
        ),
        case(
            "key of External ID",
            json!({ "person": "uma", "header": { "kid": "of-customers" }, "claims": {
                "iss": "https://f0f0f0f0-1111-4111-8111-111111111111.ciamlogin.com/\
                        f0f0f0f0-1111-4111-8111-111111111111/v2.0",
            } }),
            "Unknown key of External ID",
            &[
                "a tenant of External ID, for customers",
                "AAD_INSTANCE=https://f0f0f0f0-1111-4111-8111-111111111111.ciamlogin.com and \
                 AAD_TENANT_ID=f0f0f0f0-1111-4111-8111-111111111111",
            ],
        ),
        case(
            "key of another authority",
            json!({ "person": "uma", "header": { "kid": "of-another" }, "claims": {
                "iss": "https://auth.example",
            } }),
            "Unknown key of another authority",
            &[
                "its iss is https://auth.example",
                "In the client, use the authority http://localhost:",
            ],
        ),
        case(
            "signature of somebody else",
            json!({ "person": "uma", "signed_with": "stranger" }),
            "Broken signature",
            &[
                "at least one character was changed",
                "Claims (not verified: anybody could have written them)",
                "not reached audience the rule signature is broken",
            ],
        ),
        case(
            "encrypted",
            json!({ "person": "uma", "encrypted": true }),
            "Encrypted token",
            &[
                "encrypted (JWE, five parts)",
                "az ad app update --id 33333333-3333-4333-8333-333333333333 --set \
                 tokenEncryptionKeyId=null",
            ],
        ),
        case(
            "bound to a certificate",
            claims(json!({ "cnf": { "x5t#S256": "x" } })),
            "Bound token",
            &[
                "bound to a key or a certificate of the client (cnf)",
                "turn off proof of possession",
            ],
        ),
        Expected {
            verdict: AcceptedWithoutRole,
            ..case(
                "agent",
                claims(json!({ "xms_act_fct": "3 9 11", "xms_sub_fct": "3" })),
                "",
                &["Note: Agent", "The operations of this API admit agents"],
            )
        },
        case(
            "device",
            claims(json!({ "idtyp": "device" })),
            "Device token",
            &["The idtyp is device", "sign a user in and request the scope api://"],
        ),
        Expected {
            verdict: AcceptedWithoutRole,
            ..case(
                "groups overage",
                claims(json!({ "groups": null, "_claim_names": { "groups": "src1" } })),
                "",
                &["Note: Groups overage", "more groups than the token can list"],
            )
        },
        case(
            "not signed",
            json!({ "signed_with": "nothing" }),
            "Header that Entra does not write",
            &["Entra signs access tokens with RS256."],
        ),
        case(
            "signed with the public key",
            json!({ "signed_with": "hmac" }),
            "Header that Entra does not write",
            &["The token's alg is not accepted.", "Expected: RS256 Received: HS256"],
        ),
        case(
            "key of another issuer",
            json!({ "person": "uma", "signed_with": "personal" }),
            "Key of another issuer",
            &["binds the key that signed the token to another issuer or cloud"],
        ),
        case(
            "wrong issuer",
            claims(json!({ "iss": "https://evil.example" })),
            "Wrong issuer",
            &["The iss is https://evil.example, which is not the issuer", "FAIL issuer"],
        ),
        case(
            "malformed claim",
            claims(json!({ "exp": "tomorrow" })),
            "Missing or malformed claim",
            &["The token's exp is not a date in seconds.", "Not a date"],
        ),
        Expected {
            verdict: Accepted,
            ..case(
                "everything allowed",
                person("ada"),
                "",
                &[
                    "yes deleteAllTodos DELETE /todoitems",
                    "yes getHealth GET /health anyone, also without a token",
                    "only the todo's owner, or users with the app role Admin or Auditor",
                    "pass caller_kind",
                    "not judged policy each operation has its own policy (see Operations below)",
                    "not judged not_revoked only the running server knows whom it has revoked",
                ],
            )
        },
        Expected {
            verdict: AcceptedWithoutRole,
            ..case(
                "one operation refused",
                person("noel"),
                "",
                &[
                    "no deleteAllTodos DELETE /todoitems missing: the app role Admin",
                    "Why deleteAllTodos is refused, and what helps Missing app role",
                ],
            )
        },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_token_has_its_own_explanation() {
    let tenant = DevTenant::start().await.unwrap();
    let cases = of_one_tenant();
    assert!(cases.len() >= 30, "{}", cases.len());
    assert_none(cases.iter().map(|case| case.faults(&tenant)));
}

/// The settings of an API for several tenants.
const SEVERAL: &[(&str, &str)] = &[
    ("AAD_TENANT_ID", "organizations"),
    ("ALLOWED_TENANTS", "11111111-1111-4111-8111-111111111111"),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_api_for_several_tenants_says_which_ones_it_admits() {
    let tenant = DevTenant::start().await.unwrap();
    let case = |name, person, title, says| Expected {
        name,
        token: json!({ "person": person }),
        settings: SEVERAL,
        arguments: &[],
        verdict: Refused(title),
        says,
    };
    let cases = [
        case(
            "tenant not allowed",
            "tia",
            "Tenant not allowed",
            &[
                "not in the list of tenants that this API admits (11111111-1111-4111-8111-111111111111)",
                "/22222222-2222-4222-8222-222222222222/adminconsent?client_id=44444444",
                "ALLOWED_TENANTS=11111111-1111-4111-8111-111111111111,\
                 22222222-2222-4222-8222-222222222222",
            ],
        ),
        case(
            "personal account",
            "pia",
            "Personal account",
            &["This API admits only work and school accounts (organizations)."],
        ),
        Expected {
            verdict: AcceptedWithoutRole,
            ..case("own tenant", "uma", "", &["pass tenant"])
        },
    ];
    assert_none(cases.iter().map(|case| case.faults(&tenant)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_key_is_explained_as_a_rotation() {
    let tenant = DevTenant::start().await.unwrap();
    let token = tenant.access_token("uma").unwrap();
    tenant.rotate_keys(false).await.unwrap();
    let expected = Expected {
        name: "withdrawn key",
        token: Value::Null,
        settings: &[],
        arguments: &[],
        verdict: Refused("Unknown key after a rotation"),
        says: &[
            "does not publish the key",
            "it has rotated its keys",
            "Get a new token.",
            "CLAIMS_MAPPING=true, if new tokens are refused too and the API has its own signing key",
        ],
    };
    assert_none([expected.faults_with(&tenant, &token)].into_iter());
    // With the setting, nothing else is left to say about it.
    let launch = Launch::serve(tenant.base_url()).with("CLAIMS_MAPPING", "true");
    let explained = explain(&launch, &[&token]);
    explained.assert_says(&["it has rotated its keys"], "with CLAIMS_MAPPING");
    assert!(!explained.text.contains("CLAIMS_MAPPING"), "{explained:?}");
}

/// The authority is asked for the keys of the app, so this is not a guess.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_api_itself_is_found_at_the_authority() {
    let text = Directory::EXAMPLE
        .replace("name = \"Todo API\"\n", "name = \"Todo API\"\nown_signing_key = true\n");
    let directory = Directory::parse(&text, Path::new("")).unwrap();
    let options = Options { directory, ..Options::ephemeral() };
    let tenant = DevTenant::start_with(options).await.unwrap();
    let token = tenant.access_token("uma").unwrap();
    let expected = Expected {
        name: "own signing key",
        token: Value::Null,
        settings: &[],
        arguments: &[],
        verdict: Refused("Unknown key of the API itself"),
        says: &["claims mapping policy", "CLAIMS_MAPPING=true", "az ad sp show --id 33333333"],
    };
    assert_none([expected.faults_with(&tenant, &token)].into_iter());
    let fixed = Expected {
        settings: &[("CLAIMS_MAPPING", "true")],
        verdict: AcceptedWithoutRole,
        says: &["pass signing_key"],
        ..expected
    };
    assert_none([fixed.faults_with(&tenant, &token)].into_iter());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_token_is_told_from_a_forged_one() {
    let tenant = DevTenant::start().await.unwrap();
    let token = tenant.access_token("uma").unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let changed = format!("{message}.{other}{}", &signature[1..]);
    let (header, payload) = message.split_once('.').unwrap();
    let cases = [
        ("a changed character", &*changed, "Broken signature", &["was changed"][..]),
        (
            "without the end of the signature",
            &token[..token.len() - 20],
            "Truncated token",
            &["The end of the token is missing", "the signature, is too short"],
        ),
        (
            // The rest is valid base64url, so the rule about the format is not broken.
            "without the last 22 characters",
            &token[..token.len() - 22],
            "Truncated token",
            &["FAIL signature", "the signature, is too short"],
        ),
        (
            "without one character",
            &token[..token.len() - 1],
            "Truncated token",
            &["The end of the token is missing"],
        ),
        ("without a signature", message, "Truncated token", &["it has 2 of 3 parts"]),
        (
            "without the end of the payload",
            &format!("{header}.{}", &payload[..payload.len() / 2]),
            "Truncated token",
            &["it has 2 of 3 parts", "alg RS256"],
        ),
        ("only the header", header, "Truncated token", &["it has 1 of 3 parts"]),
        ("an opaque token", "EwBwA8l6BAAU", "Not a JWT", &["may be an opaque token"]),
        (
            "another scheme",
            &format!("Authorization: PoP {token}"),
            "Another authentication scheme",
            &[
                "has the scheme PoP instead of Bearer",
                "401 missing_token",
                "FAIL authorization_header",
            ],
        ),
        (
            "no scheme",
            &format!("Authorization: {token}"),
            "Another authentication scheme",
            &["The Authorization header does not begin with a known scheme."],
        ),
    ];
    assert_none(cases.into_iter().map(|(name, token, title, says)| {
        let (settings, arguments) = (&[], &[]);
        let verdict = Refused(title);
        let expected = Expected { name, token: Value::Null, settings, arguments, verdict, says };
        expected.faults_with(&tenant, token)
    }));
}
