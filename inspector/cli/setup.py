"""inspector setup: from an installed package to a line that inspects.

Promises: the configuration is whole and checked before it is put into place, in one step; whatever
is cut short can be done again.
Never: replaces a configuration without being told to, or shows a PIN or a password.
"""

import argparse
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

import tomli_w
from msgspec import Struct, structs, to_builtins

from inspector.cli import samples
from inspector.cli.owner import hand_over
from inspector.cli.screen import add_root, command, print_json, say
from inspector.cli.setup_answers import Answers, Person, ask_all, read, sample_camera
from inspector.cli.station import changed_recipe_text
from inspector.cli.units import planned
from inspector.cli.user import people_group
from inspector.core.bundle_folder import MANIFEST, flush
from inspector.core.config import StationConfig, load_station
from inspector.core.errors import MaintainerError
from inspector.core.paths import INSTALLED, Paths, of_root
from inspector.core.people import Listed, change_people
from inspector.core.recipe import Recipe, RecipeLimits
from inspector.devices.bundles import Bundle, Store, open_bundle
from inspector.devices.manager import RUNS
from inspector.devices.station_units import put_in_place
from inspector.devices.unit_orders import systemctl
from inspector.domain.pins import SALT_BYTES, hashed

HEAD = "# Written by `inspector setup`. Every key is explained in {}/configs/README.md.\n\n"
BEFORE = "station.toml.before"
STATION_MODE, SECRET_MODE = 0o640, 0o600


def add(commands: Any) -> None:
    made = command(
        commands,
        "setup",
        "settings of a new station, from questions or a file; then the line starts",
        "inspector setup --file answers.toml",
    )
    add_root(made)
    made.add_argument("--file", type=Path, metavar="ANSWERS", help="instead of asking (TOML)")
    made.add_argument("--replace", action="store_true", help="in place of the settings there are")
    made.add_argument("--no-start", action="store_true", help="leave the line as it is")
    made.set_defaults(command=_setup)


def _setup(arguments: argparse.Namespace) -> int:
    paths = _place(arguments)
    answers = read(arguments.file) if arguments.file else ask_all()
    config = write(paths, answers)
    started = paths == INSTALLED and _bring_up(paths, start=not arguments.no_start)
    ui = config.ui
    where = f"{'https' if ui.tls_cert else 'http'}://{ui.host}:{ui.port}" if ui else ""
    if arguments.json:
        print_json({"station": str(paths.station_file), "started": started, "screen": where})
    else:
        say(f"{paths.station_file}: written{'; the line starts' if started else ''}")
        say(f"`inspector status` shows it, and so does {where}")
    return 0


def _place(arguments: argparse.Namespace) -> Paths:
    """The station's folders. Raises MaintainerError where there are settings already."""
    paths = of_root(arguments.root)
    if paths.station_file.exists() and not arguments.replace:
        raise MaintainerError(
            f"{paths.station_file}: is there already; --replace puts another in its place and "
            f"keeps it as {BEFORE}"
        )
    try:
        paths.config.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MaintainerError(f"{paths.config}: {error.strerror}; be root") from None
    if not os.access(paths.config, os.W_OK):
        raise MaintainerError(f"{paths.config}: cannot be written; be root")
    return paths


def write(paths: Paths, answers: Answers) -> StationConfig:
    """All that the answers ask for; station.toml comes last, and with it the station is whole.
    Returns the settings. Raises MaintainerError before anything has changed where they are wrong.
    """
    bundle = _sample(paths, answers.product)
    paths.recipes.mkdir(parents=True, exist_ok=True)
    draft = paths.config / ".station.toml.new"
    head = HEAD.format("/opt/inspector/current/share" if paths == INSTALLED else samples.ROOT)
    _write(draft, head + tomli_w.dumps(table(answers)), STATION_MODE, paths.config)
    try:
        config = load_station(draft)
    except MaintainerError as error:
        draft.unlink()
        raise MaintainerError(str(error).replace(str(draft), "answers")) from None
    if bundle:
        _install(paths, answers.product, bundle)
    for name, secret in answers.secrets.items():
        (paths.config / "secrets").mkdir(mode=0o700, exist_ok=True)
        _write(paths.config / "secrets" / name, secret, SECRET_MODE)
    if answers.person:
        _let_in(paths, answers.person)
    if paths.station_file.exists():
        shutil.copy2(paths.station_file, paths.config / BEFORE)
    draft.replace(paths.station_file)
    flush(paths.config)
    return config


