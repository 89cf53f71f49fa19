"""What is said in the group stays in the group: proofs by attack, small here and whole by make."""
