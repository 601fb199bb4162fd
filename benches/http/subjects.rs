//! What `make bench` measures: the rows of its table.

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    Poem,
    PoemOneWorker,
    PoemOpenApi,
    Guard,
    GuardUncached,
    List,
    ListLogged,
    Get,
    GetLogged,
    ListUncached,
    ListOneWorker,
    ListScripted,
    ListManyTokens,
    ListNewTokens,
    Create,
    CreateAlone,
    PgList,
    PgGet,
    PgCreate,
    PgbenchList,
    PgbenchGet,
    Actix,
    Axum,
    Fastify,
    FastApi,
}

use Subject::*;

/// The section of the table that a subject belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Framework,
    Sqlite,
    Postgres,
    Peers,
}

/// The number of different tokens in the row with many tokens.
pub(crate) const MANY: usize = 8_000;

impl Subject {
    pub(crate) const ALL: &[Self] = &[
        Poem,
        PoemOneWorker,
        PoemOpenApi,
        Guard,
        GuardUncached,
        List,
        ListLogged,
        Get,
        GetLogged,
        ListUncached,
        ListOneWorker,
        ListScripted,
        ListManyTokens,
        ListNewTokens,
        Create,
        CreateAlone,
        PgList,
        PgGet,
        PgCreate,
        PgbenchList,
        PgbenchGet,
        Actix,
        Axum,
        Fastify,
        FastApi,
    ];

    /// What `make bench-http` measures: only this server.
    pub(crate) const OWN: &[Self] =
        &[List, ListLogged, Get, GetLogged, Create, CreateAlone, PgList, PgGet, PgCreate];

    pub(crate) fn section(self) -> Section {
        match self {
            Poem | PoemOneWorker | PoemOpenApi | Guard | GuardUncached => Section::Framework,
            List | ListLogged | Get | GetLogged | ListUncached | ListOneWorker | ListScripted
            | ListManyTokens | ListNewTokens | Create | CreateAlone => Section::Sqlite,
            PgList | PgGet | PgCreate | PgbenchList | PgbenchGet => Section::Postgres,
            Actix | Axum | Fastify | FastApi => Section::Peers,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Poem => "poem, without authentication",
            PoemOneWorker => "poem, with one worker thread",
            PoemOpenApi => "poem-openapi, without authentication",
            Guard => "poem-openapi with poem-entra",
            GuardUncached => "poem-openapi with poem-entra, without its cache",
            List | PgList => "list",
            ListLogged => "list, with the log",
            Get | PgGet => "get",
            GetLogged => "get, with the log",
            ListUncached => "list, without the token cache",
            ListOneWorker => "list, with one worker thread",
            ListScripted => "list, one token from a script",
            ListManyTokens => "list, 8,000 tokens in rotation",
            ListNewTokens => "list, 1 % new tokens",
            Create | PgCreate => "create",
            CreateAlone => "create, one connection",
            PgbenchList => "pgbench, the statement of list",
            PgbenchGet => "pgbench, the statement of get",
            Actix => "actix-web + jsonwebtoken",
            Axum => "axum + jwt-authorizer",
            Fastify => "fastify + jose, one process",
            FastApi => "FastAPI + fastapi-azure-auth, two workers",
        }
    }

    /// The name with what it belongs to, for a plot.
    pub(crate) fn full_name(self) -> String {
        match self.section() {
            Section::Sqlite => format!("this server, SQLite: {}", self.name()),
            Section::Postgres => format!("this server, PostgreSQL: {}", self.name()),
            Section::Framework | Section::Peers => self.name().to_owned(),
        }
    }
}

impl Section {
    pub(crate) const ALL: [Self; 4] = [Self::Framework, Self::Sqlite, Self::Postgres, Self::Peers];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Framework => "The framework, from memory",
            Self::Sqlite => "This server on SQLite",
            Self::Postgres => "This server on PostgreSQL",
            Self::Peers => "Other stacks, from memory",
        }
    }
}
