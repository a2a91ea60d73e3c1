"""Sphinx reads this; the version is pyproject's."""

import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]

project = PROJECT["name"]
copyright = PROJECT["authors"][0]["name"]
author = copyright
release = version = PROJECT["version"]

extensions = ["pallets_sphinx_themes"]
exclude_patterns = ["_build"]
default_role = "literal"
nitpicky = True
highlight_language = "none"

html_theme = "flask"
html_title = f"toastkit {release}"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["contents.css"]
html_sidebars = {
    "index": ["searchbox.html"],
    "**": ["localtoc.html", "relations.html", "searchbox.html"],
}
