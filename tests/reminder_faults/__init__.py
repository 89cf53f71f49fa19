"""`make reminder-faults`: real workers, real servers, killed on purpose; and what became of it."""
