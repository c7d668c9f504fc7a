"""How this documentation is built: ``sphinx-build -W docs build/docs``. Nothing is fetched from anywhere."""

from __future__ import annotations

import sys
from pathlib import Path

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE.parent), str(_HERE), str(_HERE / "_ext")]

import eqspike  # noqa: E402  found by the path above
import hw_models  # noqa: E402

project = "eqspike"
author = "The eqspike developers"
copyright = author
version = release = eqspike.__version__

extensions = ["sphinx.ext.autodoc", "house"]
exclude_patterns = ["_build"]
default_role = "literal"

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # signatures of validated settings would be pages long: their tables say it better

smartquotes = False  # options begin with two hyphens
nitpicky = True  # of links to public names: others lead to what has no page
_PUBLIC = "|".join(f"{module.__name__}.{name}" for module in (eqspike, hw_models) for name in module.__all__)
nitpick_ignore_regex = [(r".*", rf"(?!({_PUBLIC})$).*")]

html_theme = "alabaster"
html_static_path = ["_static"]
html_css_files = ["house.css"]
html_title = f"eqspike {release}"
html_theme_options = {
    "description": "Neuromorphic hardware that learns by itself, emulated, counted and priced",
    "fixed_sidebar": True,
    "page_width": "1240px",
    "body_max_width": "none",
    "show_powered_by": False,
    "show_relbar_bottom": True,
    "font_family": "system-ui, sans-serif",
    "head_font_family": "system-ui, sans-serif",
}
html_show_sourcelink = False
