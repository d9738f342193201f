"""Trains the backbone from scratch on generated images. The product never imports it."""

import inspector  # noqa: F401  # before openvino, whose telemetry it keeps off
