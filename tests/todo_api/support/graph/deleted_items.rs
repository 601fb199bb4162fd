//! `directory/deletedItems`: <https://learn.microsoft.com/graph/api/directory-deleteditems-list>.

use super::{
    directory::{Directory, Reply, Request, not_allowed},
    refusal::Refusal,
    routes::Key,
};

/// The type that a list must name.
const APPLICATIONS: &str = "microsoft.graph.application";

impl Directory {
    pub(super) fn deleted_item(&mut self, request: &Request) -> Reply {
        let (Key::Id(id) | Key::Alternate(_, id)) = request.key()?;
        if id == APPLICATIONS && request.is("GET") {
            let all = self.deleted.iter_mut().filter_map(|(application, _)| application.read());
            let path = format!("/v1.0/directory/deletedItems/{APPLICATIONS}");
            return request.page(&path, "directoryObjects", all.collect());
        }
        let found = self.deleted.iter().position(|(application, _)| application.id() == id);
        let found = found.ok_or_else(|| Refusal::not_found(id))?;
        let visible = self.deleted[found].0.read().ok_or_else(|| Refusal::not_found(id))?;
        match (request.method.as_str(), request.route.rest.as_deref()) {
            ("GET", None) => request.one(200, "directoryObjects", &visible),
            ("DELETE", None) => {
                self.deleted.remove(found);
                Ok((204, None))
            }
            // https://learn.microsoft.com/graph/api/directory-deleteditems-restore
            ("POST", Some("restore")) => {
                let (application, principal) = self.deleted.remove(found);
                let restored = application.value.clone();
                self.applications.push(application);
                self.principals.extend(principal);
                request.one(200, "directoryObjects", &restored)
            }
            _ => Err(not_allowed()),
        }
    }
}