def table(answers: Answers) -> dict[str, Any]:
    """station.toml. What is left out is as the program has it, also a later one."""
    cameras = answers.cameras or (sample_camera(),)
    line = {"recipe": answers.product, "lot": answers.lot, "deadline_ms": answers.deadline_ms}
    sections = ("output", "publish", "ui", "host", "backup", "retention")
    chosen = {name: _chosen(getattr(answers, name)) for name in sections}
    return {
        "schema": 1,
        "production": True,
        "station": to_builtins(answers.station),
        "cameras": [_chosen(camera) for camera in cameras],
        "line": line,
        **{name: made for name, made in chosen.items() if made or name == "ui"},
    }


def _chosen(section: Struct | None) -> dict[str, Any]:
    """The values that are not the defaults; TOML has no word for one that is not set."""
    if section is None:
        return {}
    fields = structs.fields(section)
    different = {
        one.encode_name: getattr(section, one.name)
        for one in fields
        if one.required or getattr(section, one.name) != one.default
    }
    tag = section.__struct_config__.tag
    kind = {str(section.__struct_config__.tag_field): tag} if tag else {}
    return {**kind, **{key: _plain(value) for key, value in different.items()}}


def _plain(value: object) -> object:
    return _chosen(value) if isinstance(value, Struct) else to_builtins(value)


def _sample(paths: Paths, name: str) -> Bundle | None:
    """The model of a sample product; None where the station has a recipe of that name already."""
    if name in paths.recipe_names():
        return None
    folder = samples.ROOT / "models" / name
    if not (folder / MANIFEST).is_file():
        there = sorted(path.parent.name for path in folder.parent.glob(f"*/{MANIFEST}"))
        raise MaintainerError(
            f"product = {name!r}: has no recipe, and is no sample product "
            f"(there: {', '.join(there)})"
        )
    return open_bundle(folder)


def _install(paths: Paths, name: str, bundle: Bundle) -> None:
    """The model and a recipe of a sample product."""
    paths.models.mkdir(parents=True, exist_ok=True)
    store = Store(paths.models)
    store.install(bundle.folder)
    store.use(bundle.manifest.name, bundle.manifest.version)
    hand_over(paths.models)
    limits = bundle.manifest.limits
    recipe = Recipe(
        schema=1,
        name=name,
        model=bundle.manifest.name,
        limits=RecipeLimits(review=limits.review, fail=limits.fail),
    )
    draft = paths.recipes / f".{name}.toml.new"
    _write(draft, changed_recipe_text(recipe), STATION_MODE, paths.recipes)
    draft.replace(paths.recipes / f"{name}.toml")
    flush(paths.recipes)


def _let_in(paths: Paths, person: Person) -> None:
    pin = hashed(person.pin, secrets.token_bytes(SALT_BYTES))
    listed = Listed(name=person.name, role="engineer", pin=pin)
    change_people(
        paths.people,
        lambda there: (*(one for one in there if one.name != person.name), listed),
        people_group(paths),
    )


def _write(path: Path, text: str, mode: int, like: Path | None = None) -> None:
    """A new file of this mode; its group is that of the folder `like`."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if like and os.geteuid() == 0:
            os.fchown(handle, -1, like.stat().st_gid)
        os.fchmod(handle, mode)
        os.fsync(handle)


def _bring_up(paths: Paths, start: bool) -> bool:
    """Hand the settings to systemd; True when the line was started."""
    put_in_place(planned(paths))
    systemctl("enable", "inspector.target")
    if not (start and RUNS.is_dir()):
        return False
    systemctl("restart", "inspector.target")
    return True
