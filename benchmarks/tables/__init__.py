"""How each result becomes rows of the README: a module for each table, `row` for what a row is."""
