//! The permissions of Microsoft Graph that the calls need
//! (<https://learn.microsoft.com/graph/permissions-reference>).

/// A permission of Microsoft Graph, for a user together with a role in the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// `Organization.Read.All`, or `User.Read` for a user.
    Tenant,
    /// `Application.ReadWrite.All`.
    Applications,
    /// `DelegatedPermissionGrant.ReadWrite.All`.
    Consent,
    /// `AppRoleAssignment.ReadWrite.All`.
    Assignments,
    /// `User.ReadBasic.All`.
    People,
}

impl Permission {
    /// The name of the delegated permission.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tenant => "User.Read",
            Self::Applications => "Application.ReadWrite.All",
            Self::Consent => "DelegatedPermissionGrant.ReadWrite.All",
            Self::Assignments => "AppRoleAssignment.ReadWrite.All",
            Self::People => "User.ReadBasic.All",
        }
    }

    /// How to get it.
    pub(super) fn advice(self) -> String {
        let name = self.name();
        match self {
            Self::Tenant => format!(
                "The token needs the permission {name} of Microsoft Graph. A token for an app \
                 (without a user) needs Organization.Read.All instead. An administrator can run: az \
                 login && todo-api register --use-az"
            ),
            Self::Applications => format!(
                "The token needs the permission {name} of Microsoft Graph. The account needs the \
                 role Application Developer. To change registrations that it does not own, it needs \
                 Application Administrator. An administrator can run the same command with --use-az after az login, \
                 or assign the role to you."
            ),
            Self::Consent => format!(
                "Consent for everybody needs the permission {name} of Microsoft Graph, and the role \
                 Cloud Application Administrator or Application Administrator. An administrator can \
                 run the same command with --use-az after az login. Without --admin-consent it is \
                 not needed: the docs page is pre-authorized."
            ),
            Self::Assignments => format!(
                "To assign roles, the token needs the permission {name} of Microsoft Graph, and the \
                 account the role Cloud Application Administrator or Application Administrator. An \
                 administrator can run the same command with --use-az after az login. You can also \
                 leave out --assign."
            ),
            Self::People => format!(
                "To find people for --assign, the token needs the permission {name} of Microsoft \
                 Graph. An administrator can run the same command with --use-az after az login."
            ),
        }
    }
}
