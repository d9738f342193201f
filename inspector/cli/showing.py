"""The screen of a demo: its settings, its model and recipe, its people.

Promises: it is there whatever else runs on this box.
Never: for a real station: these PINs are known to everybody.
"""

import secrets
from typing import Literal

from inspector.cli.ports import free_port
from inspector.cli.screen import say
from inspector.cli.station import write_changed_recipe
from inspector.core.errors import MaintainerError
from inspector.core.paths import Paths
from inspector.core.people import Listed, change_people
from inspector.core.recipe import Challenge, GoldenPart, Recipe, RecipeLimits
from inspector.devices.bundles import Bundle, Store
from inspector.domain.pins import SALT_BYTES, hashed

HOST, PORT = "127.0.0.1", 8085
PEOPLE: tuple[tuple[Literal["operator", "technician", "engineer"], str], ...] = (
    ("operator", "1111"),
    ("technician", "2222"),
    ("engineer", "3333"),
)
CHALLENGE = Challenge(
    parts=(
        GoldenPart(name="good 1", expect="pass"),
        GoldenPart(name="defective 1", expect="fail"),
        GoldenPart(name="good 2", expect="pass"),
        GoldenPart(name="defective 2", expect="fail"),
    ),
    every_h=8,
)


def furnish(paths: Paths, bundle: Bundle) -> dict[str, object]:
    """All that a demo with a screen needs: the model in the station's own store, its recipe with a
    challenge test, three people. Says where the screen is. Returns [ui]."""
    manifest = bundle.manifest
    store = Store(paths.models)
    store.install(bundle.folder)
    store.use(manifest.name, manifest.version)
    write_changed_recipe(
        paths,
        Recipe(
            schema=1,
            name=manifest.name,
            model=manifest.name,
            limits=RecipeLimits(review=manifest.limits.review, fail=manifest.limits.fail),
            challenge=CHALLENGE,
        ),
    )
    change_people(paths.people, lambda _before: _three())
    port = free_port(HOST, PORT)
    if port is None:
        raise MaintainerError(f"{HOST}: has no free port for a screen; give --no-ui")
    pins = ", ".join(f"{name} {pin}" for name, pin in PEOPLE)
    say(f"screen: http://{HOST}:{port} (PINs of the demo: {pins})")
    return {"host": HOST, "port": port}


def _three() -> tuple[Listed, ...]:
    return tuple(
        Listed(name=role, role=role, pin=hashed(pin, secrets.token_bytes(SALT_BYTES)))
        for role, pin in PEOPLE
    )
