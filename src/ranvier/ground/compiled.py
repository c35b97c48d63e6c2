"""Where compiled kernels come from and are kept.

Compiling takes a while, so it is done once: the machine code is kept in a folder named after a digest of all kernel
sources. (Numba alone notices a change only in the file of the function itself, not in the files of the functions it
calls; the digest makes stale code impossible.)
"""

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import config

F = TypeVar("F", bound=Callable[..., Any])

_PACKAGE = Path(__file__).resolve().parent.parent
_DONE = "compiled"


def _digest() -> str:
    """Digest over kernel sources, Numba's version and NumPy's, which the machine code depends on."""
    sha = hashlib.sha256(f"{numba.__version__}".encode())
    for path in sorted(_PACKAGE.glob("*/*kernels.py")):
        sha.update(path.read_bytes())
    return sha.hexdigest()[:16]


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _folder() -> Path:
    """The first place that can be written: beside the package, the user's cache, a temporary folder."""
    name = f"kernels-{_digest()}"
    choices = [_PACKAGE / ".kernels" / name]
    try:
        choices.append(Path.home() / ".cache" / "ranvier" / name)
    except RuntimeError:  # no home folder
        pass
    for folder in choices:
        if _writable(folder):
            return folder
    return Path(tempfile.gettempdir()) / f"ranvier-{name}"


FOLDER = _folder()
setattr(config, "CACHE_DIR", str(FOLDER))  # noqa: B010  (Numba makes its settings at import; mypy does not see them)


KERNEL: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "nsz", "arcp"},
    "_nrt": True,  # said, for else a borrower that calls a kernel would hand its own on
}
BORROWER: dict[str, Any] = {**KERNEL, "_nrt": False}


def kernel(function: F) -> F:
    """Compile `function` to machine code at its first call, keep it on disk, and release the interpreter lock while it runs.

    Sums may be reordered and products fused (`reassoc`, `contract`), NaN and infinity keep their meaning.
    """
    return cast(F, numba.njit(**KERNEL)(function))


def borrower(function: F) -> F:
    """As `kernel`, for a function that makes no arrays and gives none back: it borrows those that it is handed.

    Numba counts who holds an array each time one is handed over or taken out of a named tuple, with an atomic instruction. A
    borrower counts nothing: its caller holds the arrays while it runs (ADR 0051). Making an array inside does not compile.
    """
    return cast(F, numba.njit(**BORROWER)(function))


def are_compiled() -> bool:
    """Whether an earlier run has compiled the kernels, so that this run need not."""
    return (FOLDER / _DONE).exists()


def mark_compiled() -> None:
    """Remember that all kernels have been compiled once."""
    (FOLDER / _DONE).touch()
