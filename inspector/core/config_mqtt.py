"""Settings of what leaves over MQTT, and of the little that may come in.

Promises: as `config`: every setting once, strict, with its bounds and its default.
Never: switches on more than the plant has asked for: commands and Sparkplug are off without their
sections.
"""

from typing import Annotated, Literal

from msgspec import Meta

from inspector.core.section import HostName, Name, Port, SecretFile, Section


class PlantCommands(Section, frozen=True, kw_only=True):
    """What the plant's MES may order; without this section, nothing."""

    allow: Annotated[
        tuple[Literal["set_recipe", "request_state"], ...], Meta(min_length=1, max_length=2)
    ]
    recipes: Annotated[tuple[Name, ...], Meta(max_length=100)] = ()  # none: all of the station
    expires_s: Annotated[float, Meta(gt=0, le=3600)] = 30.0  # a command older than this is refused


class Sparkplug(Section, frozen=True, kw_only=True):
    """The second lane, Sparkplug B 3.0: where this station stands in its name space."""

    group: Name
    node: Name
    device: Name = "vision"
    primary_host: Name | None = None  # while this host is away, totals wait and go as historical


class Publish(Section, frozen=True, kw_only=True):
    """The broker that gets the totals. A file named without a slash is one of systemd's
    credentials."""

    host: HostName
    port: Port = 8883
    tls: bool = True
    ca_file: SecretFile | None = None  # none: the system's own authorities
    cert_file: SecretFile | None = None  # a client's certificate, with key_file
    key_file: SecretFile | None = None
    username: str | None = None
    password_file: SecretFile | None = None
    keepalive_s: Annotated[int, Meta(ge=5, le=3600)] = 60
    ack_timeout_s: Annotated[float, Meta(gt=0, le=600)] = 20.0  # without the broker's own word
    ack: Literal["broker", "application"] = "broker"  # application: the receiver's word counts
    resend_s: Annotated[float, Meta(ge=1, le=86_400)] = 60.0  # without the receiver's word
    backlog_per_s: Annotated[int, Meta(ge=1, le=2000)] = 1500  # old windows, beside the live ones
    expiry_h: Annotated[float, Meta(ge=0, le=8760)] = 336.0  # kept by the broker; 0: for ever
    will_delay_s: Annotated[int, Meta(ge=0, le=3600)] = 5  # away for so long, until it is told
    state_s: Annotated[int, Meta(ge=5, le=86_400)] = 1800  # the state is repeated so often
    defect_classes: Annotated[tuple[Name, ...], Meta(max_length=32)] = ()  # all others: `other`
    commands: PlantCommands | None = None
    sparkplug: Sparkplug | None = None
