"""What is remembered: tables, statements, the writer with group commit, migrations."""
