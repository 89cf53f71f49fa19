"""A believable installation for a newcomer: two programmes, five groups, a year back and ahead."""
