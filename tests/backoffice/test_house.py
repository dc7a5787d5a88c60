"""The import contracts name modules one by one; a new one must not stay outside."""

import tomllib
from pathlib import Path
from pkgutil import iter_modules

ROOT = Path(__file__).resolve().parents[2]


def test_every_module_of_the_project_is_in_the_first_layer():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    there = {f"backoffice.{module.name}" for module in iter_modules([str(ROOT / "backoffice")])}
    assert set(layers[0].split(" : ")) == there - {"backoffice.kit"}
