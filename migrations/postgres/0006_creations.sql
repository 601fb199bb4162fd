-- How many todos were ever created in a tenant: the sum over its shards. This number tells whether a
-- todo was added since somebody looked. The highest id cannot tell: a todo with a lower id may be
-- committed later. Several shards, so that concurrent inserts do not wait for each other.
CREATE TABLE creations (
    tenant UUID   NOT NULL,
    shard  INT    NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (tenant, shard)
);
