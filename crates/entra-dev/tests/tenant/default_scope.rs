//! The scope `.default`, which must be the only scope of an API.

use entra_dev::ids::{API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET};

use crate::support::{
    Answer, Form, MANY_SCOPES, MANY_SCOPES_ENTRIES, NATIVE, SINGLE_PAGE, TestTenant,
    client_credentials, on_behalf_of,
};

/// The app would get the other permission anyway, if it has consent for it.
#[tokio::test]
async fn the_default_scope_cannot_be_combined() {
    let tenant = TestTenant::start_having(MANY_SCOPES_ENTRIES).await;
    let default = format!("{MANY_SCOPES}/.default");
    let todo = format!("api://{API_CLIENT_ID}");
    for scope in [
        format!("{default} User.Read"),
        format!("{default} {MANY_SCOPES}/read"),
        format!("{MANY_SCOPES}/read openid {default}"),
        format!("{default} {todo}/access_as_user"),
        format!("{default} {todo}/.default"),
        format!("{MANY_SCOPES}/.Default offline_access user.read"),
        ".default User.Read".to_owned(),
    ] {
        let form = Form::authorization().with("scope", &scope);
        let answer = tenant.authorize(CONTOSO, &form).await;
        answer.assert_redirected_refusal("invalid_scope", 70011);
        let description = answer.redirect_parameter("error_description").unwrap();
        assert!(description.contains("can't be combined"), "{description}");
        let url = tenant.url(&format!("/{CONTOSO}/v2.0/adminconsent"));
        Answer::of(form.on(tenant.browser.post(url))).await.assert_page_refusal(70011);

        let code = Form::redemption(&tenant.code("uma").await).with("scope", &scope);
        tenant.redeem(CONTOSO, &code).await.assert_refusal(400, "invalid_scope", 70011);
        let lasting = Form::authorization().with("scope", "openid offline_access");
        let refresh_token = tenant.sign_in(CONTOSO, &lasting, "uma").await["refresh_token"].clone();
        let renewal = SINGLE_PAGE.renewal(refresh_token.as_str().unwrap());
        let renewal = renewal.without("client_secret").with("scope", &scope);
        tenant.redeem(CONTOSO, &renewal).await.assert_refusal(400, "invalid_scope", 70011);
        for (endpoint, form) in [
            ("token", client_credentials(DAEMON_CLIENT_ID, DAEMON_SECRET, &scope)),
            ("token", on_behalf_of(&uma(&tenant), &scope)),
            ("devicecode", device(&scope)),
        ] {
            let answer = tenant.post(endpoint, &form).await;
            answer.assert_refusal(400, "invalid_scope", 70011);
        }
    }
}

fn uma(tenant: &TestTenant) -> String {
    tenant.tenant.access_token("uma").unwrap()
}

fn device(scope: &str) -> Form {
    Form::empty().with("client_id", NATIVE.client_id).with("scope", scope)
}
