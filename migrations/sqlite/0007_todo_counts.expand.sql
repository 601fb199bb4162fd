-- The number of todos of each owner, so that a limit can be checked without counting them. Triggers
-- keep it, because servers of an earlier version may change todos while this version is rolled out.
-- Todos that delete-all has deleted do not count, even if their rows still exist.
CREATE TABLE todo_counts (
    tenant BLOB    NOT NULL CHECK (length(tenant) = 16),
    owner  BLOB    NOT NULL CHECK (length(owner) = 16),
    number INTEGER NOT NULL,
    PRIMARY KEY (tenant, owner)
) STRICT, WITHOUT ROWID;

INSERT INTO todo_counts (tenant, owner, number)
SELECT tenant, owner, count(*) FROM todos
WHERE id > coalesce((SELECT through FROM deletions WHERE deletions.tenant = todos.tenant), 0)
GROUP BY tenant, owner;

CREATE TRIGGER count_created_todo AFTER INSERT ON todos BEGIN
    INSERT INTO todo_counts (tenant, owner, number) VALUES (NEW.tenant, NEW.owner, 1)
    ON CONFLICT (tenant, owner) DO UPDATE SET number = number + 1;
END;

CREATE TRIGGER count_deleted_todo AFTER DELETE ON todos
WHEN OLD.id > coalesce((SELECT through FROM deletions WHERE tenant = OLD.tenant), 0) BEGIN
    UPDATE todo_counts SET number = number - 1 WHERE tenant = OLD.tenant AND owner = OLD.owner;
END;

CREATE TRIGGER count_first_deletion AFTER INSERT ON deletions BEGIN
    DELETE FROM todo_counts WHERE tenant = NEW.tenant;
END;

CREATE TRIGGER count_next_deletion AFTER UPDATE ON deletions BEGIN
    DELETE FROM todo_counts WHERE tenant = NEW.tenant;
END;
