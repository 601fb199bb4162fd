//! Client assertions.

use std::{path::Path, sync::LazyLock};

use aws_lc_rs::{
    hmac,
    signature::{self, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use entra_dev::{
    Directory, Options,
    ids::{API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID},
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use signature::KeyPair as _;

use crate::support::{
    Answer, Credential, Form, NATIVE, NOW, TestTenant, UNKNOWN_CLIENT_ID, claims, new_folder,
    shared_keys, unsigned,
};

const ROBOT: &str = "c2000000-0000-4000-8000-000000000001";

static ROBOTS: LazyLock<Credential> = LazyLock::new(Credential::generate);
static STRANGERS: LazyLock<Credential> = LazyLock::new(Credential::generate);

async fn start() -> TestTenant {
    let options = Options { directory: directory(), ..Options::ephemeral() };
    TestTenant::start_with(shared_keys(), options).await
}

fn directory() -> Directory {
    let robot = format!(
        "[[apps]]\nclient_id = \"{ROBOT}\"\nname = \"Robot\"\ntenant = \"Contoso\"\n\
         certificates = [\"\"\"{}\"\"\"]\n",
        ROBOTS.pem
    );
    Directory::parse(&format!("{}\n{robot}", Directory::EXAMPLE), Path::new("")).unwrap()
}

fn right(tenant: &TestTenant) -> Value {
    json!({
        "aud": tenant.url(&format!("/{CONTOSO}/oauth2/v2.0/token")),
        "iss": ROBOT,
        "sub": ROBOT,
        "jti": "1",
        "nbf": NOW,
        "exp": NOW + 600,
    })
}

fn request(assertion: &str) -> Form {
    Form::empty()
        .with("grant_type", "client_credentials")
        .with("client_id", ROBOT)
        .with("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .with("client_assertion", assertion)
        .with("scope", &format!("{API_CLIENT_ID}/.default"))
}

#[tokio::test]
async fn the_audience_may_have_any_name_of_the_tenant() {
    let answer_to = vec!["entra-dev".parse().unwrap()];
    let directory = directory();
    let options = Options { answer_to, directory, ..Options::ephemeral() };
    let named = TestTenant::start_with(new_folder(), options).await;
    let local = start().await;
    for (audience, expected) in [
        ("http://entra-dev:8001", [200, 401]),
        ("https://entra-dev:8443", [200, 401]),
        ("https://evil.example", [401, 401]),
        ("https://entra-dev.evil.example", [401, 401]),
        ("https://entra-dev@evil.example", [401, 401]),
    ] {
        for (tenant, status) in [&named, &local].into_iter().zip(expected) {
            for path in ["oauth2/v2.0/token", "v2.0"] {
                let mut claims = right(tenant);
                claims["aud"] = format!("{audience}/{CONTOSO}/{path}").into();
                let answer = present(tenant, &ROBOTS.rs256(&claims)).await;
                assert_eq!(answer.status, status, "{audience} {}", answer.body);
            }
        }
    }
}

async fn ask(tenant: &TestTenant, form: &Form) -> Answer {
    Answer::of(form.on(tenant.token_request(CONTOSO))).await
}

async fn present(tenant: &TestTenant, assertion: &str) -> Answer {
    ask(tenant, &request(assertion)).await
}

#[tokio::test]
async fn an_assertion_may_use_any_thumbprint_of_its_certificate() {
    let tenant = start().await;
    let robot = &*ROBOTS;
    for header in [
        json!({ "alg": "RS256", "typ": "JWT", "x5t": robot.sha1() }),
        json!({ "alg": "RS256", "x5t": format!("{}=", robot.sha1()) }),
        json!({ "alg": "RS256", "x5t#S256": robot.sha256() }),
        json!({ "alg": "RS256", "kid": robot.sha1() }),
        json!({ "alg": "RS256", "kid": robot.hexadecimal() }),
        json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": robot.sha256() }),
        json!({ "alg": "PS256", "x5t#S256": format!("{}=", robot.sha256()), "x5c": ["MII"] }),
    ] {
        let padding: &'static dyn RsaEncoding =
            if header["alg"] == "RS256" { &RSA_PKCS1_SHA256 } else { &RSA_PSS_SHA256 };
        let assertion = robot.sign(padding, &header, &right(&tenant));
        let answer = present(&tenant, &assertion).await;
        assert_eq!(answer.status, StatusCode::OK, "{header}: {}", answer.body);
        let claims = claims(&answer.json(), "access_token");
        assert_eq!(claims["azp"], ROBOT);
        assert_eq!(claims["azpacr"], "2");
        // The assertion contains the client id.
        let answer = ask(&tenant, &request(&assertion).without("client_id")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }
}

/// Exactly the assertion of MSAL for .NET 4.92: PS256, `x5t#S256` without `kid`, `x5c` as one
/// string, times as strings, and no `iat`.
#[tokio::test]
async fn an_assertion_of_msal_for_net_is_accepted() {
    let tenant = start().await;
    let robot = &*ROBOTS;
    let header = json!({
        "alg": "PS256",
        "typ": "JWT",
        "x5t#S256": robot.sha256(),
        "x5c": BASE64_STANDARD.encode(&robot.der),
    });
    let claims = json!({
        "aud": tenant.url(&format!("/{CONTOSO}/oauth2/v2.0/token")),
        "exp": (NOW + 600).to_string(),
        "iss": ROBOT,
        "jti": "6b2b0c7e-2b4c-4c7e-9d0a-1f2e3d4c5b6a",
        "nbf": NOW.to_string(),
        "sub": ROBOT,
    });
    let answer = present(&tenant, &robot.sign(&RSA_PSS_SHA256, &header, &claims)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(self::claims(&answer.json(), "access_token")["azpacr"], "2");
    for (reason, header, signer) in [
        (
            "the thumbprint of another certificate",
            json!({ "alg": "PS256", "x5t#S256": STRANGERS.sha256(), "x5c": header["x5c"] }),
            robot,
        ),
        ("only the certificate itself", json!({ "alg": "PS256", "x5c": header["x5c"] }), robot),
        ("a stranger's signature", header.clone(), &*STRANGERS),
    ] {
        let answer = present(&tenant, &signer.sign(&RSA_PSS_SHA256, &header, &claims)).await;
        assert_eq!(answer.status, 401, "{reason}");
        answer.assert_refusal(401, "invalid_client", 700_027);
    }
}

#[tokio::test]
async fn an_assertion_with_an_unknown_key_or_signature_is_refused() {
    let tenant = start().await;
    let (robot, claims) = (&*ROBOTS, right(&tenant));
    let header = json!({ "alg": "RS256", "x5t": robot.sha1() });
    let honest = robot.rs256(&claims);
    let (signed, signature) = honest.rsplit_once('.').unwrap();
    let other_claims = unsigned(&header, &json!({ "iss": ROBOT, "sub": ROBOT }));
    let as_ps256 = json!({ "alg": "PS256", "x5t": robot.sha1() });
    let sign = |header: Value| robot.sign(&RSA_PKCS1_SHA256, &header, &claims);
    for (reason, assertion) in [
        ("a stranger's signature", STRANGERS.sign(&RSA_PKCS1_SHA256, &header, &claims)),
        ("a stranger's key", STRANGERS.rs256(&claims)),
        ("other claims", format!("{other_claims}.{signature}")),
        ("no signature", format!("{signed}.")),
        ("another padding", sign(as_ps256)),
        ("no name", sign(json!({ "alg": "RS256" }))),
        ("no name of text", sign(json!({ "alg": "RS256", "x5t": 1 }))),
        ("no algorithm", sign(json!({ "x5t": robot.sha1() }))),
    ] {
        let answer = present(&tenant, &assertion).await;
        assert_eq!(answer.status, 401, "{reason}");
        answer.assert_refusal(401, "invalid_client", 700_027);
    }
    for no_jwt in ["robot", signed] {
        present(&tenant, no_jwt).await.assert_refusal(400, "invalid_request", 50027);
    }
}

#[tokio::test]
async fn an_assertion_with_a_weaker_algorithm_is_refused() {
    let tenant = start().await;
    let (robot, claims) = (&*ROBOTS, right(&tenant));
    let message = unsigned(&json!({ "alg": "HS256", "x5t": robot.sha1() }), &claims);
    for public in [robot.pem.as_bytes(), &robot.der, robot.key.public_key().as_ref()] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, public);
        let tag = BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes()));
        let answer = present(&tenant, &format!("{message}.{tag}")).await;
        answer.assert_refusal(401, "invalid_client", 700_027);
    }
    for none in ["none", "None", "NONE", ""] {
        let message = unsigned(&json!({ "alg": none, "x5t": robot.sha1() }), &claims);
        let answer = present(&tenant, &format!("{message}.")).await;
        answer.assert_refusal(401, "invalid_client", 700_027);
    }
}

#[tokio::test]
async fn an_assertion_for_another_client_is_refused() {
    let tenant = start().await;
    for (name, value) in [
        ("iss", json!(UNKNOWN_CLIENT_ID)),
        ("sub", json!(DAEMON_CLIENT_ID)),
        ("iss", Value::Null),
        ("sub", json!([ROBOT])),
    ] {
        let mut claims = right(&tenant);
        claims[name] = value;
        let answer = present(&tenant, &ROBOTS.rs256(&claims)).await;
        answer.assert_refusal(401, "invalid_client", 700_021);
    }
}

#[tokio::test]
async fn an_assertion_for_another_audience_is_refused() {
    let tenant = start().await;
    let base_url = tenant.tenant.base_url().to_owned();
    let https_url = tenant.tenant.https_url().unwrap();
    for (audience, accepted) in [
        (format!("{base_url}/contoso.example/oauth2/v2.0/token"), true),
        (format!("{base_url}/{CONTOSO}/v2.0"), true),
        (format!("{base_url}/common/oauth2/v2.0/token"), true),
        (format!("{https_url}/{CONTOSO}/oauth2/v2.0/token"), true),
        (format!("https://login.microsoftonline.com/{CONTOSO}/oauth2/v2.0/token"), false),
        (format!("{base_url}.evil.example/{CONTOSO}/oauth2/v2.0/token"), false),
        (format!("{base_url}/nowhere/oauth2/v2.0/token"), false),
        (format!("{base_url}/{CONTOSO}/oauth2/v2.0/authorize"), false),
        (base_url.clone(), false),
        (String::new(), false),
    ] {
        let mut claims = right(&tenant);
        claims["aud"] = json!(audience);
        let answer = present(&tenant, &ROBOTS.rs256(&claims)).await;
        if accepted {
            assert_eq!(answer.status, StatusCode::OK, "{audience}: {}", answer.body);
        } else {
            answer.assert_refusal(401, "invalid_client", 700_023);
        }
    }
}

#[tokio::test]
async fn assertion_times_have_five_minutes_of_skew() {
    let tenant = start().await;
    for (nbf, exp, accepted) in [
        (json!(NOW + 300), json!(NOW + 900), true),
        (json!(NOW + 301), json!(NOW + 900), false),
        (json!(NOW - 900), json!(NOW - 299), true),
        (json!(NOW - 900), json!(NOW - 300), false),
        // azure-identity sends fractions of a second.
        (json!(1_795_557_600.25), json!(1_795_558_200.75), true),
        (Value::Null, json!(NOW + 600), true),
        (json!(NOW), Value::Null, false),
        // MSAL for .NET sends strings.
        (json!((NOW + 300).to_string()), json!((NOW + 900).to_string()), true),
        (json!((NOW + 301).to_string()), json!((NOW + 900).to_string()), false),
        (json!((NOW - 900).to_string()), json!((NOW - 300).to_string()), false),
        (json!(NOW), json!(""), false),
        (json!(NOW), json!("tomorrow"), false),
        (json!(NOW), json!(format!("+{}", NOW + 600)), false),
        (json!(NOW), json!(format!(" {}", NOW + 600)), false),
        (json!(NOW), json!("-1"), false),
        (json!(NOW), json!(-1), false),
    ] {
        let mut claims = right(&tenant);
        claims["nbf"] = nbf;
        claims["exp"] = exp;
        let answer = present(&tenant, &ROBOTS.rs256(&claims)).await;
        if accepted {
            assert_eq!(answer.status, StatusCode::OK, "{claims}: {}", answer.body);
        } else {
            answer.assert_refusal(401, "invalid_client", 700_024);
        }
    }
}

#[tokio::test]
async fn an_assertion_needs_its_type_and_a_registered_certificate() {
    let tenant = start().await;
    let form = request(&ROBOTS.rs256(&right(&tenant)));
    let untyped = form.clone().without("client_assertion_type");
    ask(&tenant, &untyped).await.assert_refusal(400, "invalid_request", 900_144);
    let other = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
    let saml = form.clone().with("client_assertion_type", other);
    ask(&tenant, &saml).await.assert_refusal(401, "invalid_client", 700_027);
    let daemon = form.clone().with("client_id", DAEMON_CLIENT_ID);
    ask(&tenant, &daemon).await.assert_refusal(401, "invalid_client", 700_027);
    let public = form.with("client_id", NATIVE.client_id);
    ask(&tenant, &public).await.assert_refusal(401, "invalid_client", 700_025);
}
