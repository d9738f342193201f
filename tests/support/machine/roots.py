"""What a machine boots from, made once per box and kept under `build/` of the checkout.

Promises: a root that is there is whole (it is made aside and moved into place), and no two
processes make the same one. `base_root` has what the package depends on and no more;
`installed_root` is that with the package installed by a machine without network.
Never: changes a root that is there; a machine writes into a layer of its own above it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
KEPT = CHECKOUT / "build" / "machine"
OLD_S = 1800.0  # layers of earlier states of the checkout go after so long

PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "python3",
    "python3-venv",
    "libgl1",
    "libglib2.0-0",
)
MACHINE_ID = hashlib.sha256(b"inspector's tests").hexdigest()[:32]
RELEASE = "/opt/inspector/releases/tree"
LIBRARIES = "/opt/inspector/libraries"  # the checkout's own environment, in a tree's root
TREE = os.environ.get("INSPECTOR_TEST_ROOT") == "tree"  # in place of the package, to be quick


@dataclass(frozen=True)
class Root:
    """Layers of files, the uppermost first, and what of the host is bound over them, read-only."""

    layers: tuple[Path, ...]
    read_only: Mapping[str, Path] = field(default_factory=dict)


def base_root() -> Path:
    """A minimal Debian 12 with the packages that ours depends on. A minute where it is not yet."""
    name = "base-" + hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:10]
    return _kept(name, _debootstrap)


def package() -> Path:
    """The Debian package of this checkout, as `systemd/build-deb` makes it."""
    name = f"package-{_state_of(CHECKOUT)}"
    folder = _kept(name, _build_package)
    (deb,) = folder.glob("*.deb")
    return deb


def installed_root(deb: Path | None = None) -> Root:
    """A machine in which the package (or the given one) was installed without a network; or, as
    long as there is none, one that runs the checkout itself."""
    if TREE or not (CHECKOUT / "systemd" / "build-deb").exists():
        return tree_root()
    deb = deb or package()
    size, made = deb.stat().st_size, deb.stat().st_mtime_ns
    name = "installed-" + hashlib.sha256(f"{deb.name} {size} {made}".encode()).hexdigest()[:10]
    base = base_root()

    def install(part: Path) -> None:
        _in_layer(part, base, INSTALL, {"DEB": str(deb)})

    return Root((_kept(name, install) / "upper", base))


def tree_root() -> Root:
    """A machine that runs this checkout's files with this interpreter's libraries: quick to make,
    and like an installed one for everything but the packaging."""
    base = base_root()
    layer = _kept(f"tree-{_state_of(CHECKOUT / 'inspector', CHECKOUT / 'systemd')}", _tree(base))
    return Root(
        (layer / "upper", base),
        {
            LIBRARIES: Path(sysconfig.get_path("purelib")),
            f"{RELEASE}/share/models": CHECKOUT / "models",
            f"{RELEASE}/share/sample_data": CHECKOUT / "sample_data",
        },
    )


# In a machine without network, from the file alone.
INSTALL = """
systemd-nspawn -q -D "$ROOT" --register=no --keep-unit --private-network --console=pipe \
  --bind-ro="$DEB:/tmp/inspector.deb" env DEBIAN_FRONTEND=noninteractive dpkg -i /tmp/inspector.deb
"""

ENABLE = """
systemd-sysusers --root="$ROOT"
cd "$ROOT" && for unit in usr/lib/systemd/system/inspector-*.timer; do
  [ ! -e "$unit" ] || systemctl --root="$ROOT" -q enable "${unit##*/}"
