"""Programs that measure Outsole against an oracle; they print a table and write JSON."""
