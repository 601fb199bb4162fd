-- A row that is overwritten to learn whether a disk that was full takes changes again: larger than
-- the change of a todo, so that it does not fit where that would not.
CREATE TABLE probe (room BLOB NOT NULL) STRICT;
INSERT INTO probe VALUES (zeroblob(32768));
