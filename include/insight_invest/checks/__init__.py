"""What a row must satisfy before it is stored. A row that does not is held back, with the reason and the raw row."""
