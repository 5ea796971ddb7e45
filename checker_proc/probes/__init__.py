"""What asks one real server once: a kind of probe per module, and what they stand on."""
