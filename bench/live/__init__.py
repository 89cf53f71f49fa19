"""Streams of one process: how many, how soon, what each costs, and whether anything is lost."""
