"""`python -m tools.shape`: print the measures of the code that CONTRIBUTING.md explains."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("backoffice", "content", "syncer")
PRODUCT = (*PACKAGES, "tools", "deploy", "bench")
ANY, IGNORE = r"\bAny\b", "# type: ignore"
SHORT = 3  # lines of a function's body without its docstring


def sources(*folders: str) -> Iterator[Path]:
    """Yield the Python files below these folders, without migrations."""
    for folder in folders:
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in path.parts)


def lines(*folders: str) -> int:
    """Return the number of lines of code and comments, as `wc -l` counts."""
    return sum(path.read_text().count("\n") for path in sources(*folders))


def functions() -> Iterator[int]:
    """Yield the length of each function's body without its docstring, in lines."""
    for path in sources(*PACKAGES):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                yield (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def deepest_chain() -> list[str]:
    """Return the longest chain of imports between our modules, which have no import cycle."""
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True)

    @cache
    def below(module: str) -> list[str]:
        chains = [below(other) for other in sorted(graph.find_modules_directly_imported_by(module))]
        return [module, *max(chains, key=len, default=[])]

    return max((below(module) for module in sorted(graph.modules)), key=len)


def occurrences(pattern: str, *folders: str) -> int:
    """Return the number of matches of the pattern below these folders."""
    return sum(len(re.findall(pattern, path.read_text())) for path in sources(*folders))


def main() -> None:
    lengths = list(functions())
    chain = deepest_chain()
    print(f"{lines(*PRODUCT):6} lines of code, without migrations")
    print(f"{lines('tests'):6} lines of tests")
    print(f"{len(list(sources(*PACKAGES))):6} modules")
    print(f"{100 * sum(length <= SHORT for length in lengths) // len(lengths):5}% of functions: {SHORT} lines or fewer")
    print(f"{max(lengths):6} lines has the longest function")
    print(f"{occurrences(ANY, *PACKAGES):6} times Any")
    print(f"{occurrences(IGNORE, *PRODUCT, 'tests'):6} times type: ignore")
    print(f"{len(chain):6} modules in the deepest chain of imports:")
    print("\n".join(f"       {module}" for module in chain))


if __name__ == "__main__":
    main()
