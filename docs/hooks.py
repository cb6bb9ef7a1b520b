"""Makes pages of the site from files that are written to be read in the repository as well.

Some pages are files outside ``docs/``; links between pages are those of the repository. What a link
names that is not on the site, such as a folder of code, stays as words.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "harness/statistics/README.md": "statistics.md",
}
"""The page of the site by the file in the repository; every other page is a file of ``docs/``."""

FILES = {page: file for file, page in PAGES.items()}
LINK = re.compile(r"\[([^\]\n]*)\]\(([^)#\s:]+)(#[^)\s]*)?\)")
FILE_NAME = re.compile(r"^(```\w+) (\S+\.\w+)$", re.MULTILINE)


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are files outside ``docs/``."""
    for file, page in PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / file)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:  # noqa: ARG001
    """Make links those of the site, and the name of a block's file its title."""
    uri = page.file.src_uri
    here = posixpath.dirname(FILES.get(uri, f"docs/{uri}"))

    def on_the_site(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        path = posixpath.normpath(posixpath.join(here, target))
        to = PAGES.get(path, path.removeprefix("docs/"))
        if files.get_file_from_path(to):
            return f"[{text}]({posixpath.relpath(to, posixpath.dirname(uri) or '.')}{anchor})"
        return text if (ROOT / path).exists() else found[0]

    return FILE_NAME.sub(r'\1 title="\2"', LINK.sub(on_the_site, markdown))
