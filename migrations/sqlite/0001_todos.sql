-- AUTOINCREMENT: an id is never given out again, also after its todo is gone.
CREATE TABLE todos (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant      BLOB    NOT NULL CHECK (length(tenant) = 16),
    owner       BLOB    NOT NULL CHECK (length(owner) = 16),
    name        TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    is_complete INTEGER NOT NULL DEFAULT 0 CHECK (is_complete IN (0, 1))
) STRICT;

-- A page of one's own todos, and a page of a tenant's: both are read in order of id.
CREATE INDEX todos_by_owner ON todos (tenant, owner, id);
CREATE INDEX todos_by_tenant ON todos (tenant, id);
