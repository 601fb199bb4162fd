use std::collections::BTreeMap;

use super::check::Checks;
use super::entries::{Text, strings};
use super::file::File;

/// What a reference can mean: the id or the name of a thing.
pub(super) struct References<'a> {
    tenants: Vec<(&'a str, &'a str)>,
    groups: Vec<(&'a str, &'a str)>,
    apps: Vec<(&'a str, &'a str)>,
    roles: BTreeMap<&'a str, &'a [Text]>,
}

impl<'a> References<'a> {
    pub(super) fn of(file: &'a File) -> Self {
        fn pair<'a>(id: &'a Text, name: &'a Text) -> (&'a str, &'a str) {
            (id.as_ref(), name.as_ref())
        }
        Self {
            tenants: file.tenants.iter().map(|tenant| pair(&tenant.id, &tenant.name)).collect(),
            groups: file.groups.iter().map(|group| pair(&group.id, &group.name)).collect(),
            apps: file.apps.iter().map(|app| pair(&app.client_id, &app.name)).collect(),
            roles: (file.apps.iter())
                .map(|app| (app.client_id.as_ref().as_str(), app.app_roles.as_slice()))
                .collect(),
        }
    }

    /// The id of the tenant that is called so.
    pub(super) fn tenant(&self, checks: &mut Checks<'_>, name: &Text) -> String {
        refer(checks, "tenant", &self.tenants, name)
    }

    /// The id of the group that is called so.
    pub(super) fn group(&self, checks: &mut Checks<'_>, name: &Text) -> String {
        refer(checks, "group", &self.groups, name)
    }

    /// The client ids of apps, each with app roles that it declares.
    pub(super) fn assignments(
        &self,
        checks: &mut Checks<'_>,
        entries: &BTreeMap<Text, Vec<Text>>,
    ) -> BTreeMap<String, Vec<String>> {
        let mut assignments = BTreeMap::new();
        for (app, roles) in entries {
            let client_id = refer(checks, "app", &self.apps, app);
            let declared = self.roles.get(client_id.as_str()).copied().unwrap_or_default();
            for role in roles {
                if !declared.iter().any(|known| known.as_ref() == role.as_ref()) {
                    let text =
                        format!("{:?} declares no app role {:?}", app.as_ref(), role.as_ref());
                    checks.note(role.span(), text);
                }
            }
            assignments.insert(client_id, strings(roles));
        }
        assignments
    }
}

/// The id of what is called so; a fault, and no id, where nothing is.
fn refer(checks: &mut Checks<'_>, kind: &str, known: &[(&str, &str)], name: &Text) -> String {
    let found = known.iter().find(|(id, title)| id == name.as_ref() || title == name.as_ref());
    match found {
        Some((id, _)) => (*id).to_owned(),
        None => {
            checks.note(name.span(), format!("there is no {kind} {:?}", name.as_ref()));
            String::new()
        }
    }
}
