"""What is shipped to a host."""

import tarfile
from pathlib import Path

import pytest

import agent
from agent.model.errors import Misuse
from bridge.remote import package
from bridge.remote.package import Interpreter, build, choose, install_command, version_id

TRIXIE = Interpreter("/usr/bin/python3.13", (3, 13), "x86_64")


@pytest.fixture(autouse=True)
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the installer leaves it, and a cache of our own."""
    folder = tmp_path / "wheels"
    for name in ("somewhere/__init__.py", "somewhere/native.so", "somewhere/__init__.pyi", "bin/tool"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(package, "_installed", lambda interpreter: folder)
    return folder


def test_the_newest_supported_python_is_chosen_by_its_exact_name() -> None:
    pythons = {"/usr/bin/python3": (3, 13), "/usr/bin/python3.13": (3, 13), "/usr/bin/python3.11": (3, 11)}
    assert choose(pythons, "x86_64") == TRIXIE


@pytest.mark.parametrize(
    ("pythons", "shown"), [({}, "–"), ({"/usr/bin/python3": (3, 10)}, "3.10"), ({"/p": (3, 14)}, "3.14")]
)
def test_an_unsupported_python_is_named(pythons: dict[str, tuple[int, int]], shown: str) -> None:
    with pytest.raises(Misuse) as raised:
        choose(pythons, "x86_64")
    assert raised.value.id == "remote.python_unsupported"
    assert shown in raised.value.message("en")


def test_an_unsupported_architecture_is_named() -> None:
    with pytest.raises(Misuse) as raised:
        choose({"/usr/bin/python3.13": (3, 13)}, "riscv64")
    assert "riscv64" in raised.value.message("en")


def test_the_version_names_all_that_goes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    first = version_id(TRIXIE)
    assert first.startswith(agent.__version__ + "-")
    assert first == version_id(TRIXIE)
    assert first != version_id(Interpreter("/usr/bin/python3.12", (3, 12), "x86_64"))
    assert first != version_id(Interpreter("/usr/bin/python3.13", (3, 13), "aarch64"))
    monkeypatch.setattr(package, "_sources", lambda: iter([("agent/__init__.py", b"changed")]))
    assert first != version_id(TRIXIE)


def test_the_package_holds_the_agent_its_wheels_and_a_way_in() -> None:
    built = build(TRIXIE)
    with tarfile.open(built.archive) as tar:
        names = set(tar.getnames())
        script = tar.extractfile("bin/ikoma-agent")
        assert script is not None
        assert script.read().startswith(b"#!/usr/bin/python3.13 -IS\n")
        assert tar.getmember("bin/ikoma-agent").mode == 0o755
        assert {(item.uid, item.gid, item.mtime) for item in tar.getmembers()} == {(0, 0, 0)}
    assert {"VERSION", "lib/agent/__main__.py", "lib/agent/protocol.py", "lib/somewhere/native.so"} <= names
    assert not [name for name in names if name.endswith((".pyc", ".pyi")) or name.startswith(("lib/bin", "lib/bridge"))]


def test_building_twice_gives_the_same_bytes() -> None:
    first = build(TRIXIE)
    first.archive.unlink()
    assert build(TRIXIE) == first


def test_a_package_in_the_cache_is_not_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = build(TRIXIE)

    def never(*_: object) -> bytes:
        raise AssertionError("built again")

    monkeypatch.setattr(package, "_archive", never)
    assert build(TRIXIE) == first


def test_old_packages_leave_the_cache(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.tar.gz").touch()
    package._tidy(tmp_path)
    assert len(list(tmp_path.glob("*.tar.gz"))) == 6


def test_wheels_are_asked_for_the_hosts_own_python_by_hash() -> None:
    words = install_command(Path("requirements.txt"), Path("folder"), TRIXIE)
    assert "--require-hashes" in words
    assert words[words.index("--python-version") + 1] == "3.13"
    assert words[words.index("--python-platform") + 1] == "x86_64-manylinux_2_28"


def test_pip_serves_where_there_is_no_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    words = install_command(Path("requirements.txt"), Path("folder"), TRIXIE)
    assert words[1:4] == ["-m", "pip", "install"]
    assert "manylinux_2_28_x86_64" in words
