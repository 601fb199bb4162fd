//! App ID URIs in the settings.

use std::fs;

use serde_json::json;

use crate::support::test_name;

use super::{API, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn an_app_id_uri_of_the_settings_may_contain_the_client_id_that_is_not_known_yet() {
    for (form, is_default) in [
        ("api://${AAD_TENANT_ID}/${API_CLIENT_ID}", false),
        ("\"https://todo.contoso.example,api://localhost:3000/${API_CLIENT_ID}\"", false),
        ("api://${API_CLIENT_ID}", true),
    ] {
        let Some(setup) = Setup::new(test_name!()).await else { return };
        let tenant = entra_dev::ids::CONTOSO;
        let line = format!("APP_ID_URI={form}\n");
        let env = format!("AAD_TENANT_ID={tenant}\nAPI_CLIENT_ID=\n{line}");
        fs::write(setup.env_file(), env).unwrap();
        setup.run(&[]).assert_done();
        let client_id = setup.setting("API_CLIENT_ID");
        let uris = form.trim_matches('"').replace("${AAD_TENANT_ID}", tenant);
        let uris = uris.replace("${API_CLIENT_ID}", &client_id);
        let uris: Vec<_> = uris.split(',').collect();
        assert_eq!(setup.graph.application(API)["identifierUris"], json!(uris));
        assert!(setup.env().contains(&line), "{}", setup.env());
        assert_eq!(setup.graph.refused().len(), 0, "{:#?}", setup.graph.refused());
        assert_eq!(uris == [format!("api://{client_id}")], is_default);

        setup.graph.forget();
        setup.run(&[]).assert_done();
        assert_eq!(setup.graph.writes().len(), 0, "{:#?}", setup.graph.writes());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_app_id_uri_with_a_slash_at_the_end_stays() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let uri = "https://todo.contoso.example/";
    setup.run(&[]).assert_done();
    setup.graph.edit(API, |api| api["identifierUris"] = json!([uri]));
    fs::write(setup.env_file(), format!("{}APP_ID_URI={uri}\n", setup.env())).unwrap();
    setup.run(&[]).assert_done();
    assert_eq!(setup.graph.application(API)["identifierUris"], json!([uri]));
}
