"""What a person needs to change a field map: what can go with what, trying it on records, what was changed when."""
