"""Processes that run probes for the checker, and the checker's side of them."""
