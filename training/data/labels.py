"""Labels in ``.npy`` files, read without executing anything.

CriSp publishes its labels as object arrays, which numpy reads by running the pickle inside. Here the pickle's values
are rebuilt, but every class and function that it names is replaced by a stand-in of this module that only keeps what
it is given; a name that is not one of numpy's three for arrays, types and scalars is refused.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from outsole.errors import DataCorrupt, NotFound

_LARGEST_BYTES = 256 * 1024 * 1024
_REMEDY = "save it as a plain array of text: numpy.save(path, numpy.array(rows, dtype=str))"


def read_text_array(path: Path) -> NDArray[np.str_]:
    """An array of text or whole numbers as text, of any shape.

    Raises:
        NotFound: There is no such file.
        DataCorrupt: It is no such array, or would have to be executed to be read.
    """
    array = _read(path)
    if isinstance(array, dict) or array.dtype.kind not in "UiuO":
        raise DataCorrupt(f"{path} is no array of text", field="data", remedy=_REMEDY)
    if array.dtype.kind == "O" and not all(isinstance(value, str | int) for value in array.flat):
        raise DataCorrupt(f"{path} holds something else than text", field="data", remedy=_REMEDY)
    return array.astype(np.str_)


def read_text_mapping(path: Path) -> dict[str, str]:
    """A mapping of text to text: an array [N, 2], or one dict in an array without dimensions.

    Raises:
        NotFound, DataCorrupt: As ``read_text_array``; also where a key comes twice with different values.
    """
    content = _read(path)
    if isinstance(content, dict):
        pairs = list(content.items())
    else:
        rows = read_text_array(path)
        if rows.ndim != 2 or rows.shape[1] != 2:
            message = f"{path} has shape {rows.shape} where [N, 2] is needed"
            raise DataCorrupt(message, field="data", remedy=_REMEDY)
        pairs = [(str(key), str(value)) for key, value in rows]
    if not all(isinstance(part, str | int) for pair in pairs for part in pair):
        raise DataCorrupt(f"{path} maps something else than text to text", field="data", remedy=_REMEDY)
    mapping: dict[str, str] = {}
    for key, value in pairs:
        if mapping.setdefault(str(key), str(value)) != str(value):
            raise DataCorrupt(f"{path} gives {key!r} two values", field="data")
    return mapping


def _read(path: Path) -> NDArray[Any] | dict[Any, Any]:
    if not path.is_file():
        raise NotFound(f"there is no {path}", field="data")
    if path.stat().st_size > _LARGEST_BYTES:
        raise DataCorrupt(f"{path} is too large for labels", field="data", remedy=f"at most {_LARGEST_BYTES} bytes")
    with path.open("rb") as file:
        try:
            shape, dtype = _header(file)
            if dtype.hasobject:
                return _object_array(file, shape)
            file.seek(0)
            array: NDArray[Any] = np.load(file, allow_pickle=False)
            return array
        except _Refused as error:
            message = f"{path} is an object array that names {error}, which is not executed"
            raise DataCorrupt(message, field="data", remedy=_REMEDY) from error
        except Exception as error:  # What a cut or changed file raises in numpy and pickle, nobody has listed.
            raise DataCorrupt(f"{path} is no .npy file that can be read", field="data", remedy=_REMEDY) from error


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    read = npy.read_array_header_1_0 if npy.read_magic(file) == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def _object_array(file: IO[bytes], shape: tuple[int, ...]) -> NDArray[Any] | dict[Any, Any]:
    """Elements of an object array; the dict where there is one alone."""
    elements = _InertUnpickler(file).load().elements
    if shape == () and len(elements) == 1 and isinstance(elements[0], dict):
        only: dict[Any, Any] = elements[0]
        return only
    array = np.empty(len(elements), dtype=object)
    array[:] = elements
    return array.reshape(shape)


class _Refused(Exception):
    """A pickle names something that is not inert."""


class _Stand:
    """Takes the place of an array or a type: keeps what it was made from and its state."""

    def __init__(self, *made_from: Any) -> None:
        self.made_from = made_from
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    @property
    def elements(self) -> list[Any]:
        """Of an array: version, shape, type, order and the elements are its state."""
        return list(self.state[4])


def _scalar(dtype: _Stand, data: bytes) -> str | int:
    """A numpy scalar of text or a whole number; its type's state begins with version and byte order."""
    code, order = str(dtype.made_from[0]), "big" if dtype.state[1] == ">" else "little"
    if code.startswith("U"):
        return data.decode("utf-32-be" if order == "big" else "utf-32-le").rstrip("\0")
    if code[:1] in ("i", "u"):
        return int.from_bytes(data, "big" if order == "big" else "little", signed=code.startswith("i"))
    raise _Refused(f"a scalar of type {code}")


_STANDS = {"_reconstruct": _Stand, "ndarray": _Stand, "dtype": _Stand, "scalar": _scalar}
_NUMPY = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray")


class _InertUnpickler(pickle.Unpickler):
    """Rebuilds text, numbers, lists and dicts; calls nothing but the stand-ins above."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """The stand-in for a name of numpy."""
        if module_name not in _NUMPY or global_name not in _STANDS:
            raise _Refused(f"{module_name}.{global_name}")
        return _STANDS[global_name]
