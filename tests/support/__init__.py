"""What the tests share: small real models, images and stations."""
