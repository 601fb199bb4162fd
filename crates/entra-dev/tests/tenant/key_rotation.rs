//! Key rotation.

use entra_dev::ids::CONTOSO;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Answer, Form, PublishedKeys, TestTenant, new_folder, token_header};

const PATH: &str = "/_dev/keys/rotate";

#[tokio::test]
async fn with_an_overlap_the_old_key_stays_published() {
    let tenant = TestTenant::start().await;
    let before = PublishedKeys::of(&tenant).await;
    let [current, next, personal] = before.kids()[..] else { panic!("there are three keys") };
    let old = tenant.tenant.access_token("ada").unwrap();

    let answer = tenant.post_json(PATH, &json!({ "overlap": true })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let after = PublishedKeys::of(&tenant).await;
    assert_eq!(answer.json(), json!({ "signing": next, "published": after.kids() }));
    assert_eq!(after.kids().len(), 4);
    let [signing, new, retired, still] = after.kids()[..] else { panic!("there are four keys") };
    assert_eq!([signing, retired, still], [next, current, personal]);
    assert!(!before.kids().contains(&new), "the next one is new");
    assert_eq!(after.issuer(retired), before.issuer(current));

    assert_eq!(after.signer(&old), Some(current));
    let answer = tenant.sign_in(CONTOSO, &Form::authorization(), "ada").await;
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(token_header(token)["kid"], next);
    assert_eq!(after.signer(token), Some(next));
    // The key that signs now was published before.
    assert_eq!(before.signer(token), Some(next));
}

#[tokio::test]
async fn without_an_overlap_the_old_keys_are_removed() {
    let tenant = TestTenant::start().await;
    let first = PublishedKeys::of(&tenant).await.kids()[0].to_owned();
    let old = tenant.tenant.access_token("ada").unwrap();
    let form = Form::authorization().with("scope", "openid");
    let answer = tenant.sign_in(CONTOSO, &form, "ada").await;
    let for_graph = answer["access_token"].as_str().unwrap();
    assert_eq!(user_information(&tenant, for_graph).await, StatusCode::OK);

    tenant.tenant.rotate_keys(true).await.unwrap();
    assert_eq!(PublishedKeys::of(&tenant).await.kids().len(), 4);
    assert_eq!(user_information(&tenant, for_graph).await, StatusCode::OK);
    tenant.tenant.rotate_keys(false).await.unwrap();

    let after = PublishedKeys::of(&tenant).await;
    assert_eq!(after.kids().len(), 3);
    assert!(!after.kids().contains(&first.as_str()));
    assert_eq!(after.signer(&old), None);
    let new = tenant.tenant.access_token("ada").unwrap();
    assert_eq!(after.signer(&new), Some(after.kids()[0]));
    // The tenant itself does not accept them any more.
    assert_eq!(user_information(&tenant, for_graph).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_rotation_keeps_the_key_of_personal_accounts() {
    let tenant = TestTenant::start().await;
    let old = tenant.tenant.access_token("pia").unwrap();
    tenant.tenant.rotate_keys(false).await.unwrap();
    let keys = PublishedKeys::of(&tenant).await;
    assert_eq!(keys.signer(&old), keys.kids().last().copied());
}

#[tokio::test]
async fn a_restart_undoes_a_rotation() {
    let folder = new_folder();
    let first = TestTenant::start_in(folder.clone()).await;
    let before = PublishedKeys::of(&first).await;
    let old = first.tenant.access_token("ada").unwrap();
    first.tenant.rotate_keys(false).await.unwrap();
    assert_ne!(PublishedKeys::of(&first).await.kids(), before.kids());
    first.tenant.stop().await;

    let second = TestTenant::start_in(folder.clone()).await;
    let after = PublishedKeys::of(&second).await;
    assert_eq!(after.kids(), before.kids());
    assert_eq!(after.signer(&old), Some(before.kids()[0]));
    let new = second.tenant.access_token("ada").unwrap();
    assert_eq!(after.signer(&new), Some(before.kids()[0]));
    second.tenant.stop().await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn the_key_set_can_flap() {
    let tenant = TestTenant::start().await;
    let kids: Vec<_> =
        PublishedKeys::of(&tenant).await.kids().into_iter().map(str::to_owned).collect();
    let plan = json!({ "hide_signing_key": true, "every": 2 });
    tenant.put_json("/_dev/faults/keys", &plan).await.assert_done();
    for _ in 0..3 {
        assert_eq!(PublishedKeys::of(&tenant).await.kids(), kids);
        assert_eq!(
            PublishedKeys::of(&tenant).await.kids(),
            kids[1..],
            "the one that signs is hidden"
        );
    }
    let token = tenant.tenant.access_token("ada").unwrap();
    assert_eq!(PublishedKeys::of(&tenant).await.signer(&token), Some(kids[0].as_str()));
    assert_eq!(PublishedKeys::of(&tenant).await.signer(&token), None);
    tenant.delete("/_dev/faults/keys").await.assert_done();
    for _ in 0..2 {
        assert_eq!(PublishedKeys::of(&tenant).await.kids(), kids);
    }
}

#[tokio::test]
async fn a_rotation_without_overlap_parameter_is_refused() {
    let tenant = TestTenant::start().await;
    let before = PublishedKeys::of(&tenant).await;
    tenant.post_json(PATH, &json!({})).await.assert_problem(400, "missing field `overlap`");
    let twice = json!({ "overlap": true, "twice": true });
    tenant.post_json(PATH, &twice).await.assert_problem(400, "unknown field `twice`");
    let request = tenant.browser.post(tenant.url(PATH)).header("content-type", "text/plain");
    Answer::of(request.body("{\"overlap\":true}")).await.assert_problem(415, "application/json");
    assert_eq!(tenant.get(PATH).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(PublishedKeys::of(&tenant).await.kids(), before.kids());
}

async fn user_information(tenant: &TestTenant, token: &str) -> StatusCode {
    let request = tenant.browser.get(tenant.url("/oidc/userinfo")).bearer_auth(token);
    Answer::of(request).await.status
}
