"""What the tree of a configuration means: a part of the model per module."""
