"""python -m publish: from results/ and runs/ to what people read.

page          report/index.html, and what it says in short
table         your runs and the results beside what was reported; of 24: table 24
ledger        every entry of lectures/ in slide order; of one document: ledger 003
readme        README's tables, results/README.md, recipes/README.md
notebooks     notebooks/NN_topic.ipynb; of one recipe: notebooks 24
collect 24    results/NN_topic.json from the finished seeds in runs/
confirm       rerun seed 0 where plumbing or versions changed; renew what is the same
screenshots   README's pictures of the page
"""

import argparse
import sys
from pathlib import Path

from common import command_line, recipes, results
from common.command_line import Parser
from common.devices import load_tensorflow
from common.files import ROOT
from common.running import guarded


def parse(arguments=None) -> argparse.Namespace:
    """Parse the command line of this room; one line and status 2 for a bad flag."""
    parser = Parser(
        prog="publish",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name, *flags, of_recipes=None):
        own = actions.add_parser(name, allow_abbrev=False)
        if of_recipes:
            own.add_argument(
                "recipe", nargs=of_recipes, help="numbers; all without one"
            )
        for flag, settings in flags:
            own.add_argument(flag, **settings)
        return own

    folder = command_line.output_folder
    out = ("--out", {"type": folder, "default": ROOT / "runs", "metavar": "DIR"})
    out[1]["help"] = "where your run folders are (default: runs/)"
    report = {"type": Path, "default": ROOT / "report" / "index.html"}
    to_file = ("--to", {**report, "metavar": "FILE", "help": "the page's file"})
    notebooks = {"type": folder, "default": ROOT / "notebooks", "metavar": "DIR"}
    device = {"type": command_line.device, "default": "auto"}
    action("page", out, to_file)
    action("screenshots", out, to_file)
    action("table", out, of_recipes="*")
    ledger = action("ledger")
    ledger.add_argument("document", nargs="?", help="such as 003; all without one")
    action("readme", out)
    action("notebooks", ("--to", notebooks), of_recipes="*")
    action("collect", out, of_recipes="+")
    confirm = action("confirm", out, ("--device", device), of_recipes="*")
    confirm.add_argument(
        "--against",
        metavar="REV",
        help="the git revision that measured the results, to be run here, too: for "
        "results of another processor, or of a recipe that was moved and not changed",
    )
    confirm.add_argument(
        "--base-runs",
        type=folder,
        metavar="DIR",
        help="run folders of REV: what is finished there is not run again",
    )
    args = parser.parse_args(arguments)
    if args.action == "confirm" and args.base_runs and not args.against:
        parser.error("--base-runs needs --against, the revision they are of")
    return args


def act(args: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    load_tensorflow()  # quietly; the recipes import it
    chosen = [recipes.find(name) for name in getattr(args, "recipe", [])]
    from publish import confirm, entries, ledger, notebooks, readme, tables

    if args.action in ("page", "screenshots"):
        make_page(args)
    elif args.action == "table":
        every = entries.lessons(chosen)
        tables.print_overview(every, args.out)
        if not chosen:
            tables.print_headlines(entries.every_entry(every))
    elif args.action == "ledger":
        ledger.print_ledger(entries.every_entry(entries.lessons()), args.document)
    elif args.action == "readme":
        readme.write(entries.lessons(), args.out)
    elif args.action == "notebooks":
        chosen = chosen or recipes.all_recipes()
        notebooks.write(chosen, args.to)
        print(f"notebooks: {len(chosen)} in {args.to}")
    elif args.action == "collect":
        for recipe in chosen:
            results.collect(recipe, args.out)
            print(f"{recipe.stem}: results/{recipe.stem}.json")
    elif args.against:
        from publish.base import base

        with base(args.against, args.base_runs) as earlier:
            confirm.confirm(
                chosen or recipes.all_recipes(), args.out, args.device, earlier
            )
    else:
        confirm.confirm(chosen or recipes.all_recipes(), args.out, args.device)


def make_page(args: argparse.Namespace) -> None:
    """Write the page; print its table, or take its pictures."""
    from common import files
    from publish import entries, tables
    from publish.page import browser, build

    every = entries.lessons()
    content = build.build(every, args.out)
    files.write_whole(args.to, content)
    if args.action == "screenshots":
        for path in browser.take_screenshots(args.to):
            print(f"page: {path}, {path.stat().st_size / 1e3:.0f} kB")
    else:
        tables.print_overview(every, args.out)
        tables.print_headlines(entries.every_entry(every))
    size = len(content) / 1e6
    print(f"page: {args.to}, {size:.1f} MB: open it in a browser")


def main(arguments=None) -> int:
    """The command line; returns the exit status."""
    args = parse(arguments)
    return guarded(lambda: act(args), "publish")


if __name__ == "__main__":
    sys.exit(main())
