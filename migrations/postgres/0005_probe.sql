-- A row that is overwritten to learn whether a disk that was full takes changes again: stored as
-- long as it is, and so larger than the change of a todo.
CREATE TABLE probe (room TEXT NOT NULL);
ALTER TABLE probe ALTER COLUMN room SET STORAGE EXTERNAL;
INSERT INTO probe VALUES (repeat(' ', 32768));
