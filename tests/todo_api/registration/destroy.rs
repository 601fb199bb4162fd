//! `--destroy`: deletes what the command created, and nothing else.

use std::io::{BufRead, BufReader, Write};

use serde_json::{Value, json};

use crate::{
    register::{EVERYTHING, Run, Setup},
    support::{
        graph::{Fault, Moment},
        test_name,
    },
};

impl Setup {
    /// Runs `--destroy` with this answer to its question.
    fn destroy(&self, answer: &str) -> Run {
        let arguments = ["register", "--graph-url", self.graph.url(), "--destroy"];
        let output = self.launch.run_with_input(self.folder.path(), &arguments, answer.as_bytes());
        Run::of(&output)
    }

    /// Runs `--destroy`, does this while it waits for the answer, and answers yes.
    fn destroy_after(&self, change: impl FnOnce()) -> Run {
        let mut process = self.begin(&["--destroy"]);
        let mut stderr = BufReader::new(process.stderr.take().unwrap()).lines();
        assert!(stderr.any(|line| line.unwrap().contains("Type yes:")));
        change();
        process.stdin.take().unwrap().write_all(b"yes\n").unwrap();
        let after: Vec<_> = stderr.map(Result::unwrap).collect();
        let run = Run::of(&process.wait_with_output().unwrap());
        Run { stderr: after.join("\n"), ..run }
    }

    /// The member `api` of the registration with this client id.
    fn api_of(&self, client_id: &str) -> Value {
        self.graph.application_with("appId", client_id)["api"].clone()
    }

