"""A program beside this folder, as a module: what one loads a server with, another needs, too."""

import importlib.machinery
import importlib.util
import sys

from .server import ROOT


def sibling(name):
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(ROOT / "benches" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module
