//! The four kinds of entries in a directory.

use serde_json::Value;

/// A list of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Collection {
    Tenants,
    Groups,
    People,
    Apps,
}

impl Collection {
    pub(super) const ALL: [Self; 4] = [Self::Tenants, Self::Groups, Self::People, Self::Apps];

    /// The name of the list in a directory file.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tenants => "tenants",
            Self::Groups => "groups",
            Self::People => "people",
            Self::Apps => "apps",
        }
    }

    /// The collection with this name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|collection| collection.name() == name)
    }

    /// What one entry is.
    pub(super) fn singular(self) -> &'static str {
        match self {
            Self::Tenants => "tenant",
            Self::Groups => "group",
            Self::People => "person",
            Self::Apps => "app",
        }
    }

    /// The field with the GUID of an entry.
    pub(super) fn id_field(self) -> &'static str {
        match self {
            Self::Tenants | Self::Groups => "id",
            Self::People => "oid",
            Self::Apps => "client_id",
        }
    }

    /// The fields with the names of an entry.
    pub(super) fn name_fields(self) -> &'static [&'static str] {
        match self {
            Self::People => &["name", "sign_in_name"],
            Self::Tenants | Self::Groups | Self::Apps => &["name"],
        }
    }

    /// The collection to whose entries this field of an entry refers, by id or name.
    pub(super) fn referred_to_by(field: &str) -> Option<Self> {
        match field {
            "tenant" | "added_to" => Some(Self::Tenants),
            "groups" => Some(Self::Groups),
            "agent_blueprint"
            | "agent_identity"
            | "inheritable_permissions"
            | "permissions"
            | "roles"
            | "trusted_managed_identities" => Some(Self::Apps),
            _ => None,
        }
    }

    /// The entries of this kind.
    pub(super) fn entries(self, document: &Value) -> &[Value] {
        document[self.name()].as_array().map_or(&[], Vec::as_slice)
    }

    /// The index of the entry with this id or name, ignoring case.
    pub(super) fn find(self, document: &Value, name: &str) -> Option<usize> {
        self.entries(document).iter().position(|entry| self.is_called(entry, name))
    }

    /// Whether this entry has this id or name, ignoring case.
    pub(super) fn is_called(self, entry: &Value, name: &str) -> bool {
        let fields = [self.id_field()].into_iter().chain(self.name_fields().iter().copied());
        let mut known = fields.filter_map(|field| entry[field].as_str());
        known.any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Whether both names are those of the same entry.
    pub(super) fn is_same(self, document: &Value, one: &str, other: &str) -> bool {
        let index = self.find(document, one);
        index.is_some() && index == self.find(document, other)
    }
}
