//! What the path of a request names.

use std::fmt;

use percent_encoding::percent_decode_str;
use poem::http::Method;

use super::error::GraphError;

/// A resource, or an action on one.
pub(super) enum Resource {
    /// `/me`, `/users/{id}`.
    User(Target),
    /// `/me/memberOf`: the groups and directory roles.
    MemberOf(Target, Kind),
    /// `/me/getMemberObjects`: their ids.
    MemberIds(Target, Kind),
}

/// Whose resource it is.
#[derive(PartialEq, Eq)]
pub(super) enum Target {
    Me,
    /// The person with this object id or sign-in name.
    User(String),
}

/// The kind of object of which a person is a member.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    All,
    Groups,
    DirectoryRoles,
}

impl Resource {
    /// Parses the path of a request to Graph. As in Graph, case does not matter.
    pub(super) fn parse(path: &str) -> Result<Self, GraphError> {
        let decode = |segment| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        let segments: Vec<_> =
            path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
        let mut segments = segments.iter().map(String::as_str).skip(1);
        let version = segments.next().unwrap_or_default();
        if !version.eq_ignore_ascii_case("v1.0") {
            return Err(GraphError::version(version));
        }
        let target = match segments.next().unwrap_or_default() {
            me if me.eq_ignore_ascii_case("me") => Target::Me,
            users if users.eq_ignore_ascii_case("users") => match segments.next() {
                Some(name) => Target::User(name.to_owned()),
                None => return Err(GraphError::segment(users)),
            },
            other => return Err(GraphError::segment(other)),
        };
        let Some(name) = segments.next() else { return Ok(Self::User(target)) };
        let cast = segments.next();
        if let Some(extra) = segments.next() {
            return Err(GraphError::segment(extra));
        }
        let lower = name.to_ascii_lowercase();
        match (lower.trim_start_matches("microsoft.graph."), cast) {
            // No group is a member of another one here.
            ("memberof" | "transitivememberof", cast) => {
                Ok(Self::MemberOf(target, cast.map_or(Ok(Kind::All), Kind::of_cast)?))
            }
            ("getmemberobjects", None) => Ok(Self::MemberIds(target, Kind::All)),
            ("getmembergroups", None) => Ok(Self::MemberIds(target, Kind::Groups)),
            (_, None) => Err(GraphError::segment(name)),
            (_, Some(extra)) => Err(GraphError::segment(extra)),
        }
    }

    /// The only method that it supports.
    pub(super) fn method(&self) -> Method {
        match self {
            Self::User(_) | Self::MemberOf(..) => Method::GET,
            Self::MemberIds(..) => Method::POST,
        }
    }

    /// The methods that the resource at this path supports.
    pub(super) fn allowed(path: &str) -> &'static str {
        match Self::parse(path) {
            Ok(resource) if resource.method() == Method::POST => "POST",
            _ => "GET",
        }
    }
}

impl Kind {
    fn of_cast(cast: &str) -> Result<Self, GraphError> {
        match cast.to_ascii_lowercase().as_str() {
            "microsoft.graph.group" => Ok(Self::Groups),
            "microsoft.graph.directoryrole" => Ok(Self::DirectoryRoles),
            _ => Err(GraphError::segment(cast)),
        }
    }

    /// The name of a collection of such objects in the URL that describes a response.
    pub(super) fn collection(self) -> &'static str {
        match self {
            Self::All => "directoryObjects",
            Self::Groups => "groups",
            Self::DirectoryRoles => "directoryRoles",
        }
    }
}

/// The path below `/graph/v1.0`.
impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(target) => write!(f, "{target}"),
            Self::MemberOf(target, Kind::All) => write!(f, "{target}/memberOf"),
            Self::MemberOf(target, Kind::Groups) => {
                write!(f, "{target}/memberOf/microsoft.graph.group")
            }
            Self::MemberOf(target, Kind::DirectoryRoles) => {
                write!(f, "{target}/memberOf/microsoft.graph.directoryRole")
            }
            Self::MemberIds(target, Kind::Groups) => write!(f, "{target}/getMemberGroups"),
            Self::MemberIds(target, _) => write!(f, "{target}/getMemberObjects"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Me => f.write_str("/me"),
            Self::User(name) => {
                let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
                write!(f, "/users/{}", name.replace('+', "%20"))
            }
        }
    }
}
