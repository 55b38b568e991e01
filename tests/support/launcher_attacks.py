# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Ways to make a Python program run what it was not meant to run, for tests of the launcher.

Each attack would leave a file (`MARKER`) if it worked. `control` is how an ordinary `python3` is started to fall for
the same attack: a test of the attacks themselves, for one that never works shows nothing.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from zipfile import ZipFile

from pinwheel.image.toolbox import Toolbox

MARKER = "/tmp/marker"
PLACE = "/tmp/attack"
"""The working directory of every attack: writable, as nothing of the launcher's is."""
LINKS = f"{PLACE}/links"
"""Where links of other names to the launcher are."""
HOME = "/root"
SITE = f"{HOME}/.local/lib/python3.13/site-packages"

# Works at any time, even where Python has no open() yet: in place of `encodings`.
PAYLOAD = f"import posix; posix.close(posix.open({MARKER!r}, posix.O_CREAT | posix.O_WRONLY))\n"
COMPILE = """
import importlib._bootstrap_external, sys
code = compile(sys.stdin.read(), "evil", "exec")
sys.stdout.buffer.write(importlib._bootstrap_external._code_to_hash_pyc(code, bytes(8), False))
"""
CLASS = f"{PAYLOAD}class Category(Warning): pass\n"


@dataclass(frozen=True)
class Attack:
    """One try."""

    name: str
    arguments: tuple[str, ...] = ("status",)
    program: str = "/usr/lib/pinwheel/launch"
    """What the launcher is called by: its own path, or that of a link to it."""
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """Absolute path -> content; of a path that ends in `.pyc`, the source to compile; of `.zip`, what the modules in it
    say."""
    stdin: str = ""
    refused: bool = False
    """Whether the launcher must refuse by its exit code; else the entry point must run as if nothing were."""
    on_command: bool = False
    """Whether its arguments are for an entry point that takes any, and so neither refused nor harmless to others."""
    on_read_only_root: bool = False
    """Whether it needs files that nobody can make on a node: a second line of defence."""
    control: tuple[str, ...] = ()


def file_content(path: str, content: str, toolbox: Toolbox) -> bytes:
    """Give the bytes of a file of an attack, as `Attack.files` describes it."""
    if path.endswith(".pyc"):
        return toolbox.run(["python3", "-I", "-c", COMPILE], input=content.encode())
    if path.endswith(".zip"):
        archive = io.BytesIO()
        with ZipFile(archive, "w") as files:
            for name in ("sitecustomize.py", "json.py", "evil.py", "encodings/__init__.py"):
                files.writestr(name, content)
        return archive.getvalue()
    return content.encode()


def _arguments() -> list[Attack]:
    script = {f"{PLACE}/evil.py": PAYLOAD, f"{PLACE}/status": PAYLOAD}
    refused: dict[str, tuple[str, ...]] = {
        "no argument": (),
        "empty argument": ("",),
        "two entry points": ("boot", "status"),
        "argument after the name": ("status", "-c", PAYLOAD),
        "script after the name": ("status", f"{PLACE}/evil.py"),
        "argument before the name": ("-i", "status"),
        "end of options": ("--",),
        "end of options, then the name": ("--", "status"),
        "inspect": ("-i",),
        "option X": ("-X", "presite=evil"),
        "option W": ("-W", "ignore::evil.Category"),
        "option x": ("-x",),
        "version": ("-V",),
        "help": ("--help",),
        "name in capitals": ("STATUS",),
        "name with a space": ("status ",),
        "name with a newline": ("status\n",),
        "part of a name": ("stat",),
        "path to the name": ("./status",),
        "path above": ("../status",),
        "module's name": ("pinwheel.node.status",),
        "module and function": ("pinwheel.node.status:main",),
        "another module's function": ("os:abort",),
        "very long": ("status" * 20_000,),
    }
    attacks = [Attack(f"arguments: {name}", words, files=script, refused=True) for name, words in refused.items()]
    falls = {
        "command": ("-c", PAYLOAD),
        "module": ("-m", "evil"),
        "script": (f"{PLACE}/evil.py",),
        "directory": (PLACE,),
    }
    files = {**script, f"{PLACE}/__main__.py": PAYLOAD}
    attacks += [
        Attack(f"arguments: {name}", words, files=files, refused=True, control=words) for name, words in falls.items()
    ]
    return [*attacks, Attack("arguments: standard input", ("-",), stdin=PAYLOAD, refused=True, control=("-",))]