    /// Adds the API's registration by hand, puts its client id into `.env`, and returns the id.
    fn add_api_by_hand(&self) -> String {
        let by_hand = self.graph.add_application(&json!({ "displayName": "Todo API" }));
        let client_id = by_hand["appId"].as_str().unwrap();
        std::fs::write(self.env_file(), format!("API_CLIENT_ID={client_id}\n")).unwrap();
        client_id.to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_asks_and_then_deletes_what_it_created() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let empty = setup.graph.registrations();
    setup.run(EVERYTHING).assert_done();
    setup.graph.forget();
    for answer in ["", "no\n", "y\n"] {
        let run = setup.destroy(answer);
        run.assert_failed(&["Type yes:", "not confirmed", "Nothing was changed."]);
        assert_eq!(setup.graph.writes().len(), 0, "{answer:?}");
    }
    let run = setup.destroy("yes\n");
    run.assert_done();
    assert_eq!(setup.graph.registrations(), empty);
    assert!(run.stdout.contains("deleted Todo API - Swagger UI\n"), "{run:#?}");
    for setting in ["API_CLIENT_ID", "SWAGGER_UI_CLIENT_ID", "API_CLIENT_SECRET"] {
        assert!(setup.env().contains(&format!("{setting}=\n")), "{}", setup.env());
    }

    let again = setup.run(&["--destroy", "--yes"]);
    again.assert_done();
    assert!(again.stdout.contains("Nothing to delete."), "{again:#?}");

    // The names are free again.
    setup.run(EVERYTHING).assert_done();
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_in_capital_letters_are_the_same_ids() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.run(&["--with-secret"]).assert_done();
    let mut env = setup.env();
    for setting in ["API_CLIENT_ID", "SWAGGER_UI_CLIENT_ID"] {
        let id = setup.setting(setting);
        env = env.replace(&id, &id.to_ascii_uppercase());
    }
    std::fs::write(setup.env_file(), env).unwrap();
    setup.run(&["--destroy", "--yes"]).assert_done();
    for setting in ["API_CLIENT_ID", "SWAGGER_UI_CLIENT_ID", "API_CLIENT_SECRET"] {
        assert_eq!(setup.setting(setting), "", "{setting}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_deletion_is_completed() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let empty = setup.graph.registrations();
    let destroy = ["--destroy", "--yes"];
    setup.run(EVERYTHING).assert_done();
    setup.graph.forget();
    setup.run(&destroy).assert_done();
    let calls = setup.graph.calls();
    let writes: Vec<_> = (1..).zip(&calls).filter(|(_, call)| call.is_write()).collect();
    assert_eq!(writes.len(), 4, "two for each registration: {calls:#?}");
    for (number, call) in writes {
        setup.run(EVERYTHING).assert_done();
        setup.graph.forget();
        setup.graph.fail_at(number, Fault::Drop(Moment::After));
        let first = setup.run(&destroy);
        assert_eq!(first.code, Some(1), "{call:?}: {first:#?}");
        setup.run(&destroy).assert_done();
        assert_eq!(setup.graph.registrations(), empty, "{call:?}");
        for setting in ["API_CLIENT_ID", "SWAGGER_UI_CLIENT_ID", "API_CLIENT_SECRET"] {
            assert_eq!(setup.setting(setting), "", "{call:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_deletion_is_completed_whatever_the_app_id_uri_is() {
    for uri in ["api://${API_CLIENT_ID}", "api://"] {
        let Some(setup) = Setup::new(test_name!()).await else { return };
        let empty = setup.graph.registrations();
        setup.run(&[]).assert_done();
        std::fs::write(setup.env_file(), format!("{}APP_ID_URI={uri}\n", setup.env())).unwrap();
        setup.graph.forget();
        setup.graph.fail_on("DELETE", "/directory", [Fault::Status(Moment::Before, 500)]);
        let first = setup.run(&["--destroy", "--yes"]);
        assert_eq!(first.code, Some(1), "{first:#?}");
        assert_eq!(setup.setting("API_CLIENT_ID"), "");
        setup.run(&["--destroy", "--yes"]).assert_done();
        assert_eq!(setup.graph.registrations(), empty);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_a_person_created_stays() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let client_id = setup.add_api_by_hand();
    let arguments = ["--audience", "any-org"];
    setup.run(&arguments).assert_done();
    let own_client = setup.setting("SWAGGER_UI_CLIENT_ID");
    let clients = |list: &str| setup.api_of(&client_id)[list].clone();
    assert_eq!(clients("preAuthorizedApplications")[0]["appId"], own_client);
    assert_eq!(clients("knownClientApplications"), json!([own_client]));

    let run = setup.run(&["--destroy", "--yes"]);
    run.assert_done();
    let kept = format!("keep Todo API ({client_id}): it was not created by this command");
    assert!(run.stdout.contains(&kept), "{run:#?}");
    let change = "  change the registration Todo API: pre-authorized clients, known clients\n";
    assert!(run.stdout.contains(change), "{run:#?}");
    assert_eq!(setup.setting("API_CLIENT_ID"), client_id);
    assert_eq!(setup.setting("SWAGGER_UI_CLIENT_ID"), "");
    assert_eq!(clients("preAuthorizedApplications"), json!([]));
    assert_eq!(clients("knownClientApplications"), json!([]));

    // The client can be created again.
    setup.run(&arguments).assert_done();
    let own_client = setup.setting("SWAGGER_UI_CLIENT_ID");
    assert_eq!(clients("knownClientApplications"), json!([own_client]));
    assert_eq!(setup.graph.refused().len(), 0, "{:#?}", setup.graph.refused());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_a_person_adds_during_the_confirmation_stays() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let client_id = setup.add_api_by_hand();
    setup.run(&[]).assert_done();
    let scope = setup.api_of(&client_id)["oauth2PermissionScopes"][0]["id"].clone();
    let other = setup.graph.add_application(&json!({ "displayName": "Other" }));
    let other = json!({ "appId": other["appId"], "delegatedPermissionIds": [scope] });
    let add = |application: &mut Value| {
        let clients = application["api"]["preAuthorizedApplications"].as_array_mut().unwrap();
        clients.push(other.clone());
    };
    let run = setup.destroy_after(|| setup.graph.edit_with("appId", &client_id, add));
    run.assert_done();
    assert_eq!(setup.api_of(&client_id)["preAuthorizedApplications"], json!([other]));
    assert_eq!(setup.setting("SWAGGER_UI_CLIENT_ID"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_registration_that_does_not_name_the_client_any_more_is_not_changed() {
    for is_gone in [false, true] {
        let Some(setup) = Setup::new(test_name!()).await else { return };
        let client_id = setup.add_api_by_hand();
        setup.run(&[]).assert_done();
        setup.graph.forget();
        let change = |application: &mut Value| match is_gone {
            true => application["appId"] = json!("33333333-0000-4000-8000-000000000001"),
            false => application["api"]["preAuthorizedApplications"] = json!([]),
        };
        let run = setup.destroy_after(|| setup.graph.edit_with("appId", &client_id, change));
        run.assert_done();
        let writes = setup.graph.writes();
        assert!(writes.iter().all(|call| call.method == "DELETE"), "{writes:#?}");
        assert_eq!(setup.setting("SWAGGER_UI_CLIENT_ID"), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_registration_that_the_account_may_not_change_does_not_stop_the_deletion() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let client_id = setup.add_api_by_hand();
    setup.run(&[]).assert_done();
    let own_client = setup.setting("SWAGGER_UI_CLIENT_ID");
    setup.graph.forget();
    setup.graph.fail_on("PATCH", "/applications", [Fault::Status(Moment::Before, 403)]);
    let run = setup.run(&["--destroy", "--yes"]);
    run.assert_done();
    let note = format!(
        "this account may not change the registration Todo API: pre-authorized clients. Remove the \
         id {own_client} by hand from the registration Todo API ({client_id})"
    );
    assert!(run.stderr.contains(&note), "{run:#?}");
    assert!(run.stderr.contains("under Expose an API"), "{run:#?}");
    assert_eq!(setup.api_of(&client_id)["preAuthorizedApplications"][0]["appId"], own_client);
    assert_eq!(setup.setting("SWAGGER_UI_CLIENT_ID"), "");
    let writes = setup.graph.writes();
    assert_eq!(writes.len(), 3, "one change and two for the client: {writes:#?}");
    assert_eq!(setup.graph.registrations()["deletedItems"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_a_person_created_stays_without_the_permission_for_the_deleted_api() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let graph_permission = json!({
        "resourceAppId": "00000003-0000-0000-c000-000000000000",
        "resourceAccess": [{ "id": "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "type": "Scope" }],
    });
    let by_hand = json!({
        "displayName": "Docs page",
        "requiredResourceAccess": [graph_permission],
    });
    let by_hand = setup.graph.add_application(&by_hand);
    let client_id = by_hand["appId"].as_str().unwrap();
    std::fs::write(setup.env_file(), format!("SWAGGER_UI_CLIENT_ID={client_id}\n")).unwrap();
    setup.run(&[]).assert_done();
    let permissions =
        || setup.graph.application_with("appId", client_id)["requiredResourceAccess"].clone();
    assert_eq!(permissions().as_array().unwrap().len(), 2);
    setup.run(&["--destroy", "--yes"]).assert_done();
    assert_eq!(permissions(), json!([graph_permission]));
    setup.run(&[]).assert_done();
    assert_eq!(permissions().as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_next_to_a_kept_registration_is_completed_after_an_interruption() {
    for number in 1.. {
        let Some(setup) = Setup::new(test_name!()).await else { return };
        let client_id = setup.add_api_by_hand();
        setup.run(&[]).assert_done();
        setup.graph.forget();
        setup.graph.fail_at(number, Fault::Drop(Moment::After));
        let first = setup.run(&["--destroy", "--yes"]);
        if first.code == Some(0) {
            let writes = setup.graph.writes();
            assert_eq!(writes.len(), 3, "one change and two for the client: {writes:#?}");
            return;
        }
        setup.run(&["--destroy", "--yes"]).assert_done();
        let api = setup.graph.application_with("appId", &client_id);
        assert_eq!(api["api"]["preAuthorizedApplications"], json!([]), "call {number}");
        assert_eq!(setup.setting("SWAGGER_UI_CLIENT_ID"), "", "call {number}");
        setup.run(&[]).assert_done();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_may_not_delete_permanently_deletes_and_learns_what_stays() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.run(EVERYTHING).assert_done();
    setup.graph.forget();
    let refused = [Fault::Status(Moment::Before, 403); 2];
    setup.graph.fail_on("DELETE", "/directory/deletedItems", refused);
    let run = setup.run(&["--destroy", "--yes"]);
    run.assert_done();
    for name in ["Todo API - Swagger UI", "Todo API"] {
        assert!(run.stdout.contains(&format!("  deleted {name}\n")), "{run:#?}");
    }
    let note = "It can be restored for 30 days, and its unique name stays taken until then";
    assert_eq!(run.stderr.matches(note).count(), 2, "{run:#?}");
    assert!(!run.stderr.contains("Nothing was changed"), "{run:#?}");
    assert_eq!(setup.setting("API_CLIENT_ID"), "");

    // An administrator completes it.
    setup.run(&["--destroy", "--yes"]).assert_done();
    setup.run(EVERYTHING).assert_done();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_fails_before_it_is_permanent_counts_as_a_change() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.run(&[]).assert_done();
    setup.graph.forget();
    let refused = [Fault::Status(Moment::Before, 401)];
    setup.graph.fail_on("DELETE", "/directory/deletedItems", refused);
    setup.run(&["--destroy", "--yes"]).assert_failed(&["Changed so far: 2"]);
}
