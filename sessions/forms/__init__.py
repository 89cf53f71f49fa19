"""What comes in from pages about sessions."""
