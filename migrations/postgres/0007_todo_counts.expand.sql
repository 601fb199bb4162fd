-- The number of todos of each owner, so that a limit can be checked without counting them. Triggers
-- subtract, because servers of an earlier version may delete todos while this version is rolled out.
-- The statement that creates a todo adds, and checks the limit under the lock of the row. A todo that
-- a server of an earlier version creates meanwhile does not count, so such an owner may exceed the
-- limit by a few. Todos that delete-all has deleted do not count, even if their rows still exist.
CREATE TABLE todo_counts (
    tenant UUID   NOT NULL,
    owner  UUID   NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (tenant, owner)
);

CREATE FUNCTION count_deleted_todo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.id > coalesce((SELECT through FROM deletions WHERE tenant = OLD.tenant), 0) THEN
        UPDATE todo_counts SET number = greatest(number - 1, 0)
        WHERE tenant = OLD.tenant AND owner = OLD.owner;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION count_deleted_todos() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM todo_counts WHERE tenant = NEW.tenant;
    RETURN NULL;
END $$;

-- The triggers come before the counting: they lock the tables until the migration commits, so that
-- no change is missed.
CREATE TRIGGER count_deleted_todo AFTER DELETE ON todos
FOR EACH ROW EXECUTE FUNCTION count_deleted_todo();

CREATE TRIGGER count_deleted_todos AFTER INSERT OR UPDATE ON deletions
FOR EACH ROW EXECUTE FUNCTION count_deleted_todos();

INSERT INTO todo_counts (tenant, owner, number)
SELECT tenant, owner, count(*) FROM todos
WHERE id > coalesce((SELECT through FROM deletions WHERE deletions.tenant = todos.tenant), 0)
GROUP BY tenant, owner;
