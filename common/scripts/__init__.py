"""Running programs for processes that gave the rights for it up: the helper, and their side of the talk with it."""
