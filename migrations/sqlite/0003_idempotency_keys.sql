-- Which todo a request with an Idempotency-Key has made, and the SHA-256 of its name, which tells
-- whether it is the same request that comes again. The name itself goes with the todo.
CREATE TABLE idempotency_keys (
    tenant  BLOB    NOT NULL CHECK (length(tenant) = 16),
    owner   BLOB    NOT NULL CHECK (length(owner) = 16),
    key     TEXT    NOT NULL,
    todo    INTEGER NOT NULL,
    request BLOB    NOT NULL CHECK (length(request) = 32),
    created INTEGER NOT NULL, -- seconds since 1970
    PRIMARY KEY (tenant, owner, key)
) STRICT, WITHOUT ROWID;

-- Those whose time is over are removed.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created);
