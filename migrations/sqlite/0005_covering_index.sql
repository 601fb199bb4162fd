-- A page of one's own todos lies together in the index, all of it: in the table its todos lie among
-- those of everybody else, and each would cost a page of the file.
DROP INDEX todos_by_owner;
CREATE INDEX todos_by_owner ON todos (tenant, owner, id, name, is_complete, version);
