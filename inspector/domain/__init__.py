"""Floor 1: the rules, pure. Values in, values out; time is an argument."""
