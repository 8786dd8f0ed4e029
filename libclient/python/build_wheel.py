"""Builds the wheel, with nothing but the standard library: the two files become a package.

In a wheel `streamem.py` is `streamem/__init__.py`, because only a package can carry `py.typed` and a module
`streamem.compat`; the file itself is the same. Owns that mapping and the metadata; never changes a file.
"""

import base64
import hashlib
import io
import os
import re
import tarfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
INSIDE = [
    ("streamem.py", "streamem/__init__.py"),
    ("streamem.pyi", "streamem/__init__.pyi"),
    ("streamem_compat.py", "streamem/compat.py"),
    ("streamem_compat.pyi", "streamem/compat.pyi"),
]
SOURCES = [source for source, _ in INSIDE] + ["pyproject.toml", "build_wheel.py"]


def _read(name):
    with open(os.path.join(HERE, name), "rb") as file:
        return file.read()


def _version():
    return re.search(r'^__version__ = "(.+)"$', _read("streamem.py").decode(), re.M).group(1)


def _metadata():
    lines = [
        "Metadata-Version: 2.1",
        "Name: streamem",
        "Version: " + _version(),
        "Summary: Read frames of a Streamem broker where they lie",
        "License: MIT OR Apache-2.0",
        "Requires-Python: >=3.4",
    ]
    return ("\n".join(lines) + "\n").encode()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    version = _version()
    info = "streamem-%s.dist-info/" % version
    tags = b"Wheel-Version: 1.0\nGenerator: streamem\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = [(target, _read(source)) for source, target in INSIDE]
    files += [("streamem/py.typed", b""), (info + "METADATA", _metadata()), (info + "WHEEL", tags)]
    record = ""
    for name, body in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
        record += "%s,sha256=%s,%d\n" % (name, digest, len(body))
    record += info + "RECORD,,\n"
    wheel = "streamem-%s-py3-none-any.whl" % version
    with zipfile.ZipFile(os.path.join(wheel_directory, wheel), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files + [(info + "RECORD", record.encode())]:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), body)
    return wheel


def build_sdist(sdist_directory, config_settings=None):
    root = "streamem-%s" % _version()
    files = [(name, _read(name)) for name in SOURCES] + [("PKG-INFO", _metadata())]
    with tarfile.open(os.path.join(sdist_directory, root + ".tar.gz"), "w:gz") as archive:
        for name, body in files:
            member = tarfile.TarInfo(root + "/" + name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return root + ".tar.gz"
