-- Which todo a request with an Idempotency-Key has made, and the SHA-256 of its name, which tells
-- whether it is the same request that comes again. The name itself goes with the todo.
CREATE TABLE idempotency_keys (
    tenant  UUID   NOT NULL,
    owner   UUID   NOT NULL,
    key     TEXT   NOT NULL,
    todo    BIGINT NOT NULL,
    request BYTEA  NOT NULL CHECK (octet_length(request) = 32),
    created BIGINT NOT NULL, -- seconds since 1970
    PRIMARY KEY (tenant, owner, key)
);

-- Those whose time is over are removed.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created);
