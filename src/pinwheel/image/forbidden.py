# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The programs that an image may not hold, by the names they are installed under and by what gives them away inside.

An attacker inside a node should find nothing that runs a text they bring. Names alone would miss a renamed program, and
content alone a program nobody looked at: both are checked.
"""

import re
from collections.abc import Mapping

VERSION = r"-?[0-9]*(\.[0-9]+)*"
"""The version that Debian puts behind a program's name: python3.13, gcc-14, perl5.40.1."""

_TRIPLET = r"((x86_64|i686|aarch64|arm|riscv64)-[a-z0-9_-]+-)?"
"""The target that cross tools put before a program's name: x86_64-linux-gnu-gcc."""

_NAMES: Mapping[str, str] = {
    "shell": (
        "sh bash rbash dash ash hush busybox toybox zsh rzsh ksh ksh93 rksh mksh lksh pdksh oksh posh yash fish "
        "csh tcsh rc es elvish nu xonsh oil osh ysh pwsh sash static-sh sh1 scsh klibc-sh"
    ),
    "interpreter": (
        "python pythonw pypy micropython ipython jython perl perlthanks raku awk mawk gawk nawk original-awk bwk "
        "lua luajit texlua ruby irb jruby mruby node nodejs deno bun qjs qjsc js js-shell gjs d8 tclsh wish "
        "expect jimsh php phpdbg php-cgi guile gauche gosh racket scheme mit-scheme sbcl clisp ecl emacs vim vi "
        "ex nvim ed gdb gdbserver lldb pdb java jshell groovy scala kotlin dotnet mono erl escript elixir iex "
        "ghci runghc ocaml ocamlrun swipl R Rscript octave julia bpftrace stap dc bc m4 gforth forth rexx crystal "
        "dart nim janet tcc wasmtime wasmer sqlite3"
    ),
    "package-manager": (
        "apt apt-get apt-cache apt-mark apt-config apt-key aptitude dpkg dpkg-deb dpkg-query dpkg-divert "
        "dpkg-trigger dpkg-split dpkg-statoverride dselect rpm rpm2cpio rpmkeys yum dnf microdnf zypper apk "
        "pacman portage emerge opkg ipkg snap flatpak nix nix-env guix brew pip pipx uv easy_install npm npx yarn "
        "pnpm gem bundle cargo conda mamba poetry luarocks cpan cpanm composer"
    ),
    "compiler": (
        "cc gcc g++ c++ c89 c99 cpp clang clang++ clang-cpp cc1 cc1plus collect2 lto1 lto-wrapper as ld ld.bfd "
        "ld.gold ld.lld lld mold gold ar ranlib nm objcopy objdump strip make gmake bmake cmake ninja meson rustc "
        "go gccgo gofmt gfortran gdc ldc2 ghc ocamlc ocamlopt fpc nasm yasm opt llc lli llvm-as bpftool-gen zig "
        "javac tcc bcc flex bison yacc"
    ),
    "ssh-server": (
        "sshd sshd-session sshd-auth sftp-server dropbear dropbearmulti tinysshd lsh lshd in.telnetd telnetd rshd"
    ),
}

RULES_BY_NAME: Mapping[str, re.Pattern[str]] = {
    rule: re.compile(f"{_TRIPLET}(?:{'|'.join(re.escape(name) for name in names.split())}){VERSION}")
    for rule, names in _NAMES.items()
}
"""Rule -> what a forbidden program's whole file name matches."""

RULES_BY_MARKER: Mapping[str, str] = {
    **dict.fromkeys(("bash", "busybox", "toybox", "ash", "mksh", "zsh", "fish"), "shell"),
    **dict.fromkeys(("python", "perl", "awk", "lua", "ruby", "node", "tcl", "php", "guile", "gdb"), "interpreter"),
    **dict.fromkeys(("gcc", "clang", "as", "ld", "make"), "compiler"),
    **dict.fromkeys(("dropbear", "sshd"), "ssh-server"),
}
"""The markers of `pinwheel.image.content.MARKERS` -> the rule that a program with one of them breaks."""

RULES_BY_LIBRARY: Mapping[str, re.Pattern[str]] = {
    "interpreter": re.compile(r"lib(python|perl|lua|ruby|tcl|guile|mozjs|node|php)[-0-9._a-z]*\.so.*"),
    "package-manager": re.compile(r"lib(apt-pkg|apt-private|rpm|apk|alpm|dnf)[-0-9._a-z]*\.so.*"),
}
"""Rule -> the libraries that make of a program which links them an interpreter or a package manager."""


def rule_for_name(name: str) -> str | None:
    """Say which rule forbids a program of this file name."""
    return next((rule for rule, pattern in RULES_BY_NAME.items() if pattern.fullmatch(name)), None)


def rule_for_library(name: str) -> str | None:
    """Say which rule forbids a program that links this library."""
    return next((rule for rule, pattern in RULES_BY_LIBRARY.items() if pattern.fullmatch(name)), None)
