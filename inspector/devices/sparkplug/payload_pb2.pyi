# ruff: noqa: N802  # the names are protobuf's
"""What is used of the generated module; held by hand, so that no package of stubs is needed."""

from collections.abc import Iterator
from typing import Literal

_Value = Literal[
    "int_value", "long_value", "float_value", "double_value", "boolean_value", "string_value"
]

class Metric:
    name: str | bytes  # bytes: what came in is no text
    alias: int
    timestamp: int
    datatype: int
    is_historical: bool
    is_null: bool
    int_value: int
    long_value: int
    float_value: float
    double_value: float
    boolean_value: bool
    string_value: str | bytes
    def HasField(self, name: str) -> bool: ...
    def WhichOneof(self, name: Literal["value"]) -> _Value | None: ...

class _Metrics:
    def add(self) -> Metric: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Metric]: ...

class Payload:
    timestamp: int
    seq: int
    @property
    def metrics(self) -> _Metrics: ...
    def HasField(self, name: str) -> bool: ...
    def ParseFromString(self, data: bytes) -> int: ...
    def SerializeToString(self) -> bytes: ...
