"""The command line: one module per noun, each of which imports what it needs when it runs."""
