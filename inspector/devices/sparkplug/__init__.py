"""Sparkplug B's payload as bytes: out from the closed messages, in as what a host asks.

`payload_pb2` is generated from `payload.proto` and committed as it is, with two first lines that
keep the linter off. To generate it again, with grpcio-tools 1.85.1:

    python -m grpc_tools.protoc -I. --python_out=. inspector/devices/sparkplug/payload.proto
    sed -i '1i # ruff: noqa\\n# fmt: off' inspector/devices/sparkplug/payload_pb2.py
"""

from inspector.devices.sparkplug.codec import decode_command, encode

__all__ = ["decode_command", "encode"]
