"""The whole page from its parts: template, style and scripts in one file.

It holds what results/ and the recipes say, the figures and curves of the default runs
(runs/NN_topic/seed-0) where there are any, and their trained networks.
"""

import base64
import hashlib
from pathlib import Path

from publish import entries, tables, words
from publish.entries import Lesson
from publish.page import digits
from publish.page.charts import drawn
from publish.page.sections import section

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

HERE = Path(__file__).parent
STYLES = ("page.css",)
SCRIPTS = ("before.js", "networks.js", "drawing.js", "page.js")  # in this order


def script_hash(text: str) -> str:
    """The source expression that lets exactly this script or style through a CSP."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def environment() -> Environment:
    """Where the templates are, and what they may call."""
    made = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"drawn": drawn, "verdicts": words.VERDICTS, "kinds": words.KINDS}
    made.filters["in_korean"] = words.in_korean
    return made


def told(headline: entries.Headline) -> dict:
    """A headline as a tile of the first screen."""
    _, text, others = tables.headline_text(headline)
    _, text_korean, others_korean = tables.headline_text(headline, korean=True)
    return {
        **headline._asdict(),
        "total": sum(headline.counts.values()),
        "text": text,
        "text_korean": text_korean,
        "others": others,
        "others_korean": others_korean,
    }


def build(every: list[Lesson], runs: Path) -> bytes:
    """The page as bytes: the recipes given, and the default runs in `runs`."""
    sections = [section(lesson, runs) for lesson in every]
    said = entries.every_entry(every)
    assets = {
        name: (HERE / name).read_text(encoding="utf-8") for name in (*STYLES, *SCRIPTS)
    }
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src {' '.join(script_hash(assets[name]) for name in STYLES)}; "
        f"script-src {' '.join(script_hash(assets[name]) for name in SCRIPTS)}"
    )
    used = {word for s in sections for pair in s["judged"] for word in pair.split(":")}
    topics = sorted({place for each in sections for place in each["topics"]})
    template = environment().get_template("page.html.j2")
    page = template.render(
        policy=policy,
        # Our own files, which stand in the page as they are.
        assets={name: Markup(text) for name, text in assets.items()},  # noqa: S704
        sections=sections,
        headlines=[told(headline) for headline in entries.headlines(said)],
        errata=entries.errata(said),
        waiting=entries.waiting(said),
        strips=[
            row | {"stem": each["stem"], "number": each["number"]}
            for each in sections
            for row in each["rows"]
            if row["strip"]
        ],
        documents=sorted({document for document, _ in topics}),
        topics=topics,
        used_kinds=[kind for kind in words.KINDS if kind in used],
        used_verdicts=[word for word in words.VERDICTS if word in used],
        networks=digits.networks(every, runs),
        samples=digits.sample_digits(),
    )
    return page.encode()
