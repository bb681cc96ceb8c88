"""`python -m services.notifications.preview`: the templates there are, and what a message looks like.

    python -m services.notifications.preview list [--json]
    python -m services.notifications.preview show NAME [--language cy] [--html]

Values are invented. Templates come from the folder that NOTIFICATIONS_TEMPLATES names, or from beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from services.notifications.gateways.samples import KNOWN, SAMPLES, WITHOUT_SUBJECT
from services.notifications.gateways.templates import InvalidTemplates, Templates
from services.notifications.settings import TEMPLATES


def main(arguments: list[str]) -> int:
    options = _parse(arguments)
    try:
        wording = Templates(Path(os.environ.get("NOTIFICATIONS_TEMPLATES") or TEMPLATES), KNOWN, texts=WITHOUT_SUBJECT)
    except InvalidTemplates as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(_listed(wording, as_json=options.json) if options.do == "list" else _shown(wording, options))
    return 0


def _listed(wording: Templates, *, as_json: bool) -> str:
    versions = {name: wording.versions(name) for name in sorted(SAMPLES)}
    if as_json:
        return json.dumps(versions, indent=2) + "\n"
    told = (", ".join(f"{language} {version}" for language, version in found.items()) for found in versions.values())
    return "".join(f"{name:<24}{versions}\n" for name, versions in zip(versions, told, strict=True))


def _shown(wording: Templates, options: argparse.Namespace) -> str:
    text = wording.render(options.name, SAMPLES[options.name], language=options.language)
    if options.html:
        return wording.page(text)
    return f"Subject: {text.subject}\n\n{text.body}" if text.subject else text.body


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="preview", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("do", choices=("list", "show"))
    parser.add_argument("name", nargs="?", choices=sorted(SAMPLES), metavar="NAME")
    parser.add_argument("--language", default="en")
    parser.add_argument("--html", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if options.do == "show" and not options.name:
        parser.error("say which template to show; `list` names them")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
