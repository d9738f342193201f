"""Floor 4: what a person types. One room a command; `main` finds them."""
