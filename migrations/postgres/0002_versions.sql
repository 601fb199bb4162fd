-- Counts the changes of a todo, so that two who change it at once do not overwrite each other.
ALTER TABLE todos ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
