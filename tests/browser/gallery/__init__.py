"""A gallery of all parts that pages are made of, in each of their states, to be looked at.

    .venv/bin/python -m tests.browser.gallery

serves it on loopback, for whoever changes the stylesheet.
"""
