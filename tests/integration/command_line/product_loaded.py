"""Loads what the commands load when they run: for a process from which theirs are split off."""

import pkgutil
from importlib import import_module

BESIDE = ("alembic.command", "psycopg", "rich.progress", "sqlalchemy.dialects.sqlite")

for package in map(import_module, ("infra", "services", "shared")):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if "migrations" not in module.name:
            import_module(module.name)
for name in BESIDE:
    import_module(name)
