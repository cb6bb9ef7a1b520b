"""The drawings inside the page: small SVG with real text, in the page's own colours.

``reports/charts`` draws figures for slides and papers, as files. These here are a part of the page:
they take its font and its light or dark, a reader can search their text, and a mark can be a link.
"""
