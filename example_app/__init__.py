"""The whole service: toastkit behind gunicorn, with a page to try it.

Nothing is imported here: ``python -m example_app`` imports this file first, and gevent must
replace locks and sockets before anybody keeps an unpatched one.

PYTEST_DONT_REWRITE: who imports this and runs pytest then, is not to be warned about it.
"""