def _command() -> list[Attack]:
    """Arguments to the one entry point that takes any: they must reach its own code, and nothing else."""
    files = {f"{PLACE}/evil.py": PAYLOAD, f"{PLACE}/__main__.py": PAYLOAD, f"{PLACE}/-c": PAYLOAD}
    given: dict[str, tuple[str, ...]] = {
        "command": ("-c", PAYLOAD),
        "module": ("-m", "evil"),
        "script": (f"{PLACE}/evil.py",),
        "relative script": ("evil.py",),
        "directory": (PLACE,),
        "standard input": ("-",),
        "inspect": ("-i",),
        "option X": ("-X", "presite=evil"),
        "option W": ("-W", "ignore::evil.Category"),
        "end of options": ("--", "-c", PAYLOAD),
        "another entry point": ("status",),
        "itself": ("apiclient",),
        "empty": ("", ""),
        "no UTF-8": ("\udcff\udcfe",),
        "very long": ("x" * 100_000,),
    }
    attacks = [
        Attack(f"command's arguments: {name}", ("apiclient", *words), files=files, stdin=PAYLOAD, on_command=True)
        for name, words in given.items()
    ]
    attacks += [
        Attack(f"command's link: {name}", words, f"{LINKS}/apiclient", files=files, stdin=PAYLOAD, on_command=True)
        for name, words in given.items()
    ]
    names: dict[str, tuple[str, tuple[str, ...]]] = {
        "entry point that is no command": ("status", ()),
        "entry point that is no command, with arguments": ("status", ("-c", PAYLOAD)),
        "Python": ("python3", ("-c", PAYLOAD)),
        "Python's module": ("python3.13", ("-m", "evil")),
    }
    return attacks + [
        Attack(f"link: {name}", words, f"{LINKS}/{link}", files=files, refused=True)
        for name, (link, words) in names.items()
    ]


def _environment() -> list[Attack]:
    names = ("sitecustomize", "json", "encodings", "pinwheel", "msgspec")
    modules = {f"{PLACE}/path/{name}.py": PAYLOAD for name in names}
    evil = {f"{PLACE}/path/evil.py": CLASS}
    path = {"PYTHONPATH": f"{PLACE}/path"}
    library = {f"{PLACE}/home/lib/python3.13/encodings/__init__.py": PAYLOAD}
    user_base = {f"{PLACE}/base/lib/python3.13/site-packages/usercustomize.py": PAYLOAD}
    cached = {f"{PLACE}/path/json.py": "\n", f"{PLACE}/cache{PLACE}/path/json.cpython-313.pyc": PAYLOAD}

    def attack(name: str, files: Mapping[str, str], *control: str, value: str, **further: str) -> Attack:
        return Attack(name, environment={name: value, **further}, files=files, control=control)

    behaviour = (
        "DEBUG DEVMODE DONTWRITEBYTECODE DUMPREFS FAULTHANDLER CASEOK MALLOCSTATS NODEBUGRANGES OPTIMIZE PERFSUPPORT "
        "PROFILEIMPORTTIME SAFEPATH TRACEMALLOC UNBUFFERED UTF8 VERBOSE WARNDEFAULTENCODING"
    )
    libraries = {
        "GCONV_PATH": PLACE,
        "GLIBC_TUNABLES": "glibc.malloc.check=1",
        "LOCPATH": PLACE,
        "LC_ALL": "tr_TR.UTF-8",
    }
    libraries |= {"OPENSSL_CONF": f"{PLACE}/openssl.cnf", "PATH": PLACE, "TMPDIR": PLACE}
    run, command = "-c", "pass"
    return [
        attack("PYTHONPATH", modules, run, command, value=path["PYTHONPATH"]),
        attack("PYTHONHOME", library, run, command, value=f"{PLACE}/home"),
        attack("PYTHONSTARTUP", evil, "-i", value=f"{PLACE}/path/evil.py", PYTHONINSPECT="1"),
        attack("PYTHONBREAKPOINT", evil, run, "breakpoint()", value="evil.Category", **path),
        attack("PYTHONWARNINGS", evil, run, command, value="ignore::evil.Category", **path),
        attack("PYTHONUSERBASE", user_base, run, command, value=f"{PLACE}/base"),
        attack("PYTHONPYCACHEPREFIX", cached, run, "import json", value=f"{PLACE}/cache", **path),
        attack("PYTHONIOENCODING", evil, value="evil", **path),
        attack("PYTHONPLATLIBDIR", library, value=f"{PLACE}/home/lib"),
        attack("PYTHONEXECUTABLE", library, value=f"{PLACE}/home/bin/python3"),
        attack("PYTHON_PRESITE", evil, value="evil", **path),
        Attack("PYTHONINSPECT", environment={"PYTHONINSPECT": "1"}, stdin=PAYLOAD),
        Attack("what changes Python", environment={f"PYTHON{name}": "1" for name in behaviour.split()}),
        Attack("what changes libraries", environment=libraries),
    ]


