"""Is a committed result still that of its recipe, after plumbing or versions changed?

Seed 0 is run again. Where every value has the same bits, the result's stamp (hashes of
recipe and plumbing, versions) is renewed; its values, seconds and machine stay.

Another processor may give other last digits, so that its results cannot be held against
runs of this one. What can: the revision that measured them, run here as well (`base`).
"""

from dataclasses import replace
from pathlib import Path

from common import batch, devices, executing, files, recipes, results
from common.executing import Request
from common.files import Problem
from publish.base import AT_ONCE, Base


def confirm(
    chosen: list[Path], runs: Path, device: str = "auto", base: Base | None = None
) -> None:
    """Run seed 0 of each result whose stamp differs; renew it or say why not.

    runs: where run folders go. base: the revision that measured the results.
    Raises Problem where a result could not be confirmed.
    """
    measured = [recipe for recipe in chosen if results.read_result(recipe)]
    differing = [r for r in measured if executing.differing(results.read_result(r), r)]
    differing.sort(key=batch.median_seconds, reverse=True)
    current = len(measured) - len(differing)
    print(f"{current} of {len(measured)} results are of the recipes as they are")
    requests = {r.stem: _request(r, runs, device) for r in differing}
    failed = base.run_all(list(requests.values())) if base and requests else {}
    here = devices.choose(device)[1].removesuffix(devices.NO_GPU)
    expected, refused = {}, {}
    for recipe in differing:
        stem = recipe.stem
        try:
            if stem in failed:
                raise Problem(f"{base.revision} failed, {failed[stem]}")
            expected[stem] = _expected(recipe, requests[stem], base, here)
        except Problem as problem:
            refused[stem] = f"{problem}, or make reproduce-{stem[:2]}"
            print(f"{stem}: {refused[stem]}", flush=True)

    def judge(request: Request) -> None:
        recipe = recipes.find(request.stem)
        record = executing.finished(request)
        said = "changed while it ran; run the same command again"
        if record:
            said = renew(recipe, record, expected[request.stem])
        if said:
            refused[request.stem] = said
        print(f"{request.stem}: {said or 'the same bits, confirmed'}", flush=True)

    to_run = []
    for stem in expected:
        if executing.finished(requests[stem]):
            judge(requests[stem])
        else:
            to_run.append(requests[stem])
    batch.Batch(to_run, AT_ONCE, judge).run()
    if refused:
        names = ", ".join(stem[:2] for stem in sorted(refused))
        raise Problem(
            f"{len(refused)} of {len(differing)} results are not confirmed: {names}; "
            "the lines above say why"
        )


def _request(recipe: Path, runs: Path, device: str) -> Request:
    return replace(results.reproducing(recipe, 0, runs), device=device)


def _expected(recipe: Path, request: Request, base: Base | None, here: str) -> dict:
    """The values that seed 0 has to give, by name.

    Those of the committed result where this machine measured it, else those of the
    revision that did, run here. Raises Problem where neither says anything.
    """
    result = results.read_result(recipe)
    if base is None:
        if result["machine"] != here:
            raise Problem(
                f"measured on {result['machine']}, this is {here}, whose last digits "
                "may be others; confirm --against the revision that measured it"
            )
        if 0 not in result["seeds"]:
            raise Problem("measured without seed 0, which is what would be run")
        at = result["seeds"].index(0)
        return {name: values[at] for name, values in result["values"].items()}
    record = base.record(request)
    if record is None:
        raise Problem(f"{base.revision} left no finished run of it")
    if record["recipe_hash"] != result["recipe_hash"]:
        raise Problem(
            f"{base.revision} has it in another version than the result was measured "
            "with; confirm --against the revision that measured it"
        )
    now = executing.provenance(recipe)["versions"]
    for package, version in result["versions"].items():
        if now.get(package, version) != version:
            raise Problem(
                f"measured with {package} {version}, this is {now[package]}, which "
                f"{base.revision} was run with, too; confirm with {version} installed"
            )
    return {name: record["values"].get(name) for name in result["values"]}


def renew(recipe: Path, record: dict, expected: dict) -> str:
    """Stamp the committed result of a recipe anew if a run has the expected values.

    record: of the run of seed 0. Returns "", or in words why the stamp is as it was.
    """
    number = recipe.stem[:2]
    found = record["values"]
    dropped = sorted(set(expected) - set(found))
    if dropped:
        return f"no longer measures {', '.join(dropped)}; make reproduce-{number}"
    other = [name for name in expected if found[name] != expected[name]]
    if other:
        told = ", ".join(
            f"{name} was {results.number(expected[name], digits=12)} and is "
            f"{results.number(found[name], digits=12)}"
            for name in other
        )
        return f"{told}; make reproduce-{number}"
    result = results.read_result(recipe)
    kept = {
        name: result[name]
        for name in ("seeds", "values", "seconds", "history", "machine", "cores")
    }
    stamp = {name: record[name] for name in executing.provenance(recipe)}
    python = result.get("python") or result["versions"]["python"]
    renewed = {
        "recipe": recipe.stem,
        **stamp,
        "options": record["options"],
        **kept,
        "constants": record["constants"],
        "python": python,
        "date": result["date"],
    }
    files.write_record(results.result_path(recipe), renewed)
    new = sorted(set(found) - set(expected))
    if new:
        print(f"{recipe.stem}: also measures {', '.join(new)}: make reproduce-{number}")
    return ""
