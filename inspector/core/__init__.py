"""Floor 0: the words every other room speaks. Imports nothing of inspector above it."""
