//! The error examples in the document are the errors that the server sends.

use std::collections::BTreeSet;

use serde_json::Value;
use todo_api::api::http::code::Code;

use crate::support::{FailingApps, Failure, test_name};

#[tokio::test]
async fn each_error_example_is_what_the_server_sends() {
    let apps = FailingApps::start(test_name!()).await;
    let document = apps.document().await;
    let mut compared = BTreeSet::new();
    for Failure { operation, code, example, answer } in apps.cause_all(&document).await {
        operation.assert_describes(&document, &answer);
        assert_eq!(without_id(&answer.body), without_id(example), "{} {code}", operation.id);
        compared.insert(code.to_owned());
    }
    // Every error of an operation has an example. The first is not about an operation, the second is
    // tested with slow clients, and no operation of this API has a policy for the others.
    let others = [
        Code::MethodNotAllowed,
        Code::RequestTimeout,
        Code::InsufficientClaims,
        Code::AccessDenied,
    ];
    let skipped = Some(Code::Overloaded).filter(|_| !apps.can_overload());
    let expected =
        Code::ALL.iter().filter(|code| !others.contains(code) && skipped != Some(**code));
    assert_eq!(compared, expected.map(|code| code.name_and_status().0.to_owned()).collect());
}

/// The problem without the id of the request.
fn without_id(problem: &Value) -> Value {
    let mut problem = problem.clone();
    problem.as_object_mut().unwrap().remove("instance");
    problem
}
