-- A sequence goes on whatever happens to the rows: an id is never given out again, also after its
-- todo is gone.
CREATE TABLE todos (
    id          BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant      UUID    NOT NULL,
    owner       UUID    NOT NULL,
    name        TEXT    NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    is_complete BOOLEAN NOT NULL DEFAULT FALSE
);

-- A page of one's own todos, and a page of a tenant's: both are read in order of id.
CREATE INDEX todos_by_owner ON todos (tenant, owner, id);
CREATE INDEX todos_by_tenant ON todos (tenant, id);
