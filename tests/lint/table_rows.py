#!/usr/bin/env python3
"""Rows that `convenor table add` writes pass the handbook's lint.

For every page of a corpus (`tables/index.json` and the pages it names), and for made pages of every style, a row is added to
the target table. A page that passes markdownlint before has to pass after; one that does not must not get a kind of finding
that it had not. (A row in a table whose rows all lack the closing pipe of the header lacks it too: there the neighbours count
more than the rule.)
Exit 0: all kept, 1: some page got worse, 2: cannot run. Without the corpus there is nothing to check: exit 0.

    .ci/install
    tests/lint/table_rows.py --convenor target/debug/convenor [--lint PROGRAM] [--corpus DIR]
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

CELLS = [
    "[Rust at Work & Play](https://gitlab.com/cop/rust-at-work)",
    "[Ann_Other \\[she\\] (@ann_o)](https://gitlab.com/ann_o)",
    "TBD",
]

ROWS = ["| Name | Who |", "| --- | --- |", "| Agile | @ann |", "| Zeta | @bob |"]
STYLES = {
    "spaced": ROWS,
    "compact": [row.replace(" ", "") for row in ROWS],
    "padded": ["| Name  | Who  |", "| ----- | ---- |", "| Agile | @ann |", "| Zeta  | @bob |"],
    "aligned": ["| Name  |  Who |", "| :---: | ---: |", "| Agile | @ann |", "| Zeta  | @bob |"],
    "no-outer-pipes": [row.strip("| ") for row in ROWS],
    "leading-pipe-only": [row.rstrip("| ") for row in ROWS],
    "header-only": ["| Name | Who |", "| ---- | --- |"],
    "quoted": ["> " + row for row in ROWS],
    "in-a-list": ["- Item:", ""] + ["  " + row for row in ROWS],
}


def main():
    workspace = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--convenor", default=workspace / "target/debug/convenor", type=pathlib.Path)
    parser.add_argument("--lint", default=workspace / "target/ci/npm/node_modules/.bin/markdownlint-cli2", type=pathlib.Path)
    parser.add_argument("--corpus", default=workspace.parent / "shared/corpus", type=pathlib.Path)
    options = parser.parse_args()
    if not options.corpus.is_dir():
        print(f"skipped: {options.corpus} is not there", file=sys.stderr)
        return 0
    for program in (options.convenor, options.lint):
        if not program.is_file():
            print(f"{program} is not there; see --help", file=sys.stderr)
            return 2
    return check(options)


def check(options):
    pages = [page for page in json.loads((options.corpus / "tables/index.json").read_text()) if page["target"]]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        write_config(options.corpus, folder)
        pages += [made_page(folder, name, lines) for name, lines in STYLES.items()]
        edited = [page["file"] for page in pages if write_pages(options, page, folder)]
        findings = lint(options.lint, folder)
    worse = 0
    passing = 0
    for name in edited:
        name = pathlib.Path(name).name
        before, after = findings[f"before/{name}"], findings[f"after/{name}"]
        new = sorted(set(after) - set(before))
        passing += not before
        worse += bool(new)
        print(f"{name}: {before.total()} before, {after.total()} after{': NEW ' + ', '.join(new) if new else ''}")
    print(f"{len(edited)} of {len(pages)} pages edited, {passing} of them passed before, {worse} got worse")
    return 1 if worse or not edited else 0


def made_page(folder, name, lines):
    """A page with a table of that style, described as the corpus describes its own."""
    path = folder / f"made-{name}.markdown"
    path.write_text("# Page\n\n## Table\n\n" + "\n".join(lines) + "\n\nAfter.\n")
    return {"file": path.with_suffix(".md").name, "at": path, "columns": 2, "target": {"heading": "Table", "nth_table_under_heading": 0}}


def write_config(corpus, folder):
    """The handbook's rules without its formatters, which are packages of their own."""
    config = json.loads((corpus / "handbook-lint/markdownlint-cli2.jsonc").read_text())
    (folder / ".markdownlint-cli2.jsonc").write_text(json.dumps({"config": config["config"]}))
    (folder / "before").mkdir()
    (folder / "after").mkdir()


def write_pages(options, page, folder):
    """Writes the page as it is and with one row more; false when the row is refused."""
    source = page.get("at") or options.corpus / page["file"]
    name = pathlib.Path(page["file"]).name
    target = page["target"]
    cells = [CELLS[min(column, 2)] for column in range(page["columns"])]
    command = [options.convenor, "table", "add", source, "--heading", target["heading"] or ""]
    command += ["--table", str(target["nth_table_under_heading"]), "--cells", json.dumps(cells)]
    added = subprocess.run(command, capture_output=True, check=False)
    if added.returncode != 0:
        print(f"{name}: refused: {added.stderr.decode().strip()}")
        return False
    (folder / "before" / name).write_bytes(source.read_bytes())
    (folder / "after" / name).write_bytes(added.stdout)
    return True


def lint(program, folder):
    """Findings of each page, counted by rule."""
    result = subprocess.run([program.absolute(), "**/*.md"], cwd=folder, capture_output=True, text=True, check=False)
    findings = collections.defaultdict(collections.Counter)
    for line in result.stderr.splitlines():
        found = re.match(r"(.+?\.md):\d+(?::\d+)?(?: \w+)? (MD\d+)", line)
        if found:
            findings[found[1]][found[2]] += 1
    if result.returncode not in (0, 1):
        sys.exit(f"markdownlint failed: {result.stderr}")
    return findings


if __name__ == "__main__":
    sys.exit(main())
