#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The fences of the house: fence.py SOURCE_ROOT BUILD_ROOT

1. Everything outside host/ and cli/ is compiled as strict C17.
2. A folder's library calls only what its list allows, and nothing upwards.
3. No writable global or static data below cli/.
4. A folder includes only from the folders below it.
5. Guest-visible order never comes from pointers: no pointer-to-integer casts
   feeding a hash or comparison outside the places listed.
6. No floating-point instruction below cli/: the host's rounding is the guest's
   while translated code runs, and results would differ between hosts anyway.
7. No line of src/, include/ and tests/ is longer than 120 columns.

Prints one line a finding and exits 1 if there is any.
"""
import json
import pathlib
import re
import subprocess
import sys

# Lowest first.  A folder may use itself and every folder of an earlier rank.
RANKS = [
    ["base"],
    ["state", "fp", "mem"],
    ["sim"],
    ["vcpu"],
    ["ir", "ir/opt", "ir/vec"],
    ["guest/x86", "engine", "engine/interp", "engine/x64"],
    ["dev", "dev/input"],
    ["board"],
    ["rr"],
    ["timeline"],
    ["debug"],
    ["cli"],
]
RANK = {folder: i for i, row in enumerate(RANKS) for folder in row}
# host/ is inverted: it implements interfaces of these folders, and only cli/ uses it.
HOST_USES = {"base", "sim", "mem", "engine", "dev", "rr", "host"}
# Siblings that must not know each other.
STRANGERS = [("guest", "engine")]

LIBRARY = {  # static library -> folders whose objects it holds
    "libbase.a": "base", "libstate.a": "state", "libfp.a": "fp", "libmem.a": "mem", "libsim.a": "sim",
    "libvcpu.a": "vcpu", "libir.a": "ir", "libvec.a": "ir/vec", "libx86.a": "guest/x86", "libengine.a": "engine",
    "libx64.a": "engine/x64",
    "libdev.a": "dev", "libboard.a": "board", "librr.a": "rr", "libdebug.a": "debug",
}

# What strict code may take from the C library: memory, strings, formatting, C11 threads.
ALLOWED = set("""
memcpy memmove memset memcmp memchr strlen strcmp strncmp strchr strrchr strstr strspn strcspn strtoull strtoul strtol
strcpy strncpy strcat strpbrk
snprintf vsnprintf qsort bsearch malloc calloc realloc aligned_alloc free abort setjmp longjmp _setjmp
__stack_chk_fail __memcpy_chk __memset_chk __memmove_chk __snprintf_chk __vsnprintf_chk __isoc99_sscanf __assert_fail
__ctype_b_loc __ctype_tolower_loc __ctype_toupper_loc __longjmp_chk
_GLOBAL_OFFSET_TABLE_ __tls_get_addr
""".split())
EXTRA = {
    "base": set("stderr fputs fputc fwrite vfprintf fprintf".split()),          # panic() only
    "sim": set("""mtx_init mtx_lock mtx_unlock mtx_destroy cnd_init cnd_signal cnd_broadcast cnd_wait
                  cnd_destroy""".split()),
    "state": set("""XXH3_64bits XXH3_64bits_withSeed XXH3_64bits_reset XXH3_64bits_update XXH3_64bits_digest
                    XXH3_createState XXH3_freeState""".split()),
}
EXTRA["debug"] = {"ZydisDisassembleIntel"} | EXTRA["sim"]
EXTRA["mem"] = EXTRA["state"]
EXTRA["rr"] = EXTRA["state"] | EXTRA["sim"] | set("""ZSTD_compress ZSTD_decompress ZSTD_compressBound ZSTD_isError
    ZSTD_getErrorName ZSTD_getFrameContentSize ZSTD_createCCtx ZSTD_freeCCtx ZSTD_compressCCtx ZSTD_CCtx_refPrefix
    ZSTD_createDCtx ZSTD_DCtx_refPrefix ZSTD_freeDCtx ZSTD_decompressDCtx ZSTD_CCtx_setParameter
    ZSTD_compress2""".split())
COMPILER = re.compile(r"^(__(asan|ubsan|sanitizer|lsan|tsan|sancov|gcov|llvm|afl)|_ITM_|"
                      r"__(u?div|u?mod|mul|u?divmod)ti|__popcount|__emutls)")

errors = []


def folder_of(path):
    for f in sorted(RANK, key=len, reverse=True):
        if path == f or path.startswith(f + "/"):
            return f
    return path.split("/")[0]


def may_use(user, used):
    if user == used:
        return True
    if user == "host":
        return used in HOST_USES
    if used == "host":
        return user == "cli"
    for a, b in STRANGERS:
        if {user.split("/")[0], used.split("/")[0]} == {a, b}:
            return False
    if user not in RANK or used not in RANK:
        return False
    return RANK[used] < RANK[user] or (RANK[used] == RANK[user] and user.split("/")[0] == used.split("/")[0])


def check_includes(src):
    for f in sorted(src.rglob("*.[ch]")):
        rel = f.relative_to(src).as_posix()
        user = folder_of(rel.rsplit("/", 1)[0])
        for n, line in enumerate(f.read_text(errors="replace").splitlines(), 1):
            m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not m or "/" not in m.group(1):
                continue
            used = folder_of(m.group(1).rsplit("/", 1)[0])
            if used == "reprise":
                continue
            if not may_use(user, used):
                errors.append(f"src/{rel}:{n}: {user}/ includes {m.group(1)}, which is not below it")


def check_standard(build):
    commands = json.loads((build / "compile_commands.json").read_text())
    for c in commands:
        f = c["file"].replace("\\", "/")
        m = re.search(r"(?:^|/)src/(.+)$", f)
        if not m or m.group(1).split("/")[0] in ("host", "cli"):
            continue
        std = re.findall(r"-std=(\S+)", c["command"])
        if not std or std[-1] != "c17":
            errors.append(f"src/{m.group(1)}: compiled as {std[-1] if std else 'the default'}, not strict c17")
        if "-ffp-contract=off" not in c["command"]:
            errors.append(f"src/{m.group(1)}: compiled without -ffp-contract=off")


def symbols_of(lib):
    """(object, kind, symbol): kind U undefined, W writable data, T anything else that is defined.

    Read-only data with pointers (.data.rel.ro) is written by the dynamic linker only.
    """
    out = subprocess.run(["objdump", "-t", str(lib)], capture_output=True, text=True, check=True).stdout
    member = ""
    for line in out.splitlines():
        m = re.match(r"(\S+):\s+file format", line)
        if m:
            member = m.group(1)
            continue
        m = re.match(r"[0-9a-f]{8,16} (.{7}) (\S+)\s+[0-9a-f]+\s+(?:\.hidden )?(\S+)$", line)
        if not m:
            continue
        flags, section, name = m.groups()
        if section == "*UND*":
            yield member, "U", name
        elif "d" in flags or "f" in flags or section == "*ABS*":
            continue
        elif section == "*COM*" or re.match(r"\.(data|bss|tdata|tbss)(?!\.rel\.ro)", section):
            yield member, "W", name
        else:
            yield member, "T", name


def check_symbols(build):
    libs = {p.name: p for p in build.rglob("lib*.a")}
    symbols = {name: list(symbols_of(path)) for name, path in libs.items() if name in LIBRARY}
    missing = [n for n in LIBRARY if n not in symbols]
    for n in missing:
        errors.append(f"{n} was not built: nothing to check for {LIBRARY[n]}/")
    owner = {}
    for name, syms in symbols.items():
        for _, kind, sym in syms:
            if kind in "TW":
                owner.setdefault(sym, LIBRARY[name])
    for name, syms in sorted(symbols.items()):
        folder = LIBRARY[name]
        allowed = ALLOWED | EXTRA.get(folder, set())
        local = {s for _, k, s in syms if k != "U"}
        for obj, kind, sym in syms:
            if COMPILER.match(sym):
                continue
            if kind == "U" and sym not in local:
                if sym in owner:
                    if not may_use(folder, owner[sym]) and not owner[sym].startswith(folder + "/"):
                        errors.append(f"{folder}/{obj}: calls {sym} of {owner[sym]}/, which is not below it")
                elif sym not in allowed:
                    errors.append(f"{folder}/{obj}: uses {sym}, which is not on {folder}/'s list")
            if kind == "W" and not sym.startswith((".", "__")):
                errors.append(f"{folder}/{obj}: {sym} is writable global or static data")


# A pointer turned into a number may feed alignment or host addressing, nothing else.
POINTER_CAST = re.compile(r"\(u?intptr_t\)")
POINTER_CAST_OK = ("ir/", "engine/", "vcpu/", "mem/ram.c")


def check_pointers(src):
    for f in sorted(src.rglob("*.c")):
        rel = f.relative_to(src).as_posix()
        if rel.startswith(("host/", "cli/") + POINTER_CAST_OK):
            continue
        for n, line in enumerate(f.read_text(errors="replace").splitlines(), 1):
            if POINTER_CAST.search(line):
                errors.append(f"src/{rel}:{n}: a pointer becomes a number: {line.strip()}")


# SSE, AVX and x87 arithmetic, compares and conversions; moves and integer vectors are no such.
FLOAT = re.compile(r"\tv?((add|sub|mul|div|sqrt|min|max|round|dp|hadd|hsub|addsub|rcp|rsqrt|cmp\w*|u?comi|cvtt?\w*2|"
                   r"fn?m\w+)([sp][sdh]|si[lq]?|pi|[dq]q)[lq]?|f(add|sub|mul|div|sqrt|i?ld|i?stp?|u?comi?)\w*)\b")


def check_float(build):
    for path in sorted(build.rglob("lib*.a")):
        folder = LIBRARY.get(path.name, "host" if path.name == "libhost.a" else None)
        if folder is None:
            continue
        out = subprocess.run(["objdump", "-d", "--no-show-raw-insn", str(path)],
                             capture_output=True, text=True, check=True)
        function = ""
        for line in out.stdout.splitlines():
            if line.endswith(">:"):
                function = line.split("<")[-1][:-2]
            elif FLOAT.search(line):
                errors.append(f"{folder}/: {function} computes in floating point: {line.split(chr(9), 1)[-1].strip()}")


COLUMNS = 120


def check_columns(root):
    for f in sorted(f for folder in ("src", "include", "tests") for f in (root / folder).rglob("*")):
        if not f.is_file() or f.suffix == ".pyc":
            continue
        for n, line in enumerate(f.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if len(line) > COLUMNS:
                errors.append(f"{f.relative_to(root).as_posix()}:{n}: {len(line)} columns")


def main():
    root = pathlib.Path(sys.argv[1])
    src = root / "src"
    build = pathlib.Path(sys.argv[2])
    check_includes(src)
    check_standard(build)
    check_symbols(build)
    check_pointers(src)
    check_float(build)
    check_columns(root)
    for e in errors:
        print(e)
    print(f"{len(errors)} findings")
    sys.exit(1 if errors else 0)


main()
