"""The bench from the command line.

python -m bench                  all labs, then the growth: an hour
python -m bench labs 22 24       these labs; the others' results stay
python -m bench growth           how time and memory grow
python -m bench readme           README.md and its figures from what was measured
"""

import argparse
import sys
from pathlib import Path

from bench import growth, labs, measuring, readme
from common.command_line import Parser, output_folder, whole_number
from common.files import Problem

INTERRUPTED = 130


def one_of(names):
    """A parser of one of `names`."""

    def parse(text):
        if text not in names:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(names)}")
        return text

    return parse


def some_of(names):
    """A parser of some of `names`, separated by commas."""
    return lambda text: tuple(map(one_of(names), text.split(",")))


def new_parser() -> Parser:
    """The command line: labs, growth, readme, or nothing for all of it."""
    parser = Parser(
        prog="bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="labs, growth or readme")
    parts = {
        "labs": commands.add_parser("labs", help="training beside the peers"),
        "growth": commands.add_parser("growth", help="how time and memory grow"),
        "readme": commands.add_parser("readme", help="README.md and its figures"),
    }
    for part in parts.values():
        part.add_argument(
            "--out",
            type=output_folder,
            default=measuring.HERE,
            metavar="DIR",
            help="where results are (default: bench/)",
        )
    for name, rounds in (("labs", 5), ("growth", 10)):
        parts[name].add_argument(
            "--epochs",
            type=whole_number(1),
            default=rounds,
            metavar="N",
            help=f"rounds after the first (default {rounds})",
        )
    add = parts["labs"].add_argument
    known = one_of(labs.LABS)
    add("lab", nargs="*", type=known, help="by number; all without one")
    add("--device", choices=("cpu", "gpu"), default="cpu")
    add(
        "--only",
        type=some_of(labs.CONTESTANTS),
        default=(),
        metavar="ours,keras",
        help="fewer contestants, for trying; ours must be among them",
    )
    add(
        "--images",
        type=whole_number(100, 60_000),
        metavar="N",
        help="fewer training images, for trying",
    )
    add(
        "--peers",
        type=Path,
        default=measuring.PEERS,
        metavar="PYTHON",
        help="the Python that has PyTorch, JAX and scikit-learn",
    )
    return parser


def parse(arguments) -> argparse.Namespace:
    """Parse one command; exits with status 2 and one line where it cannot be meant."""
    parser = new_parser()
    args = parser.parse_args(arguments)
    if args.command == "labs":
        if args.only and "ours" not in args.only:
            parser.error("--only: ours must be among them, whose network all build")
        if (args.only or args.images) and args.out == measuring.HERE:
            parser.error("--only and --images are for trying: give --out DIR as well")
    return args


def act(args) -> None:
    """Do one command, and write README.md and its figures."""
    if args.command == "labs":
        written = measuring.measure(
            measuring.Plan(
                chosen=tuple(args.lab or labs.LABS),
                only=args.only,
                epochs=args.epochs,
                images=args.images,
                device=args.device,
                peers=args.peers,
                out=args.out,
            )
        )
        print(f"{written} is written")
    elif args.command == "growth":
        written = growth.measure(args.epochs, args.out)
        print(f"{written} is written")
    readme.write(args.out)
    print(f"README.md and its figures in {args.out} are written")


def main(arguments=None) -> int:
    """The command line; see this module's docstring. Returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    # Without a command: all of it, one after the other.
    commands = [arguments] if arguments else [["labs"], ["growth"]]
    try:
        for command in commands:
            act(parse(command))
    except Problem as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return problem.status
    except KeyboardInterrupt:
        print("\nbench: interrupted; labs measured before are kept", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
