# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds what the guests run: the workload program, an initrd around it, and the same files for the host."""
import errno
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = HERE.parent
sys.path.insert(0, str(TOOLS.parent / "tests" / "boot"))
from guest import kernel  # noqa: E402,F401

FLAGS = ["-O2", "-Wall", "-Wextra", "-ffp-contract=off", "-static"]
MACHINE = {"amd64": ["-m64"], "i386": ["-m32", "-march=i686"]}
SIMD = {"sse2": ["-msse2", "-DWIDTH=16", "-DNAME=simd_sse2"], "avx2": ["-mavx2", "-DWIDTH=32", "-DNAME=simd_avx2"]}


class Missing(Exception):
    """Something that the benchmark needs is not installed."""


def compile_program(arch, out):
    source = HERE / "guest"
    compiler = ["gcc", *FLAGS, *MACHINE[arch]]
    objects = []
    for name, flags in SIMD.items():
        objects.append(out.with_name(f"{name}.o"))
        run([*compiler, *flags, "-c", source / "simd.c", "-o", objects[-1]])
    run([*compiler, source / "work.c", *objects, "-lm", "-o", out])


def run(argv):
    try:
        result = subprocess.run([str(a) for a in argv], capture_output=True, text=True)
    except OSError as reason:
        raise Missing(f"{argv[0]}: {reason.strerror}") from None
    if result.returncode:
        raise Missing(f"{pathlib.Path(argv[0]).name} failed: {(result.stderr or result.stdout).strip()[-600:]}")


def runs_here(folder):
    """Can the host run what guest() has built there?  Not every kernel takes 32-bit programs."""
    try:
        subprocess.run([folder / "root" / "bin" / "busybox", "true"], check=True)
    except OSError as reason:
        if reason.errno != errno.ENOEXEC:
            raise
        return False
    return True


def newer(out, sources):
    return out.exists() and all(out.stat().st_mtime >= s.stat().st_mtime for s in sources)


def guest(where, arch):
    """Makes WHERE/ARCH/initrd.gz and WHERE/ARCH/root, its files for the host; returns their folder."""
    folder = where / arch
    initrd = folder / "initrd.gz"
    if not kernel(arch).exists():
        raise Missing(f"{kernel(arch)} is missing: install debian-installer-12-netboot-{arch}")
    if newer(initrd, [*(HERE / "guest").iterdir(), TOOLS / "make-initrd.sh"]):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    extra = folder / "extra"
    (extra / "bin").mkdir(parents=True)
    (extra / "bench").mkdir()
    compile_program(arch, folder / "work")
    shutil.copy(folder / "work", extra / "bin" / "work")
    shutil.copy(HERE / "guest" / "init", extra / "init")
    shutil.copy(HERE / "guest" / "run.sh", extra / "bench" / "run.sh")
    part = folder / f"initrd.{os.getpid()}"
    run(["sh", TOOLS / "make-initrd.sh", arch, part, extra])
    (folder / "root").mkdir()
    run(["sh", "-c", f"gzip -dc {part} | (cd {folder / 'root'} && cpio -i --quiet)"])
    part.rename(initrd)
    return folder
