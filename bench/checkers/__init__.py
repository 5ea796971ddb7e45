"""What checks cost: `python -m bench.checkers` alone, `python -m bench.checkers.beside` beside keepalived."""
