# SPDX-License-Identifier: Apache-2.0
"""What the checks in this folder share: which files there are, and how a finding is printed."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
CODE = (".cpp", ".hpp")


def files(root, *folders):
    """Every file of the checkout (tracked, or new and not ignored) in these folders, as sorted
    paths relative to `root`; without git, every file that is not in a build folder."""
    root = pathlib.Path(root)
    listed = None
    if (root / ".git").exists():
        try:
            done = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard",
                                   "-z"], capture_output=True, check=True)
            listed = done.stdout.decode().split("\0")
        except (OSError, subprocess.CalledProcessError):
            pass
    if listed is None:
        listed = []
        for folder, below, names in os.walk(root):
            below[:] = [d for d in below
                        if d not in (".git", "build", "node_modules", "__pycache__")]
            listed += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    wanted = tuple(f + "/" for f in folders)
    return sorted(pathlib.PurePosixPath(name) for name in set(listed)
                  if name and (not folders or name.startswith(wanted)) and (root / name).is_file())


def read(root, path):
    """The file's text, or "" for one that is not text."""
    try:
        return (pathlib.Path(root) / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def report(findings, what):
    """Prints findings (path, line, text) and returns the exit status."""
    for path, line, text in findings:
        print(f"{path}:{line}: {text}")
    print(f"{what}: {len(findings)} finding{'' if len(findings) == 1 else 's'}")
    return 1 if findings else 0
