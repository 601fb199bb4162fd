-- To delete all todos of a tenant is to note the last of them: nobody sees it and those before it
-- any more. The rows themselves are removed little by little.
CREATE TABLE deletions (
    tenant  UUID   NOT NULL PRIMARY KEY,
    through BIGINT NOT NULL -- the id of the last todo that is gone
);
