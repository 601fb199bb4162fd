//! What a dry run shows: all changes, without making them.

use serde_json::{Value, json};

use super::{plan::next_step, resources::User, state::State, step::Step, wanted::Wanted};

/// All changes that lead from this state to the wanted one, and the state that they lead to. The
/// ids of objects that do not exist yet are in braces.
pub fn preview(wanted: &Wanted, mut state: State) -> (Vec<Step>, State) {
    for (name, _) in &wanted.assignments {
        let unknown =
            User { id: format!("{{object id of {name}}}"), user_principal_name: name.clone() };
        state.users.entry(name.clone()).or_insert(unknown);
    }
    let mut steps = Vec::new();
    while let Some(step) = next_step(wanted, &state) {
        // A step that changes nothing in the state would be repeated for ever.
        if steps.contains(&step) || step.apply(&mut state, simulated(&step)).is_err() {
            break;
        }
        steps.push(step);
    }
    (steps, state)
}

/// A response with ids in braces.
fn simulated(step: &Step) -> Value {
    match step {
        Step::Create { which, unique_name, .. } => json!({
            "id": format!("{{object id of {unique_name}}}"),
            "appId": format!("{{{}}}", which.variable()),
        }),
        Step::CreateServicePrincipal { name, .. } => {
            json!({ "id": format!("{{object id of the enterprise application {name}}}") })
        }
        _ => json!({}),
    }
}
