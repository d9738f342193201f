"""Floor 2: from good images to a bundle. Never imports devices or services."""
