"""Trains the backbone from scratch on generated images. The product never imports it."""