done
"""


def _tree(base: Path) -> Callable[[Path], None]:
    def make(part: Path) -> None:
        upper = part / "upper"
        release = upper / RELEASE.strip("/")
        packages = _environment(release / "venv")
        shutil.copytree(CHECKOUT / "inspector", packages / "inspector")
        command = [sys.executable, "-m", "compileall", "-q", str(packages / "inspector")]
        subprocess.run(command, check=True)
        _link(upper / "opt/inspector/current", RELEASE)
        _link(upper / "usr/bin/inspector", "/opt/inspector/current/venv/bin/inspector")
        (release / "share").mkdir()
        for name in ("models", "sample_data"):
            (release / "share" / name).mkdir()
        _units(upper / "usr/lib")
        shutil.copytree(CHECKOUT / "systemd/host", upper, dirs_exist_ok=True)
        _in_layer(part, base, ENABLE)

    return make


def _units(lib: Path) -> None:
    """Units, users and folders of `systemd/`, to where the package puts them."""
    places = {"-sysusers.conf": "sysusers.d", "-tmpfiles.conf": "tmpfiles.d"}
    for ending, place in places.items():
        for path in (CHECKOUT / "systemd").glob(f"*{ending}"):
            (lib / place).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, lib / place / path.name.replace(ending, ".conf"))
    system = lib / "systemd" / "system"
    system.mkdir(parents=True)
    for path in (CHECKOUT / "systemd").glob("inspector*"):
        if path.suffix in (".service", ".target", ".slice", ".timer", ".socket", ".path"):
            shutil.copy(path, system)
        elif path.suffix == ".d":
            shutil.copytree(path, system / path.name)


def _environment(venv: Path) -> Path:
    """A virtual environment of Debian's Python that sees the bound libraries. Returns its folder
    of packages."""
    packages = venv / "lib/python3.11/site-packages"
    packages.mkdir(parents=True)
    (packages / "tree.pth").write_text(f"{LIBRARIES}\n")
    (venv / "bin").mkdir()
    _link(venv / "bin/python", "/usr/bin/python3")
    (venv / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    script = venv / "bin/inspector"
    python = "/opt/inspector/current/venv/bin/python"
    script.write_text(
        f"#!{python}\nimport sys\nfrom inspector.cli.main import main\nsys.exit(main())\n"
    )
    script.chmod(0o755)
    return packages


def _link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def _debootstrap(part: Path) -> None:
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    _run([*command, "bookworm", str(part), *_mirror()])
    # With one of its own it is no first boot, at which every unit there is would be enabled.
    (part / "etc/machine-id").write_text(MACHINE_ID + "\n")
    for path in (part / "var/cache/apt/archives").glob("*.deb"):
        path.unlink()


def _mirror() -> Iterator[str]:
    """Where this box itself takes its packages from; debootstrap's own choice otherwise."""
    form = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    said = _run(["apt-get", "indextargets", "Created-By: Packages", "--format", form])
    for line in said.splitlines():
        uri, *what = line.split()
        if what == ["bookworm", "main"]:
            yield uri
            return


def _build_package(part: Path) -> None:
    _run([str(CHECKOUT / "systemd" / "build-deb"), str(part), "--compress", "none"])


def _in_layer(part: Path, base: Path, script: str, more: Mapping[str, str] | None = None) -> None:
    """Run a script in which `$ROOT` is the base with this layer above it."""
    for name in ("upper", "work", "root"):
        (part / name).mkdir(exist_ok=True)
    overlay = f"lowerdir={base},upperdir={part}/upper,workdir={part}/work"
    mount = f'set -eu\nmount -t overlay overlay -o "{overlay}" "$ROOT"\n'
    command = ["unshare", "-m", "--propagation", "private", "bash", "-c", mount + script]
    _run(command, {"ROOT": str(part / "root"), **(more or {})})
    shutil.rmtree(part / "work")


def _run(command: list[str], more: Mapping[str, str] | None = None) -> str:
    environment = {**os.environ, "LC_ALL": "C", **(more or {})}
    environment["PATH"] += ":/usr/sbin:/sbin"
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert not done.returncode, f"{command[:3]}: {(done.stdout + done.stderr)[-3000:]}"
    return done.stdout


def _kept(name: str, make: Callable[[Path], None]) -> Path:
    """The folder of this name, made if need be."""
    final = KEPT / name
    KEPT.mkdir(parents=True, exist_ok=True)
    with _locked(name.split("-")[0]):
        if final.is_dir():
            os.utime(final)
            return final
        _forget_old(name.split("-")[0])
        part = KEPT / f"{name}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        make(part)
        part.rename(final)
    return final


def _forget_old(kind: str) -> None:
    """Layers of the checkout as it was long ago."""
    for path in KEPT.glob(f"{kind}-*"):
        if time.time() - path.stat().st_mtime > OLD_S:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _locked(kind: str) -> Iterator[None]:
    with (KEPT / f".{kind}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _state_of(*places: Path) -> str:
    """A name for the present content of the product's files below these places."""
    names = [str(place.relative_to(CHECKOUT)) for place in places]
    listed = _run(["git", "-C", str(CHECKOUT), "ls-files", "-co", "--exclude-standard", *names])
    told = hashlib.sha256()
    for name in sorted(listed.splitlines()):
        path = CHECKOUT / name
        if path.is_file() and not name.startswith("tests/"):
            told.update(f"{name} {path.stat().st_mode}\n".encode() + path.read_bytes())
    return told.hexdigest()[:10]