def _files() -> list[Attack]:
    names = ("sitecustomize", "usercustomize", "json", "pinwheel/__init__", "pinwheel/node/status", "msgspec/__init__")
    sources = {f"{PLACE}/{name}.py": PAYLOAD for name in (*names, "encodings/__init__")}
    compiled = {f"{PLACE}/{name}.pyc": PAYLOAD for name in (*names, "encodings/__init__")}
    cached = {f"{PLACE}/json.py": "\n", f"{PLACE}/__pycache__/json.cpython-313.pyc": PAYLOAD}
    pth = f"import os; {PAYLOAD}"
    use_json = ("-c", "import json")
    beside = "/usr/lib/pinwheel"
    return [
        Attack("modules in the working directory", files=sources, control=use_json),
        Attack("compiled modules in the working directory", files=compiled, control=use_json),
        Attack("planted cache", files=cached, control=use_json),
        Attack("user site", files={f"{SITE}/usercustomize.py": PAYLOAD}, control=("-c", "pass")),
        Attack("user site's .pth", files={f"{SITE}/evil.pth": pth}, control=("-c", "pass")),
        Attack("path configuration in the working directory", files=_path_configuration(PLACE)),
        Attack("standard input", stdin=PAYLOAD),
        Attack("path configuration beside the launcher", files=_path_configuration(beside), on_read_only_root=True),
        Attack("path configuration above the launcher", files=_path_configuration("/usr/lib"), on_read_only_root=True),
        Attack("system's site", files={"/etc/python3.13/sitecustomize.py": PAYLOAD}, on_read_only_root=True),
        Attack("system's library", files={"/usr/lib/python3.13/sitecustomize.py": PAYLOAD}, on_read_only_root=True),
        Attack("Debian's packages", files={"/usr/lib/python3/dist-packages/evil.pth": pth}, on_read_only_root=True),
        Attack(
            "local packages", files={"/usr/local/lib/python3.13/dist-packages/evil.pth": pth}, on_read_only_root=True
        ),
        Attack("zip archive of the library", files={"/usr/lib/python313.zip": PAYLOAD}, on_read_only_root=True),
        Attack("zip archive beside the launcher", files={f"{beside}/python313.zip": PAYLOAD}, on_read_only_root=True),
    ]


def _path_configuration(directory: str) -> dict[str, str]:
    """Files that tell Python's start-up code where its library is (Modules/getpath.py), and such a library."""
    return {
        f"{directory}/pyvenv.cfg": f"home = {PLACE}/home/bin\nexecutable = {PLACE}/home/bin/python3\n",
        f"{directory}/python313._pth": f"{PLACE}/path\nimport site\n",
        f"{directory}/launch._pth": f"{PLACE}/path\nimport site\n",
        f"{directory}/pybuilddir.txt": PLACE,
        f"{PLACE}/path/encodings/__init__.py": PAYLOAD,
        f"{PLACE}/home/lib/python3.13/encodings/__init__.py": PAYLOAD,
    }


def _of_the_command(attacks: list[Attack]) -> list[Attack]:
    """Try the same on the entry point that takes arguments, which runs where its caller is."""
    return [
        replace(one, name=f"{one.name} (command)", arguments=("apiclient", "--help"), control=()) for one in attacks
    ]


_SURROUNDINGS = [*_environment(), *_files()]
ATTACKS = [*_arguments(), *_command(), *_SURROUNDINGS, *_of_the_command(_SURROUNDINGS)]
